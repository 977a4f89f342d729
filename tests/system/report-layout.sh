#!/bin/bash
# What is wrong with a partition table is named: each damage by its finding, and a sound table
# without any.
. "$(dirname "$0")/../lib/system.sh"
require jq sgdisk sfdisk parted mmls perl

# poke FILE OFFSET HEX
poke() {
    printf '%s' "$3" | perl -ne 'print pack "H*", $_' |
        dd of="$1" bs=64K seek="$2" oflag=seek_bytes conv=notrunc status=none
}

# codes NAME: the kinds of findings, each once.
codes() {
    json "$T/$1.report.json" '[.findings[].code] | unique | join(" ")'
}

# damaged NAME CODES PATTERN: the report has those findings, one of them matching the pattern.
damaged() {
    local name=$1 wanted=$2 pattern=$3
    expect 3 exhibit-report -q --replace "$T/$name.raw"
    assert_eq "$(codes "$name")" "$wanted" "findings of $name"
    json "$T/$name.report.json" '.findings[].text' | grep -q -- "$pattern" ||
        fail "no finding of $name matches '$pattern': $(json "$T/$name.report.json" '.findings[].text')"
    json "$T/$name.report.json" '.findings[0].text' >"$T/text"
    assert_contains "$T/$name.report.html" "$(cut -c1-20 "$T/text" | sed "s/'/\&#39;/g")"
}

# seal_gpt FILE LBA: makes the header's checksums right again.
seal_gpt() {
    perl -e '
        my ($file, $lba) = @ARGV;
        sub crc { my $c = 0xffffffff;
            for (unpack "C*", $_[0]) { $c ^= $_; $c = $c & 1 ? $c >> 1 ^ 0xedb88320 : $c >> 1 for 1 .. 8 }
            return $c ^ 0xffffffff }
        open my $f, "+<:raw", $file or die; seek $f, $lba * 512, 0; read $f, my $h, 92;
        my ($at, $n, $size) = unpack "Q<VV", substr $h, 72, 16;
        seek $f, $at * 512, 0; read $f, my $e, $n * $size;
        substr($h, 88, 4) = pack "V", crc($e); substr($h, 16, 4) = pack "V", 0;
        substr($h, 16, 4) = pack "V", crc($h);
        seek $f, $lba * 512, 0; print $f $h; close $f' "$1" "$2"
}

truncate -s 16M "$T/gpt.raw"
sgdisk -U 01234567-89ab-cdef-0123-456789abcdef -n 1:2048:+2M -c 1:first -n 2:0:+2M -c 2:second -t 2:0700 -A 2:set:63 -A 2:set:2 \
    "$T/gpt.raw" >/dev/null
last=$((16 * 2048 - 1))
copy() {
    cp --sparse=always "$T/gpt.raw" "$T/$1.raw"
}

echo "== a sound GPT: both copies, no finding"
expect 0 exhibit-report -q "$T/gpt.raw"
assert_json "$T/gpt.report.json" '.partition_table.gpt |
    [.primary, .backup | .present, .header_crc_ok, .entries_crc_ok] | all' true
assert_json "$T/gpt.report.json" '.partition_table.gpt.backup.lba' "$last"
guid=$(sgdisk -p "$T/gpt.raw" | awk '/Disk identifier/ { print tolower($NF) }')
assert_json "$T/gpt.report.json" '.partition_table.gpt.primary.disk_guid' "$guid"
assert_json "$T/gpt.report.json" '[.partitions[] | select(.allocated)][1] |
    [.label, .flags, .attributes] | join("; ")' \
    "second; legacy BIOS bootable, no drive letter; 0x8000000000000004"

echo "== checksums"
copy crc-header
poke "$T/crc-header.raw" $((512 + 56)) ff
damaged crc-header "gpt-checksum gpt-copies" "primary GPT header's checksum"
copy crc-entries
poke "$T/crc-entries.raw" $((2 * 512 + 56)) 58
damaged crc-entries "gpt-checksum gpt-copies" "checksum of the primary GPT's entries"
copy crc-backup
poke "$T/crc-backup.raw" $(((last - 32) * 512 + 56)) 58
damaged crc-backup "gpt-checksum gpt-copies" "checksum of the backup GPT's entries"

