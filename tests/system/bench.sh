# The benchmark suite on a tiny disk: it runs, compares with those peers that are there, and leaves a
# table that can be read. Its figures mean nothing here.
. "$(dirname "$0")/../lib/system.sh"
require python3 jq ewfacquire ewfverify
[ -x "$EXHIBIT_BIN/../tests/bench-floor" ] || skip "bench-floor is not built"
export EXHIBIT_BENCH_DIR=$T/bench
expect 0 "$EXHIBIT_SOURCE/tests/bench/run" --size 8 --rounds 1 --disks random \
    --cases acquire,raw,verify --json "$T/result.json"
assert_contains "$T/out" "ewfacquire"
assert_json "$T/result.json" '[.results[].case] | join(" ")' \
    "e01 fast raw segments verify foreign verify own"
assert_json "$T/result.json" '[.results[] | .floor > 0] | all' true
assert_json "$T/result.json" '[.results[] | select(.floor_in_order) | .case] | join(" ")' \
    "e01 fast verify foreign"
assert_json "$T/result.json" '[.results[0].programs | keys[]] | join(" ")' "ewfacquire ours"
assert_json "$T/result.json" '.machine.libraries | has("libdeflate")' true
assert_eq "$(find "$T/bench" -name 'run.*' | wc -l)" 0 "directories left behind"
expect 2 "$EXHIBIT_SOURCE/tests/bench/run" --disks floppy
