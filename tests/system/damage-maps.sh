#!/bin/bash
# Random damage on real block devices of 512 and 4096 bytes a sector, in every mode and format: what is
# told as unreadable, in the manifest, the mapfile and the E01, is exactly what the device cannot read,
# and every byte that it can is right.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq ddrescuelog ewfinfo ewfverify ewfexport
how_many maps 3 50 "random damage maps, in each mode and format"
seed=${EXHIBIT_SEED:-$$}
echo "EXHIBIT_SEED=$seed"

# disk MAP_SEED SECTOR: a disk with random damage; sets DEV, BAD and what is expected of it.
disk() {
    local size=$((4194304 + $1 % 977 * 4096))
    random_file "$T/src" "$size" "$1"
    random_damage "$1" "$size" "$2"
    fault_map "$T/truth" "$size" "${BAD[@]}"
    cp "$T/src" "$T/want"
    blank_damage "$T/want" "${BAD[@]}"
    md5=$(md5_of "$T/want")
    ddrescuelog -l - -b 512 "$T/truth" >"$T/bad-blocks"
    fault_device "$T/src" "$T/truth" --sector-size "$2"
    sector=$2
}

# in_e01 FILE: offset and length of the ranges that ewfinfo shows, as BAD has them.
in_e01() {
    ewfinfo "$1" | awk -v s="$sector" '/at sector\(s\):/ { printf "%d %d ", $3 * s, $7 * s }'
}

# acquired MODE FORMAT: one acquisition, compared with the truth.
acquired() {
    local mode=() m=$T/x.manifest.json
    [ "$1" = stream ] || mode=("--$1")
    expect 3 exhibit acquire "$DEV" "$T/x" --format "$2" --retries 0 --quiet "${mode[@]}"
    assert_json "$m" .acquisition.mode "$1"
    assert_json "$m" '[.unreadable.ranges[] | .offset, .length] | join(" ")' "${BAD[*]}"
    assert_json "$m" '.unreadable.sectors * '"$sector" "$(($(wc -l <"$T/bad-blocks") * 512))"
    assert_json "$m" .media.hashes.md5 "$md5"
    ddrescuelog -l - -b 512 "$T/x.map" | diff - "$T/bad-blocks" >"$T/err" || fail "the mapfile"
    if [ "$2" = e01 ]; then
        assert_eq "$(in_e01 "$T/x.E01")" "${BAD[*]} " "what ewfinfo shows"
        expect 0 ewfverify -q "$T/x.E01"
        ewfexport -q -u -t "$T/x" "$T/x.E01" >/dev/null 2>&1
    fi
    assert_same_bytes "$T/x.raw" "$T/want"
    rm -r "$T"/x.*
}

for ((i = 0; i < maps; i++)); do
    disk $((seed + i)) $((i % 2 ? 4096 : 512))
    for mode in stream rescue; do
        for format in e01 raw; do
            acquired $mode $format
        done
    done
    echo "map $((seed + i)): $sector bytes a sector, $((${#BAD[@]} / 2)) ranges," \
        "$(($(wc -l <"$T/bad-blocks") * 512 / sector)) sectors"
    undo 2
done
