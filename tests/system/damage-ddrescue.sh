#!/bin/bash
# Beside GNU ddrescue, on the same damage with as many retries: not one sector fewer is recovered, and
# no more reads fail, as the device's server counts them.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq ddrescue
how_many maps 2 50 "random damage maps beside ddrescue"
seed=${EXHIBIT_SEED:-$$}
echo "EXHIBIT_SEED=$seed"

# exhibit_reads MODE: sets `count` to the failing reads; the sectors are compared.
exhibit_reads() {
    local mode=()
    [ "$1" = stream ] || mode=("--$1")
    reads_forget
    expect 3 exhibit acquire "$DEV" "$T/x" --format raw --retries "$retries" --quiet --no-verify \
        "${mode[@]}"
    count=$(reads_failed)
    assert_json "$T/x.manifest.json" '[.unreadable.ranges[] | .offset, .length] | join(" ")' \
        "${BAD[*]}"
    assert_same_bytes "$T/x.raw" "$T/peer.raw"
    rm "$T"/x.*
}

for ((i = 0; i < maps; i++)); do
    sector=$((i % 2 ? 4096 : 512))
    retries=$((i % 3))
    size=$((4194304 + (seed + i) % 977 * 4096))
    random_file "$T/src" "$size" "$((seed + i))"
    random_damage "$((seed + i))" "$size" $sector
    fault_map "$T/truth" "$size" "${BAD[@]}"
    counted_fault_device "$T/src" "$T/truth" --sector-size $sector
    ddrescue --quiet --idirect --sector-size=$sector --retry-passes=$retries "$DEV" "$T/peer.raw" \
        "$T/peer.map" || fail "ddrescue ended with $?"
    peer=$(reads_failed)
    # What it could not read it leaves as a hole.
    truncate -s "$size" "$T/peer.raw"
    counts=
    for mode in stream rescue; do
        exhibit_reads $mode
        [ "$count" -le "$peer" ] || fail "map $((seed + i)), $mode: $count failing reads, ddrescue $peer"
        counts+=" $mode $count"
    done
    echo "map $((seed + i)): $sector bytes a sector, $((${#BAD[@]} / 2)) ranges, $retries retries;" \
        "failing reads:$counts, ddrescue $peer"
    undo 2
    rm "$T"/peer.*
done
