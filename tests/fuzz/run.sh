#!/bin/bash
# Runs one libFuzzer target for a while: tests/fuzz/run.sh TARGET SECONDS [libFuzzer options]
# Crashing inputs of the past (fixtures/NAME/) are run first; the seeds come from corpus/NAME.sh;
# what is new and interesting is kept beside the target between runs.
set -euo pipefail

target=$1
seconds=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$(basename "$target")
name=${name#fuzz_}
work=$(dirname "$target")/fuzz-$name
mkdir -p "$work/seeds" "$work/found" "$work/crashes"

bash "$here/corpus/$name.sh" "$work/seeds"
if [ -d "$here/fixtures/$name" ]; then
    "$target" "$here/fixtures/$name"/*
fi
# Slow inputs are findings too: no input of these sizes may take a second. The clock goes on where
# others have the machine, hence the distance.
exec "$target" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$work/crashes/" "$@" "$work/found" "$work/seeds"