echo "== copies that are sound and disagree"
copy disagree
poke "$T/disagree.raw" $(((last - 32) * 512 + 40)) ff0f
seal_gpt "$T/disagree.raw" "$last"
damaged disagree gpt-copies "disagree in slot 0: the primary says 'first' in sectors 2048 to 6143, the backup 'first' in sectors 2048 to 4095"
copy disagree-name
poke "$T/disagree-name.raw" $(((last - 32) * 512 + 56)) 4c
seal_gpt "$T/disagree-name.raw" "$last"
damaged disagree-name gpt-copies "the backup 'Lirst'"

echo "== no backup; a backup before the end; a disk that was cut"
copy no-backup
poke "$T/no-backup.raw" $((last * 512)) 0000000000000000
damaged no-backup gpt-backup "has no backup"
copy grown
truncate -s 20M "$T/grown.raw"
damaged grown "gpt-place protective-mbr" "8192 sectors before the end"
copy cut
truncate -s 4M "$T/cut.raw"
damaged cut "gpt-backup past-end protective-mbr" "has no backup"
assert_json "$T/cut.report.json" \
    '[.findings[] | select(.code == "past-end")][0] | .subject + ": " + .text' \
    "partition 5 (slot 001): it ends 1048576 bytes past the end of the media"

echo "== entries outside the usable range, twice the same GUID, overlaps"
copy outside
poke "$T/outside.raw" $((2 * 512 + 32)) 0a00000000000000
poke "$T/outside.raw" $((2 * 512 + 128 + 16)) "$(dd if="$T/gpt.raw" bs=1 skip=$((2 * 512 + 16)) count=16 status=none | od -An -tx1 | tr -d ' \n')"
poke "$T/outside.raw" $((2 * 512 + 128 + 32)) 0010000000000000
seal_gpt "$T/outside.raw" 1
damaged outside "gpt-copies gpt-entry overlap" "leaves the range that the header gives"
json "$T/outside.report.json" '.findings[].text' | grep -q 'have the same GUID' || fail "same GUID"
json "$T/outside.report.json" '.findings[] | select(.code == "overlap") | .text' |
    grep -q 'it overlaps partition . (slot 000) by 1048576 bytes' || fail "overlap"

echo "== the MBR before a GPT"
copy hybrid
sgdisk -h 1 "$T/hybrid.raw" >/dev/null
run exhibit-report -q --replace "$T/hybrid.raw"
codes hybrid | grep -q hybrid-mbr || fail "hybrid MBR: $(codes hybrid)"
copy unprotected
poke "$T/unprotected.raw" 446 00000000000000000000000000000000
run mmls "$T/unprotected.raw"
run exhibit-report -q --replace "$T/unprotected.raw"
[ "$(json "$T/unprotected.report.json" .partition_table.type)" != gpt ] ||
    codes unprotected | grep -q protective-mbr || fail "no protective MBR: $(codes unprotected)"
copy short-mbr
poke "$T/short-mbr.raw" $((446 + 12)) 00100000
damaged short-mbr protective-mbr "covers 4096 sectors"

echo "== a GPT for sectors of another size beside the table"
truncate -s 16M "$T/two.raw"
printf '%s\n' g n 1 '' +2M w | fdisk -b 4096 "$T/two.raw" >/dev/null
dd if="$T/two.raw" of="$T/header" bs=4096 skip=1 count=1 status=none
copy two
dd if="$T/header" of="$T/two.raw" bs=4096 seek=1 conv=notrunc status=none
run exhibit-report -q --replace "$T/two.raw"
codes two | grep -q sector-size || fail "two sector sizes: $(codes two)"

echo "== the backup names what a lost primary would"
copy lost
dd if=/dev/zero of="$T/lost.raw" bs=512 seek=1 count=33 conv=notrunc status=none
damaged lost gpt-damaged "names 2 partitions: 'first' in sectors 2048 to 6143"

echo "== DOS tables"
dos() { # NAME: a table from stdin
    truncate -s 32M "$T/$1.raw"
    sfdisk -q --no-reread --force "$T/$1.raw" >/dev/null 2>&1
}
printf 'label: dos\n2048,4096,83,*\n8192,16384,5\n10240,2048,7\n14336,2048,b\n' | dos dos
expect 0 exhibit-report -q "$T/dos.raw"
assert_json "$T/dos.report.json" '[.partitions[] | select(.allocated) | [.type_code, .flags] |
    map(tostring) | join(" ")] | join(", ")' "0x83 active, 0x07 null, 0x0b null"
