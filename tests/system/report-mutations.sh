#!/bin/bash
# File systems with random damage: each gets its report, within the deadline, and the report itself
# never crashes. The damaged volume stands between two sound ones: their figures stay as they were,
# and every finding names the damaged one. $EXHIBIT_MUTATIONS images, if that is set; $EXHIBIT_SEED
# makes the same images again.
. "$(dirname "$0")/../lib/system.sh"
require jq perl sfdisk mkfs.fat mcopy mdel mkfs.ext2 debugfs mkntfs ntfscp fls istat

how_many count 40 1000 "damaged file systems"
count=${EXHIBIT_MUTATIONS:-$count}
seed=${EXHIBIT_SEED:-$(date +%s)}
deadline=5
echo "$count images, EXHIBIT_SEED=$seed"

declare -A maker=([exfat]=mkfs.exfat [iso9660]=xorriso [hfsp]=xorriso [ufs1]=makefs)
kinds=()
for kind in fat12 fat16 exfat ext2 ext3 ext4 ntfs iso9660 hfsp ufs1; do
    command -v "${maker[$kind]:-sh}" >/dev/null || continue
    "$EXHIBIT_SOURCE/tests/lib/mk-slack-volume" "$kind" "$T/$kind.raw" >/dev/null
    kinds+=("$kind")
done
echo "of ${kinds[*]}"

# A disk of three partitions: FAT12, the damaged one, ext2.
truncate -s 40M "$T/frame.raw"
sfdisk -q "$T/frame.raw" <<'END'
label: dos
2048,4096,1
8192,49152,83
57344,16384,83
END
dd if="$T/fat12.raw" of="$T/frame.raw" bs=1M seek=1 conv=notrunc status=none
dd if="$T/ext2.raw" of="$T/frame.raw" bs=1M seek=28 conv=notrunc status=none

# damage FILE OFFSET SIZE SEED: 1 to 30 places of the stretch get other bytes, words or runs; most of
# them lie in the first 64 KiB, where the structures are.
cat >"$T/damage" <<'END'
my ($file, $offset, $size, $seed) = @ARGV;
srand $seed;
open my $f, "+<:raw", $file or die "$file: $!\n";
my @words = (0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff);
for (0 .. int rand 30) {
    my $at = rand() < .75 ? int rand 65536 : int rand $size;
    my $how = int rand 4;
    my $bytes = $how < 2 ? chr int rand 256
        : $how == 2 ? pack "V", $words[rand @words]
        : chr(int rand 256) x (1 + int rand 200);
    next if $at + length $bytes > $size;
    seek $f, $offset + $at, 0;
    print $f $bytes;
}
close $f or die "$!\n";
END

keep() {
    cp "$T/damaged.raw" "${TMPDIR:-/tmp}/exhibit-mutation.raw"
    fail "$1, kept as ${TMPDIR:-/tmp}/exhibit-mutation.raw"
}

expect 0 exhibit-report -q --format json "$T/frame.raw"
neighbours='[.volumes[0, 2] | {name, complete, file_system: .file_system.type, slack}]'
json "$T/frame.report.json" "$neighbours" >"$T/neighbours"

declare -A seen=()
longest=0
for ((round = 1; round <= count; round++)); do
    kind=${kinds[round % ${#kinds[@]}]}
    size=$(stat -c %s "$T/$kind.raw")
    whole=$((round % 3))
    if ((whole == 0)); then
        cp --sparse=always "$T/$kind.raw" "$T/damaged.raw"
        perl "$T/damage" "$T/damaged.raw" 0 "$size" $((seed + round))
    else
        cp --sparse=always "$T/frame.raw" "$T/damaged.raw"
        dd if="$T/$kind.raw" of="$T/damaged.raw" bs=1M seek=4 conv=notrunc,sparse status=none
        perl "$T/damage" "$T/damaged.raw" $((4 << 20)) "$size" $((seed + round))
    fi
    start=$(date +%s%N)
    run exhibit-report -q --replace --deadline $deadline "$T/damaged.raw"
    took=$((($(date +%s%N) - start) / 1000000))
    ((took <= longest)) || longest=$took
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || keep "exit code $status on round $round ($kind)"
    [ $took -lt $(((deadline + 25) * 1000)) ] || keep "round $round ($kind) took $took ms"
    jq -e '.schema == "exhibit.report/1"' "$T/damaged.report.json" >/dev/null || keep "not JSON"
    if ((whole != 0)); then
        json "$T/damaged.report.json" "$neighbours" | cmp -s - "$T/neighbours" ||
            keep "round $round ($kind): the figures of the sound volumes changed"
        jq -e '[.findings[].subject | . == "partition 4 (slot 000:001)"] | all' \
            "$T/damaged.report.json" >/dev/null ||
            keep "round $round ($kind): a finding names another partition"
    fi
    for code in $(json "$T/damaged.report.json" '.findings[].code'); do
        seen[$code]=$((${seen[$code]:-0} + 1))
    done
done
for code in "${!seen[@]}"; do
    echo "$code: ${seen[$code]}"
done
echo "the longest took $longest ms"
