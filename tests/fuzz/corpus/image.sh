#!/bin/bash
# Seeds for fuzz_image: one small image of each kind that ewfacquire writes, and a raw one.
# usage: image.sh DIRECTORY
set -euo pipefail
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
    seq 1 3000
    head -c 9000 /dev/zero
    seq 5000 7000
} >"$work/media.raw"
truncate -s 32768 "$work/media.raw"
head -c 2048 "$work/media.raw" >"$out/raw"
command -v ewfacquire >/dev/null || exit 0
for format in ewf smart ftk encase1 encase2 encase5 encase6 encase7 linen6 ewfx; do
    for compression in none fast; do
        ewfacquire -u -q -f "$format" -c "$compression" -b 16 -t "$work/$format" \
            "$work/media.raw" >/dev/null 2>&1 </dev/null
        mv "$work/$format".?01 "$out/$format-$compression"
        rm -f "$work/$format".*
    done
done