cp "$T/dos.raw" "$T/dos-flag.raw"
poke "$T/dos-flag.raw" 446 7f
damaged dos-flag dos-entry "boot flag 0x7f"
# The first logical partition's table links back to itself.
cp "$T/dos.raw" "$T/dos-loop.raw"
ebr=$((8192 * 512))
poke "$T/dos-loop.raw" $((ebr + 446 + 16 + 8)) 00000000
run exhibit-report -q --replace "$T/dos-loop.raw"
cp "$T/dos.raw" "$T/dos-back.raw"
second=$(od -An -tu4 -j $((ebr + 446 + 16 + 8)) -N 4 "$T/dos.raw" | tr -d ' ')
poke "$T/dos-back.raw" $(((8192 + second) * 512 + 446 + 16)) 000000000500000001000000
poke "$T/dos-back.raw" $(((8192 + second) * 512 + 446 + 16 + 8)) 0100000001000000
run exhibit-report -q --replace "$T/dos-back.raw"
codes dos-back | grep -q dos-chain || fail "a chain that goes back: $(codes dos-back)"
cp "$T/dos.raw" "$T/dos-cut.raw"
poke "$T/dos-cut.raw" $(((8192 + second) * 512 + 510)) 0000
run exhibit-report -q --replace "$T/dos-cut.raw"
codes dos-cut | grep -q dos-chain || fail "a chain that ends in nothing: $(codes dos-cut)"
cp "$T/dos.raw" "$T/dos-overlap.raw"
poke "$T/dos-overlap.raw" $((446 + 12)) 00190000
damaged dos-overlap overlap "the partition in slot 0 overlaps the extended partition in slot 1"
poke "$T/dos-overlap.raw" $((446 + 12)) 00210000
damaged dos-overlap overlap "it overlaps partition 2 (slot 000:000) by 131072 bytes"
cp "$T/dos.raw" "$T/dos-past.raw"
truncate -s 9M "$T/dos-past.raw"
damaged dos-past past-end "past the end of the media"

echo "== a DOS table that counts in sectors of 4096 bytes"
truncate -s 64M "$T/d4k.raw"
truncate -s 8M "$T/fs"
mkfs.ext2 -q -F "$T/fs"
poke "$T/d4k.raw" 446 00000000830000000001000000080000
poke "$T/d4k.raw" 510 55aa
dd if="$T/fs" of="$T/d4k.raw" bs=4096 seek=256 conv=notrunc status=none
expect 0 exhibit-report -q "$T/d4k.raw"
assert_json "$T/d4k.report.json" '[.partition_table.sector_size, .volumes[0].file_system.type] |
    map(tostring) | join(" ")' "4096 ext2"
SECTOR=512 "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/d4k.raw"
expect 3 exhibit-report -q --replace "$T/d4k.manifest.json"
assert_eq "$(codes d4k)" sector-size

echo "== labels of Sun and Apple"
for label in sun mac; do
    truncate -s 16M "$T/$label.raw"
    if [ "$label" = mac ]; then
        parted -s "$T/mac.raw" mklabel mac mkpart name 4MiB 8MiB name 2 HDone >/dev/null
    else
        parted -s "$T/sun.raw" mklabel sun mkpart ext2 4MiB 8MiB >/dev/null
    fi
    expect 0 exhibit-report -q "$T/$label.raw"
done
assert_json "$T/mac.report.json" '[.partitions[] | select(.label == "HDone") | .type_code] | first' \
    Apple_UNIX_SVR2
cp "$T/sun.raw" "$T/sun-sum.raw"
poke "$T/sun-sum.raw" 5 41
damaged sun-sum label-checksum "Sun label's checksum"
cp "$T/mac.raw" "$T/mac-count.raw"
poke "$T/mac-count.raw" $((3 * 512 + 4)) 00000063
run exhibit-report -q --replace "$T/mac-count.raw"
codes mac-count | grep -q apm-entry || fail "counts that differ: $(codes mac-count)"
