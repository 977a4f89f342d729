#!/bin/bash
# One byte changed anywhere, in images with and without a manifest, and segments truncated, zeroed,
# deleted, swapped, duplicated, renamed and added. tests/lib/mutate-image knows what lies where and
# judges every answer: what must be noticed, the verdict, the segment, offset, chunk and media named.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire python3

seed=${EXHIBIT_SEED:-$RANDOM}
echo "EXHIBIT_SEED=$seed"
how_many count 120 2400 "changes without a manifest, half as many of each format with one"
mutate() {
    (cd "$T" && python3 "$EXHIBIT_SOURCE/tests/lib/mutate-image" "$EXHIBIT_BIN/exhibit-verify" "$@") ||
        fail "mutate-image $*"
}

media=$T/media.raw
mixed_file "$media" 2621440 mutations
for format in encase1 encase6 encase7 ewf ftk linen6 smart; do
    ewfacquire -u -q -t "$T/$format" -f "$format" -c fast -b 16 -S 1048576 "$media" \
        >"$T/log" 2>&1 </dev/null
done
ewfacquire -u -q -t "$T/ewfx" -f ewfx -d sha1,sha256 -c none "$media" >"$T/log" 2>&1 </dev/null
mutate "$count" "$seed" - encase1.E01 encase6.E01 encase7.E01 ewf.e01 ftk.E01 linen6.E01 smart.s01 \
    ewfx.e01

expect 0 exhibit-acquire -q --segment-size 1M "$media" "$T/own"
mutate $((count / 2)) "$seed" own.manifest.json own.E01
expect 0 exhibit-acquire -q --format raw --segment-size 700K --piecewise 100K "$media" "$T/raw"
mutate $((count / 2)) "$seed" raw.manifest.json raw.001

# Of a raw image without a manifest only what is missing shows.
mkdir "$T/bare"
cp "$T"/raw.0?? "$T/bare"
mutate $((count / 20)) "$seed" - bare/raw.001
