# With a manifest no change goes unnoticed: every segment, the media, the pieces and the map are
# compared with it, and what differs is named.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire jq

media=$T/media.raw
mixed_file "$media" 2097152 manifest
sum() {
    "$1sum" <"$2" | cut -d' ' -f1
}

# segment FILE OFFSET LENGTH: its entry in a manifest
segment() {
    jq -n --arg f "${1##*/}" --arg m "$(md5_of "$1")" --arg s "$(sha256_of "$1")" \
        --argjson z "$(stat -c %s "$1")" --argjson o "$2" --argjson l "$3" \
        '{file: $f, size: $z, media_offset: $o, media_length: $l, md5: $m, sha256: $s}'
}

# manifest NAME FORMAT SPC < segments: $T/NAME.manifest.json
manifest() {
    jq -s --arg format "$2" --argjson spc "$3" --argjson size "$(stat -c %s "$media")" \
        --arg md5 "$(md5_of "$media")" --arg sha256 "$(sha256_of "$media")" \
        --argjson pieces "$pieces" '{
            schema: "exhibit.manifest/1",
            image: {format: $format, media_size: $size, bytes_per_sector: 512,
                    sectors_per_chunk: $spc, segments: .},
            media: {hashes: {md5: $md5, sha256: $sha256}, piecewise: $pieces},
            unreadable: {sectors: 0, ranges: [], fill: "zero"} }' >"$T/$1.manifest.json"
}

pieces='[]'
for at in 0 1000000 2000000; do
    tail -c +$((at + 1)) "$media" | head -c 1000000 >"$T/piece" || true
    pieces=$(jq --argjson o $at --argjson l "$(stat -c %s "$T/piece")" \
        --arg m "$(md5_of "$T/piece")" --arg s "$(sha256_of "$T/piece")" \
        '. + [{offset: $o, length: $l, md5: $m, sha256: $s}]' <<<"$pieces")
done

# A raw image in three parts, and an E01 in as many.
split -b 819200 -d -a 3 --numeric-suffixes=1 "$media" "$T/raw."
{
    segment "$T/raw.001" 0 819200
    segment "$T/raw.002" 819200 819200
    segment "$T/raw.003" 1638400 458752
} | manifest raw raw 0
ewfacquire -u -q -t "$T/e01" -c none -S 1048576 "$media" >"$T/acquire.log" 2>&1 </dev/null
expect 0 exhibit-verify --json "$T/e01.E01"
{
    at=0
    for f in "$T"/e01.E0?; do
        # The chunks of a segment follow from its table: the count stands in its header.
        n=$(grep -abo 'table2' "$f" | sed -n '1s/:.*//p')
        n=$(od -An -tu4 -j $((n + 76)) -N 4 "$f" | tr -d ' ')
        segment "$f" "$at" $((n * 32768))
        at=$((at + n * 32768))
    done
} | manifest e01 e01 64

# --- as it should be, by either name
for image in raw.manifest.json raw.001 e01.manifest.json e01.E01; do
    expect 0 exhibit-verify --json "$T/$image"
    assert_json "$T/out" .verdict passed
    assert_json "$T/out" '[.checks[] | select(.status == "failed")] | length' 0
    for check in segments media-hash piecewise; do
        assert_json "$T/out" ".checks[] | select(.name == \"$check\").status" passed
    done
    assert_json "$T/out" .manifest "$T/${image%%.*}.manifest.json"
done

