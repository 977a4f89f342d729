# Rescue mode on a disk with bad sectors: E01 and raw, told passes, a map that ddrescuelog reads;
# kills in each of its phases are continued; what ddrescue has rescued is taken over.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require ewfverify ewfinfo ddrescue ddrescuelog jq
size=$((24 * 1048576))
random_file "$T/src" $size
bad=(0 512 102400 512 1048064 1024 2000384 512 2129920 33280 5242880 1048576 13000192 4096
    $((size - 512)) 512)
fault_map "$T/truth" $size "${bad[@]}"
fault_device "$T/src" "$T/truth"
cp "$T/src" "$T/expected"
for ((i = 0; i < ${#bad[@]}; i += 2)); do
    dd if=/dev/zero of="$T/expected" bs=512 seek=$((bad[i] / 512)) count=$((bad[i + 1] / 512)) \
        conv=notrunc status=none
done
md5=$(md5_of "$T/expected")
ddrescuelog -l - -b 512 "$T/truth" >"$T/bad-blocks"

check() {
    local m=$1.manifest.json
    assert_json "$m" .acquisition.mode rescue
    assert_json "$m" .media.hashes.md5 "$md5"
    assert_json "$m" '[.unreadable.ranges[] | .offset, .length] | join(" ")' "${bad[*]}"
    assert_json "$m" .verification.status passed
    ddrescuelog -l - -b 512 "$1.map" | diff - "$T/bad-blocks" || fail "the mapfile differs"
    assert_contains "$1.log" "Input/output error"
    assert_missing "$1.partial" "$1.rescue.img" "$1.rescue.map"
}

# --- E01 and raw, with a copy
expect 3 exhibit acquire "$DEV" "$T/e" --rescue --progress json
check "$T/e"
expect 0 ewfverify "$T/e.E01"
assert_contains "$T/out" "$md5"
expect 0 exhibit verify "$T/e.manifest.json"
assert_json "$T/e.manifest.json" '.acquisition.passes == (.acquisition.rescue.passes | length)' true
assert_json "$T/e.manifest.json" '[.acquisition.rescue.passes[].phase] | unique | join(" ")' \
    "copy retry scrape trim"
assert_json "$T/e.manifest.json" ".acquisition.rescue.passes[-1].rescued + .acquisition.rescue.passes[-1].bad" $size

expect 3 exhibit acquire "$DEV" "$T/r" --rescue --format raw --retries 0 --copy "$T/r2"
check "$T/r"
check "$T/r2"
assert_same_bytes "$T/r.raw" "$T/expected"
assert_same_bytes "$T/r2.raw" "$T/expected"

# --- what ddrescue has begun: only its first pass, and then what it has left
expect 0 ddrescue -q --no-trim --no-scrape "$DEV" "$T/dd.img" "$T/dd.map"
expect 3 exhibit acquire "$DEV" "$T/t" --rescue --rescue-image "$T/dd.img" --rescue-map "$T/dd.map"
check "$T/t"
assert_json "$T/t.manifest.json" '.acquisition.rescue.taken_over.bytes > 0' true
assert_json "$T/t.manifest.json" '.acquisition.rescue.taken_over.samples > 0' true
# Of a part of the source: positions are those of the source.
expect 3 exhibit acquire "$DEV" "$T/o" --rescue --rescue-image "$T/dd.img" --rescue-map "$T/dd.map" \
    --format raw --offset 1M --length 8M
cmp "$T/o.raw" <(tail -c +1048577 "$T/expected" | head -c 8388608) || fail "the part differs"
# An image of something else is no start.
random_file "$T/other" $size other
expect 5 exhibit acquire "$DEV" "$T/x" --rescue --rescue-image "$T/other" --rescue-map "$T/dd.map"
assert_contains "$T/err" "is not what was imaged before"
# A map that goes beyond the source, and an image that ends before what its map promises.
fault_map "$T/long" $((size * 2)) 0 512
expect 5 exhibit acquire "$DEV" "$T/y" --rescue --rescue-image "$T/dd.img" --rescue-map "$T/long"
head -c 1000000 "$T/dd.img" >"$T/short"
expect 1 exhibit acquire "$DEV" "$T/z" --rescue --rescue-image "$T/short" --rescue-map "$T/dd.map"
assert_missing "$T/y.partial" "$T/z.partial"
expect 2 exhibit acquire "$DEV" "$T/z" --rescue --rescue-map "$T/dd.map"
expect 2 exhibit acquire "$DEV" "$T/z" --rescue-image "$T/dd.img" --rescue-map "$T/dd.map"

# --- ddrescue goes on from what a stopped job has collected
slow_device "$T/src" 20ms
slow=$DEV
exhibit acquire "$slow" "$T/s" --rescue --progress json 2>"$T/progress" &
pid=$!
wait_until 30 grep -q '"phase": *"copy".*"bytes_done": *[1-9]' "$T/progress"
kill -INT "$pid"
status=0
wait "$pid" || status=$?
assert_eq "$status" 4 "the exit after SIGINT"
expect 0 ddrescuelog -t "$T/s.partial/s.rescue.map"
cp "$T/s.partial/s.rescue.img" "$T/s.partial/s.rescue.map" "$T"
expect 0 ddrescue -q "$T/src" "$T/s.rescue.img" "$T/s.rescue.map"
assert_same_bytes "$T/s.rescue.img" "$T/src"
# And so does Exhibit; not with another source, nor as another kind of job.
expect 2 exhibit acquire --resume --retries 7 "$slow" "$T/s"
expect 0 exhibit acquire --resume "$slow" "$T/s"
assert_json "$T/s.manifest.json" .media.hashes.md5 "$(md5_of "$T/src")"
assert_json "$T/s.manifest.json" '.acquisition.resumed | length' 1
assert_json "$T/s.manifest.json" '.acquisition.resumed[0].samples > 0' true
