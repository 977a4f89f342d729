# Segments: E01 and raw, their sizes and hashes, and pieces.
. "$(dirname "$0")/../lib/system.sh"
require ewfverify jq
mixed_file "$T/src" $((40 * 1048576 + 512))
md5=$(md5_of "$T/src")

# --- E01
expect 0 exhibit acquire "$T/src" "$T/e" --segment-size 4M --hash sha256,sha1
expect 0 ewfverify -q "$T/e.E01"
expect 0 ewfverify "$T/e.E01"
assert_contains "$T/out" "$md5"
m=$T/e.manifest.json
n=$(json "$m" '.image.segments | length')
[ "$n" -ge 4 ] || fail "only $n segments of 4 MiB"
assert_eq "$(find "$T" -name 'e.E*' | wc -l)" "$n" "files"
for f in "$T"/e.E*; do
    [ "$(stat -c %s "$f")" -le $((4 * 1048576)) ] || fail "$f is larger than asked"
done
assert_json "$m" '[.image.segments[].media_length] | add' $((40 * 1048576 + 512))
assert_json "$m" '.media.hashes | has("sha1") and has("sha256")' true
(cd "$T" && sha256sum -c --quiet e.sha256 && md5sum -c --quiet e.md5) || fail "the sums do not agree"
assert_eq "$(wc -l <"$T/e.sha256")" "$n" "lines of e.sha256"

# --- raw; the size asked for is rounded down to sectors
expect 0 exhibit acquire "$T/src" "$T/r" --format raw --segment-size $((10 * 1048576 + 100)) \
    --piecewise 7M
m=$T/r.manifest.json
assert_json "$m" '[.image.segments[].file] | join(" ")' "r.001 r.002 r.003 r.004 r.005"
for i in 1 2 3 4; do
    assert_eq "$(stat -c %s "$T/r.00$i")" $((10 * 1048576)) "size of r.00$i"
done
assert_eq "$(stat -c %s "$T/r.005")" 512 "size of the last"
assert_eq "$(cat "$T"/r.00? | md5sum | cut -d' ' -f1)" "$md5" "the segments together"
assert_json "$m" .media.hashes.md5 "$md5"
for i in 0 1 2 3 4; do
    f=$T/r.00$((i + 1))
    assert_json "$m" ".image.segments[$i] | [.md5, .sha256, .media_offset, .size] | join(\" \")" \
        "$(md5_of "$f") $(sha256_of "$f") $((i * 10 * 1048576)) $(stat -c %s "$f")"
done
(cd "$T" && sha256sum -c --quiet r.sha256) || fail "the sums do not agree"
assert_json "$m" '.media.piecewise | length' 6
for i in 0 1 2 3 4 5; do
    dd if="$T/src" bs=7M skip=$i count=1 of="$T/piece" status=none
    assert_json "$m" ".media.piecewise[$i] | [.offset, .length, .md5, .sha256] | join(\" \")" \
        "$((i * 7 * 1048576)) $(stat -c %s "$T/piece") $(md5_of "$T/piece") $(sha256_of "$T/piece")"
done

# --- many: past .999 comes .1000
random_file "$T/small" $((1003 * 512))
expect 0 exhibit acquire "$T/small" "$T/m" --format raw --segment-size 1s
assert_exists "$T/m.001" "$T/m.999" "$T/m.1000" "$T/m.1003"
assert_json "$T/m.manifest.json" '.image.segments[999].file' m.1000
assert_json "$T/m.manifest.json" .verification.status passed
