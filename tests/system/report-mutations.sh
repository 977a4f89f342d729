#!/bin/bash
# File systems with random damage: each gets its report, within the deadline, and the report itself
# never crashes. $EXHIBIT_MUTATIONS images (40; a long check takes 1000), $EXHIBIT_SEED.
. "$(dirname "$0")/../lib/system.sh"
require jq mkfs.fat mcopy mdel mkfs.ext2 debugfs mkntfs ntfscp fls istat

count=${EXHIBIT_MUTATIONS:-40}
seed=${EXHIBIT_SEED:-$(date +%s)}
echo "EXHIBIT_SEED=$seed"
RANDOM=$((seed % 32768))

for kind in fat12 ext2 ext4 ntfs; do
    "$EXHIBIT_SOURCE/tests/lib/mk-slack-volume" "$kind" "$T/$kind.raw" >/dev/null
done

# Damage where the structures lie: the first 64 KiB get most of it.
damage() { # FILE
    local i at size n
    size=$(stat -c %s "$1")
    n=$((RANDOM % 30 + 1))
    for ((i = 0; i < n; i++)); do
        if ((RANDOM % 4)); then
            at=$(((RANDOM * 2 + RANDOM % 2) % 65536))
        else
            at=$(((RANDOM * 32768 + RANDOM) % size))
        fi
        # shellcheck disable=SC2059 # the format is the byte
        printf "\\x$(printf %02x $((RANDOM % 256)))" |
            dd of="$1" bs=1 seek="$at" conv=notrunc status=none
    done
}

declare -A seen=()
for ((round = 1; round <= count; round++)); do
    kinds=(fat12 ext2 ext4 ntfs)
    kind=${kinds[round % 4]}
    cp --sparse=always "$T/$kind.raw" "$T/damaged.raw"
    damage "$T/damaged.raw"
    start=$SECONDS
    run exhibit-report -q --replace --deadline 10 "$T/damaged.raw"
    if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then
        cp "$T/damaged.raw" "${TMPDIR:-/tmp}/exhibit-mutation-$kind.raw"
        fail "exit code $status on round $round ($kind), kept as exhibit-mutation-$kind.raw"
    fi
    [ $((SECONDS - start)) -lt 20 ] || fail "round $round took $((SECONDS - start)) seconds"
    jq -e '.schema == "exhibit.report/1"' "$T/damaged.report.json" >/dev/null || fail "not JSON"
    for code in $(json "$T/damaged.report.json" '.findings[].code'); do
        seen[$code]=$((${seen[$code]:-0} + 1))
    done
done
for code in "${!seen[@]}"; do
    echo "$code: ${seen[$code]}"
done
