# --salvage: what can be read of a damaged image becomes a raw image with a map of what could not;
# both are as the damage is, and other tools agree.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire ddrescuelog jq

media=$T/media.raw
mixed_file "$media" 3000320 salvage
size=3000320

# agrees NAME: outside the bad blocks of its map the salvaged image is the media, inside it is zero,
# and its papers hold.
agrees() {
    local first length status
    ddrescuelog -t "$T/$1.map" >/dev/null
    assert_eq "$(stat -c %s "$T/$1.raw")" $size "size of $1.raw"
    grep -v '^#' "$T/$1.map" | tail -n +2 >"$T/blocks"
    while read -r first length status; do
        case $status in
        +) cmp -s -i $((first)) -n $((length)) "$T/$1.raw" "$media" ||
            fail "$1: differs from the media in $first $length" ;;
        -) cmp -s -i $((first)):0 -n $((length)) "$T/$1.raw" /dev/zero ||
            fail "$1: not zero in $first $length" ;;
        *) fail "status '$status' in the map" ;;
        esac
    done <"$T/blocks"
    (cd "$T" && md5sum --quiet -c "$1.md5" && sha256sum --quiet -c "$1.sha256")
    expect 0 exhibit verify --json "$T/$1.manifest.json"
    assert_json "$T/out" .verdict passed
    assert_json "$T/out" '.checks[] | select(.name == "map").status' passed
    assert_missing "$T/$1.partial"
}

bad_of() {
    json "$T/$1.manifest.json" '.unreadable.ranges | map("\(.offset)+\(.length)") | join(" ")'
}

# --- an E01 in three segments: a chunk, a segment, a table, the end
ewfacquire -u -q -c none -S 1048576 -t "$T/i" "$media" >"$T/log" 2>&1 </dev/null
expect 0 exhibit verify --json --salvage "$T/whole" "$T/i.E01"
assert_json "$T/out" .salvage.lost_bytes 0
agrees whole
assert_same_bytes "$T/whole.raw" "$media"

cp "$T/i.E01" "$T/i.E01.good"
flip_byte "$T/i.E01" 500000
expect 3 exhibit verify --json --salvage "$T/chunk" "$T/i.E01"
assert_json "$T/out" .salvage.lost_bytes 32768
agrees chunk
assert_eq "$(bad_of chunk)" 491520+32768
assert_json "$T/chunk.manifest.json" .salvage.image "$T/i.E01"
assert_json "$T/chunk.manifest.json" .salvage.verdict failed
# Every field that a manifest has, if only to say that it is not known.
jq -e '(.case.user | has("uid", "name")) and (.image | has("sectors_per_chunk", "compression")) and
    (.image.destination | has("device", "serial")) and (.acquisition | has("clock", "host")) and
    (.write_block.monitor | has("available", "reads", "writes", "flushes", "discards",
        "passthrough", "refused"))' "$T/chunk.manifest.json" >/dev/null || fail "a field is missing"
assert_json "$T/chunk.manifest.json" .salvage.media_hashes.md5 "$(md5_of "$media")"
cp "$T/i.E01.good" "$T/i.E01"

mv "$T/i.E02" "$T/away"
expect 3 exhibit verify --salvage "$T/segment" "$T/i.E01"
agrees segment
assert_json "$T/segment.manifest.json" '[.salvage.segments[] | select(.present | not).file] | join(" ")' \
    "$T/i.E02"
mv "$T/away" "$T/i.E02"

# The table in the first segment: its copy, table2, locates all chunks.
table=$(grep -abo 'table2' "$T/i.E01" | sed -n '1s/:.*//p')
flip_byte "$T/i.E01" $((table - 10))
expect 3 exhibit verify --salvage "$T/table" "$T/i.E01"
agrees table
assert_eq "$(bad_of table)" "" "lost with a bad table"
cp "$T/i.E01.good" "$T/i.E01"

cp "$T/i.E03" "$T/away"
truncate -s 600000 "$T/i.E03"
run exhibit verify --salvage "$T/cut" "$T/i.E01"
if [ "$status" -eq 3 ] && [ -e "$T/cut.raw" ]; then
    agrees cut
else
    fail "nothing was salvaged of a set that is cut off: $status"
fi
cp "$T/away" "$T/i.E03"

# --- raw: single sectors, not whole blocks
split -b 1000000 -d -a 3 --numeric-suffixes=1 "$media" "$T/r."
{
    at=0
    for f in "$T"/r.00?; do
        n=$(stat -c %s "$f")
        jq -n --arg f "${f##*/}" --arg m "$(md5_of "$f")" --arg s "$(sha256_of "$f")" \
            --argjson z "$n" --argjson o $at \
            '{file: $f, size: $z, media_offset: $o, media_length: $z, md5: $m, sha256: $s}'
        at=$((at + n))
    done
} | jq -s --arg md5 "$(md5_of "$media")" --argjson size $size '{
    schema: "exhibit.manifest/1",
    image: {format: "raw", media_size: $size, bytes_per_sector: 512, segments: .},
    media: {hashes: {md5: $md5}, piecewise: []},
    unreadable: {sectors: 2, ranges: [{offset: 2048000, length: 1024}], fill: "zero"} }' \
    >"$T/r.manifest.json"
truncate -s 900000 "$T/r.002"
expect 3 exhibit verify --salvage "$T/raw" "$T/r.manifest.json"
# What was unreadable at acquisition is bad too; this one holds data there, for the test.
dd if=/dev/zero of="$media" bs=1024 seek=2000 count=1 conv=notrunc status=none
dd if=/dev/zero of="$T/raw.raw" bs=1024 seek=2000 count=1 conv=notrunc status=none
first=$(json "$T/raw.manifest.json" '.unreadable.ranges[0].offset')
[ "$first" -ge 1899008 ] && [ "$first" -le 1900000 ] || fail "lost from $first on, not the sector"
assert_json "$T/raw.manifest.json" '.unreadable.ranges[1].offset' 2048000
assert_json "$T/raw.manifest.json" '.salvage.lost.ranges | length' 1

# --- refusals: nothing is overwritten, several images are too many, and what is none gives none
expect 5 exhibit verify --salvage "$T/chunk" "$T/i.E01"
assert_error "already exists"
expect 2 exhibit verify --salvage "$T/two" "$T/i.E01" "$T/r.001"
expect 1 exhibit verify --salvage "$T/nodir/x" "$T/i.E01"
mkdir "$T/d.partial"
expect 5 exhibit verify --salvage "$T/d" "$T/i.E01"
assert_missing "$T/d.raw"

# --- no space: nothing is left behind
if mkdir "$T/small" && mount -t tmpfs -o size=1m none "$T/small" 2>/dev/null; then
    at_exit umount "$T/small"
    expect 4 exhibit verify --salvage "$T/small/x" "$T/i.E01"
    assert_only "$T/small" ""
fi
