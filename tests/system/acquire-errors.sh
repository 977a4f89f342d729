# Unreadable sectors, exactly where the device has them: filled with zeros, told in the manifest,
# the mapfile, the E01, the log and on the progress line; exit 3. Their neighbours are intact.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require ewfverify ewfinfo ewfexport ddrescuelog jq
size=$((12 * 1048576))
random_file "$T/src" $size
# One sector; some in a row; the first and the last of a chunk; both sides of a block; the very
# first and the very last sector.
bad=(0 512 102400 512 1048064 1024 2000384 512 2129920 33280 5242880 1048576 $((size - 512)) 512)
fault_map "$T/truth" $size "${bad[@]}"
fault_device "$T/src" "$T/truth"

# What a perfect acquisition gives.
cp "$T/src" "$T/expected"
sectors=0
for ((i = 0; i < ${#bad[@]}; i += 2)); do
    dd if=/dev/zero of="$T/expected" bs=512 seek=$((bad[i] / 512)) count=$((bad[i + 1] / 512)) \
        conv=notrunc status=none
    sectors=$((sectors + bad[i + 1] / 512))
done
md5=$(md5_of "$T/expected")
ddrescuelog -l - -b 512 "$T/truth" >"$T/bad-blocks"

check() {
    local m=$1.manifest.json
    assert_json "$m" .media.hashes.md5 "$md5"
    assert_json "$m" .unreadable.sectors $sectors
    assert_json "$m" '[.unreadable.ranges[] | .offset, .length] | join(" ")' "${bad[*]}"
    assert_json "$m" .verification.status passed
    ddrescuelog -l - -b 512 "$1.map" | diff - "$T/bad-blocks" || fail "the mapfile differs"
    assert_contains "$1.log" "Unreadable: $sectors sectors in $((${#bad[@]} / 2)) ranges"
    assert_contains "$1.log" "Input/output error"
    (cd "$T" && sha256sum -c --quiet "${1##*/}.sha256") || fail "the sums do not agree"
}

expect 3 exhibit acquire "$DEV" "$T/e" --progress json
assert_contains "$T/out" "$sectors sectors"
assert_eq "$(grep '^{' "$T/err" | jq -s 'map(.unreadable_sectors) | max')" $sectors "on the progress"
assert_eq "$(grep '^{' "$T/err" | tail -n 1 | jq -c '[.phase, .unreadable_sectors]')" \
    "[\"verify\",$sectors]" "the last word of the progress"
check "$T/e"
expect 0 ewfverify "$T/e.E01"
assert_contains "$T/out" "$md5"
expect 0 ewfinfo "$T/e.E01"
assert_contains "$T/out" "Read errors during acquiry"
assert_contains "$T/out" "$((${#bad[@]} / 2))"
ewfexport -q -u -t "$T/export" "$T/e.E01" >/dev/null 2>&1
assert_same_bytes "$T/export.raw" "$T/expected"

expect 3 exhibit acquire "$DEV" "$T/r" --format raw --retries 0 --copy "$T/r2"
check "$T/r"
assert_same_bytes "$T/r.raw" "$T/expected"
assert_same_bytes "$T/r2.raw" "$T/expected"
check "$T/r2"

# A dead zone is told sector by sector, and takes a line of the journal, not one for each: else a
# few gigabytes of it would be more than a journal holds.
(
    trap '' XFSZ
    ulimit -f 8192 # KiB: the image stops in its middle, and can go on
    expect 4 exhibit acquire "$DEV" "$T/j" --format raw
)
lines=$(grep -c '"type":"unreadable"' "$T/j.partial/j.journal")
[ "$lines" -ge 6 ] && [ "$lines" -le 20 ] || fail "$lines lines of the journal for the unreadable ranges"
expect 3 exhibit acquire --resume "$DEV" "$T/j"
check "$T/j"
assert_same_bytes "$T/j.raw" "$T/expected"
