# A part of the source: the image starts at its own zero, the manifest keeps the offset.
. "$(dirname "$0")/../lib/system.sh"
require ewfverify jq
mixed_file "$T/src" $((8 * 1048576))
part() {
    tail -c +$(($1 + 1)) "$T/src" | head -c "$2" | md5sum | cut -d' ' -f1
}

expect 0 exhibit acquire "$T/src" "$T/a" --offset 1M --length 2M
expect 0 ewfverify "$T/a.E01"
assert_contains "$T/out" "$(part 1048576 2097152)"
m=$T/a.manifest.json
assert_json "$m" '[.source.offset, .source.size, .image.media_size] | join(" ")' \
    "1048576 8388608 2097152"
assert_json "$m" '.image.segments[0] | [.media_offset, .media_length] | join(" ")' "0 2097152"

expect 0 exhibit acquire "$T/src" "$T/b" --offset 3s --length 5s --format raw
assert_json "$T/b.manifest.json" .media.hashes.md5 "$(part 1536 2560)"
expect 0 exhibit acquire "$T/src" "$T/c" --offset 8388607 --format raw
assert_json "$T/c.manifest.json" .image.media_size 1
expect 0 exhibit acquire "$T/src" "$T/d" --offset 1000001 --length 777 --format raw
assert_json "$T/d.manifest.json" .media.hashes.md5 "$(part 1000001 777)"

# A device is read in whole sectors; bad sectors are told in bytes of the image.
fault_map "$T/map" 8388608 $((2 * 1048576)) 1024
fault_device "$T/src" "$T/map"
expect 2 exhibit acquire "$DEV" "$T/e" --offset 100
assert_error "sector size"
expect 3 exhibit acquire "$DEV" "$T/e" --offset 1M --length 3M
assert_json "$T/e.manifest.json" '.unreadable.ranges[] | [.offset, .length] | join(" ")' \
    "1048576 1024"
