# A disk of 4,096-byte sectors, and a file that is said to be one.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require ewfverify ewfinfo jq
mixed_file "$T/src" $((9 * 1048576))
md5=$(md5_of "$T/src")
attach "$T/src" --sector-size 4096
assert_eq "$(blockdev --getss "$DEV")" 4096 "sector size of the test's own disk"

check() {
    expect 0 ewfverify "$1.E01"
    assert_contains "$T/out" "$md5"
    expect 0 ewfinfo "$1.E01"
    grep -qE 'Bytes per sector:[[:space:]]+4096' "$T/out" || fail "ewfinfo does not say 4096"
    assert_json "$1.manifest.json" '[.source.logical_sector_size, .image.bytes_per_sector,
        .source.sectors] | join(" ")' "4096 4096 $((9 * 256))"
    assert_json "$1.manifest.json" .verification.status passed
}
expect 0 exhibit acquire "$DEV" "$T/a"
check "$T/a"
expect 2 exhibit acquire "$DEV" "$T/b" --sector-size 512
assert_error "--sector-size"
expect 0 exhibit acquire "$T/src" "$T/c" --sector-size 4096
check "$T/c"
expect 2 exhibit acquire "$T/src" "$T/d" --sector-size 4096 --length 512
assert_error "multiple"

# A bad sector is 4,096 bytes.
fault_map "$T/map" $((9 * 1048576)) $((3 * 1048576)) 4096
fault_device "$T/src" "$T/map" --sector-size 4096
expect 3 exhibit acquire "$DEV" "$T/e"
assert_json "$T/e.manifest.json" '[.unreadable.sectors, .unreadable.ranges[].length] | join(" ")' \
    "1 4096"