# --- one byte changed, anywhere: exit 3, the segment named, and the media where it is media
seed=${EXHIBIT_SEED:-$RANDOM}
echo "EXHIBIT_SEED=$seed"
RANDOM=$seed
for ((i = 0; i < 60; i++)); do
    for name in raw e01; do
        files=("$T/$name".[E0]0?)
        f=${files[RANDOM % ${#files[@]}]}
        size=$(stat -c %s "$f")
        at=$(((RANDOM * 32768 + RANDOM) % size))
        [ $((i % 3)) -ne 0 ] || [ $name = raw ] || at=$((size - 1 - at % 3000)) # tables, the end
        flip_byte "$f" "$at"
        expect 3 exhibit-verify --json "$T/$name.manifest.json"
        assert_json "$T/out" .verdict failed
        assert_json "$T/out" '.checks[0].status' failed
        assert_json "$T/out" '.checks[0].detail | contains("'"${f##*/}"'")' true
        flip_byte "$f" "$at"
        [ $name = raw ] || continue
        pos=$(((10#${f##*.} - 1) * 819200 + at))
        for check in segments piecewise; do
            assert_json "$T/out" ".checks[] | select(.name == \"$check\").ranges |
                any(.offset <= $pos and .offset + .length > $pos)" true
        done
    done
done
expect 0 exhibit-verify -q "$T/raw.001" "$T/e01.E01"

# A byte in the middle of a chunk's data: the chunk, its segment and its place in both.
at=$((76 * 20 + 300000))
flip_byte "$T/e01.E02" "$at"
expect 3 exhibit-verify --json "$T/e01.manifest.json"
assert_json "$T/out" '.checks[] | select(.name == "chunks").damage[0] |
    (.segment | endswith("e01.E02")) and .file_offset <= '"$at"' and
    .file_offset + 32772 > '"$at" true
range=$(json "$T/out" '.checks[] | select(.name == "chunks").ranges[0] | "\(.offset) \(.length)"')
assert_json "$T/out" '.checks[0].ranges[0] | "\(.offset) \(.length)"' "$range"
flip_byte "$T/e01.E02" "$at"

# --- missing, cut off, longer, exchanged, one too many
for name in raw e01; do
    files=("$T/$name".[E0]0?)
    second=${files[1]}
    cp "$second" "$T/kept"
    # damaged VERDICT TEXT
    damaged() {
        expect 3 exhibit-verify --json "$T/$name.manifest.json"
        assert_json "$T/out" .verdict "$1"
        assert_json "$T/out" .checks[0].status failed
        assert_contains "$T/out" "'${second##*/}'$2"
        cp "$T/kept" "$second"
    }
    rm "$second"
    damaged incomplete ': the segment is missing'
    truncate -s -1000 "$second"
    damaged incomplete ' is cut off'
    echo more >>"$second"
    damaged failed ' has '
    cp "${files[0]}" "$second"
    damaged failed " is not what the manifest says, but has the content of '${files[0]##*/}'"
    extra=${second%?}$((${#files[@]} + 1))
    cp "$second" "$extra"
    expect 3 exhibit-verify --json "$T/$name.manifest.json"
    assert_contains "$T/out" "'${extra##*/}' is not part of the image"
    mv "$second" "$extra"
    expect 3 exhibit-verify --json "$T/$name.manifest.json"
    [ "$name" = raw ] || assert_contains "$T/out" "'${extra##*/}' is not part of the image, but holds"
    mv "$extra" "$second"
done
mkdir "$T/alone"
cp "$T/raw.manifest.json" "$T/alone"
expect 3 exhibit-verify --json "$T/alone/raw.manifest.json"
assert_json "$T/out" .verdict incomplete

# --- what the manifest itself says
# edited FILTER: the raw image with a manifest changed so
edited() {
    jq "$1" "$T/raw.manifest.json" >"$T/alone/raw.manifest.json"
    cp "$T"/raw.0?? "$T/alone"
    run exhibit-verify --json "$T/alone/raw.001"
}
zeros=$(printf '%032d' 0)
edited '.media.hashes.md5 = "'"$zeros"'"'
assert_eq "$status" 3
assert_json "$T/out" '.checks[] | select(.name == "media-hash").status' failed
edited '.image.segments[1].md5 = "'"$zeros"'"'
assert_eq "$status" 3
assert_json "$T/out" '.checks[0].detail' "'raw.002': MD5 differs from the manifest's"
edited '.image.segments[2].sha256 = "'"$zeros$zeros"'"'
assert_eq "$status" 3
assert_json "$T/out" '.checks[0].detail' "'raw.003': SHA-256 differs from the manifest's"
# All algorithms count, and only in full.
edited '.media.hashes.sha1 = "00000000000000000000000000000000000000ff"'
assert_json "$T/out" '.checks[] | select(.name == "media-hash").status' failed
edited '.media.hashes.madeup = "00ff"'
assert_json "$T/out" '.checks[] | select(.name == "media-hash").status' failed
edited '.media.hashes.md5 |= .[0:16]'
assert_eq "$status" 3
assert_json "$T/out" .verdict failed
assert_contains "$T/out" 'the manifest beside the image cannot be used'
edited '.media.piecewise[1].sha256 |= ascii_upcase'
assert_eq "$status" 0 'hexadecimal in capitals'
edited '.media.piecewise[1].md5 = "'"$zeros"'"'
assert_json "$T/out" '.checks[] | select(.name == "piecewise").ranges[0].offset' 1000000
edited '.media.piecewise[1].offset = 5'
assert_eq "$status" 3 'pieces that overlap'
edited '.image.segments[0].file = "../raw.001"'
assert_eq "$status" 3
assert_contains "$T/out" 'not a plain file name'
edited '.image.segments[0].file = "raw.002"'
assert_eq "$status" 3
edited '.media.hashes = {} | .media.piecewise = []'
assert_eq "$status" 0
assert_json "$T/out" .verdict passed

# --- unreadable ranges: in the verdict's line, and the map must agree
edited '.unreadable = {sectors: 3, ranges: [{offset: 512, length: 1024}, {offset: 4096, length: 512}]}'
assert_eq "$status" 0
assert_json "$T/out" .unreadable.sectors 3
expect 0 exhibit-verify "$T/alone/raw.manifest.json"
assert_contains "$T/out" 'verdict: passed, with 3 unreadable sectors'
fault_map "$T/alone/raw.map" 2097152 512 1024 4096 512
expect 0 exhibit-verify --json --require map "$T/alone/raw.manifest.json"
assert_json "$T/out" '.checks[] | select(.name == "map").status' passed
fault_map "$T/alone/raw.map" 2097152 512 1024
expect 3 exhibit-verify --json "$T/alone/raw.manifest.json"
assert_json "$T/out" '.checks[] | select(.name == "map").ranges[0].offset' 4096
fault_map "$T/alone/raw.map" 2097000 512 1024 4096 512
expect 3 exhibit-verify "$T/alone/raw.manifest.json"
echo nonsense >"$T/alone/raw.map"
expect 3 exhibit-verify "$T/alone/raw.manifest.json"
assert_contains "$T/out" 'not a valid mapfile'
