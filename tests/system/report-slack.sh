#!/bin/bash
# The slack figures are those of volumes whose slack was put there, and agree with blkls and fsstat.
. "$(dirname "$0")/../lib/system.sh"
require jq blkls fsstat istat fls mkfs.fat mcopy mdel mkfs.ext2 debugfs mkntfs ntfscp

# expected NAME: what mk-slack-volume said.
expected() {
    sed -n "s/^$1=//p" "$T/expected"
}

slack() { # KIND FILTER
    json "$T/$1.report.json" ".volumes[0].slack$2"
}

# The tool that makes a kind, where not every machine has it.
declare -A maker=([exfat]=mkfs.exfat [iso9660]=xorriso [hfsp]=xorriso [ufs1]=makefs)
made=()

for kind in fat12 fat16 fat32 exfat ext2 ext3 ext4 ntfs iso9660 hfsp ufs1; do
    if [ -n "${maker[$kind]:-}" ] && ! command -v "${maker[$kind]}" >/dev/null; then
        echo "== $kind: left out, no ${maker[$kind]} on this machine"
        continue
    fi
    echo "== $kind"
    made+=("$kind")
    "$EXHIBIT_SOURCE/tests/lib/mk-slack-volume" "$kind" "$T/$kind.raw" >"$T/expected"
    expect 0 exhibit-report -q "$T/$kind.raw"
    assert_json "$T/$kind.report.json" '.findings | length' 0

    # All non-zero bytes are ours, whatever files the formatter made.
    assert_eq "$(slack $kind .allocated.sector.nonzero)" "$(expected sector_nonzero)" "sector slack"
    assert_eq "$(slack $kind .allocated.drive.nonzero)" "$(expected drive_nonzero)" "drive slack"
    assert_eq "$(slack $kind .allocated.file.nonzero)" "$(blkls -s "$T/$kind.raw" | tr -d '\0' | wc -c)" \
        "non-zero bytes of blkls -s"
    assert_eq "$(slack $kind .deleted.file.nonzero)" "$(expected gone_nonzero)" "deleted files' slack"
    if [ "$kind" = ntfs ]; then
        assert_eq "$(slack ntfs .allocated.mft_entry.nonzero)" "$(expected mft_nonzero)" "MFT slack"
        # The bytes include NTFS's own files: the sum over all non-resident attributes of istat.
        read -r sector drive < <(
            for inode in $(ils -a -m "$T/ntfs.raw" | awk -F'|' 'NR > 1 { print $3 }' |
                sed 's/-.*//' | sort -nu); do
                istat "$T/ntfs.raw" "$inode" 2>/dev/null || true
            done | awk '/Non-Resident/ && !/Sparse/ {
                match($0, /  size: [0-9]+/)
                size = substr($0, RSTART + 8, RLENGTH - 8) + 0
                if (size % 4096 == 0) next
                s = (512 - size % 512) % 512
                sector += s
                drive += 4096 - size % 4096 - s
            } END { print sector, drive }'
        )
    else
        sector=$(($(expected sector) + $(expected system_sector)))
        drive=$(($(expected drive) + $(expected system_drive)))
        assert_eq "$(slack $kind .deleted.sector.bytes)" "$(expected gone_sector)"
        assert_eq "$(slack $kind .deleted.drive.bytes)" "$(expected gone_drive)"
    fi
    assert_eq "$(slack $kind .allocated.sector.bytes)" "$sector" "sector slack, bytes"
    assert_eq "$(slack $kind .allocated.drive.bytes)" "$drive" "drive slack, bytes"
    assert_eq "$(slack $kind .allocated.file.bytes)" $((sector + drive)) "file slack, bytes"
    assert_json "$T/$kind.report.json" '.volumes[0].file_system.type' "$kind"
    assert_json "$T/$kind.report.json" '.volumes[0].slack.volume.bytes' \
        "$(slack $kind .volume.examined)"
    # The files with the most: f1 has a byte in a cluster.
    if [ "$kind" = ntfs ]; then first=f4097; else first=f1; fi
    assert_json "$T/$kind.report.json" \
        "[.volumes[0].slack.top[].path | ascii_downcase | ltrimstr(\"/\") | rtrimstr(\".bin\")] |
            index(\"$first\") != null" true
    assert_json "$T/$kind.report.json" \
        '[.volumes[0].slack.top[].nonzero] | . == (sort | reverse)' true
done

echo "== free space is what blkls finds, also what was put there"
for kind in "${made[@]}"; do
    block=$(json "$T/$kind.report.json" '.volumes[0].file_system.block_size')
    free=$(blkls -l "$T/$kind.raw" | awk -F'|' '$2 == "f" { last = this; this = $1 } END { print last }')
    if [ -n "$free" ]; then
        head -c 300 /dev/zero | tr '\0' u |
            dd of="$T/$kind.raw" bs=64K seek=$((free * block)) oflag=seek_bytes conv=notrunc status=none
    fi
    expect 0 exhibit-report -q --replace "$T/$kind.raw"
    blkls "$T/$kind.raw" >"$T/free"
    assert_eq "$(slack $kind '.not_slack.unallocated_blocks | [.bytes, .examined, .nonzero] | join(" ")')" \
        "$(stat -c '%s %s' "$T/free") $(tr -d '\0' <"$T/free" | wc -c)" "free space of $kind"
done

echo "== --examine: nothing, and pieces that lie evenly spread"
expect 0 exhibit-report -q --replace --examine 0 "$T/fat32.raw"
assert_eq "$(slack fat32 .not_slack.unallocated_blocks.examined)" 0
assert_eq "$(slack fat32 .allocated.file.nonzero)" "$(blkls -s "$T/fat32.raw" | tr -d '\0' | wc -c)"
before=$(slack fat32 .not_slack.unallocated_blocks.bytes)
expect 0 exhibit-report -q --replace --examine 10M "$T/fat32.raw"
assert_eq "$(slack fat32 .not_slack.unallocated_blocks.bytes)" "$before"
examined=$(slack fat32 .not_slack.unallocated_blocks.examined)
((examined > 10000000 && examined <= 10485760 + 65536)) || fail "$examined bytes were examined"

echo "== block counts as fsstat has them"
for kind in fat12 fat16 fat32; do
    last=$(fsstat "$T/$kind.raw" | awk '/^Total Range:/ && !n++ { print $5 }')
    assert_json "$T/$kind.report.json" '.volumes[0].file_system.last_block' "$last"
    assert_json "$T/$kind.report.json" '.volumes[0].file_system.id' 1234-ABCD
    assert_json "$T/$kind.report.json" '.volumes[0].file_system.label' SLACK
done
for kind in ext2 ext3 ext4; do
    last=$(fsstat "$T/$kind.raw" | awk '/^Block Range:/ && !n++ { print $5 }')
    assert_json "$T/$kind.report.json" '.volumes[0].file_system.last_block' "$last"
    free=$(fsstat "$T/$kind.raw" | awk '/^Free Blocks:/ && !n++ { print $3 }')
    assert_json "$T/$kind.report.json" '.volumes[0].slack.not_slack.unallocated_blocks.blocks' "$free"
    assert_json "$T/$kind.report.json" '.volumes[0].file_system.id' \
        01234567-89ab-cdef-0123-456789abcdef
    assert_json "$T/$kind.report.json" '.volumes[0].file_system.label' slack
done
last=$(fsstat "$T/ntfs.raw" | awk '/^Total Cluster Range:/ && !n++ { print $6 }')
assert_json "$T/ntfs.report.json" '.volumes[0].file_system.last_block' "$last"
serial=$(fsstat "$T/ntfs.raw" | awk '/^Volume Serial Number:/ && !n++ { print $4 }')
assert_json "$T/ntfs.report.json" '.volumes[0].file_system.id' "$serial"
assert_json "$T/ntfs.report.json" '.volumes[0].file_system.label' Schlüssel

echo "== a deleted file whose cluster was given to another is not counted"
# A new file takes the inode of the first deleted one, and the blocks of both.
head -c 8000 /dev/zero | tr '\0' y >"$T/again"
cp "$T/ext2.raw" "$T/reused.raw"
debugfs -w -R "write $T/again again" "$T/reused.raw" >/dev/null 2>&1
expect 0 exhibit-report -q "$T/reused.raw"
assert_json "$T/reused.report.json" '.volumes[0].slack.deleted | [.reused, .file.bytes] | join(" ")' "1 0"
# On FAT, one file takes all that is free, and libtsk finds no place for the other entry.
free=$(mdir -i "$T/fat12.raw" :: | awk '/bytes free/ { gsub(/[^0-9]/, ""); print }')
head -c "$free" /dev/zero | tr '\0' y >"$T/all"
mcopy -i "$T/fat12.raw" "$T/all" ::ALL.BIN
expect 0 exhibit-report -q --replace "$T/fat12.raw"
assert_json "$T/fat12.report.json" '.volumes[0].slack.deleted.file.bytes' 0
assert_eq "$(slack fat12 .allocated.file.nonzero)" "$(blkls -s "$T/fat12.raw" | tr -d '\0' | wc -c)"

echo "== two files that claim the same block: its slack counts once"
cp "$T/ext2.raw" "$T/shared.raw"
block=$(debugfs -R "blocks /f513" "$T/shared.raw" 2>/dev/null | awk '{ print $1 }')
debugfs -w -R "set_inode_field /f511 block[0] $block" "$T/shared.raw" >/dev/null 2>&1
expect 0 exhibit-report -q "$T/shared.raw"
assert_json "$T/shared.report.json" '.volumes[0].slack.allocated.shared' 1
before=$(slack ext2 .allocated.file.bytes)
[ "$(slack shared .allocated.file.bytes)" -lt "$before" ] || fail "the shared block was counted twice"

echo "== volume slack: from the end of the file system to the end of the volume"
cp "$T/ext4.raw" "$T/longer.raw"
head -c 10000 /dev/zero | tr '\0' z >>"$T/longer.raw"
truncate -s +5000 "$T/longer.raw"
expect 0 exhibit-report -q "$T/longer.raw"
assert_json "$T/longer.report.json" '.volumes[0].slack.volume | [.bytes, .examined, .nonzero] | join(" ")' \
    "15000 15000 10000"

echo "== a file system that ends past its volume is a finding"
head -c 8000000 "$T/ext4.raw" >"$T/shorter.raw"
expect 3 exhibit-report -q "$T/shorter.raw"
assert_json "$T/shorter.report.json" '[.findings[].code] | index("file-system-size") != null' true
