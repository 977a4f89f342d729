#!/bin/bash
# The rows of the partition table are those of mmls, whatever the table's kind.
. "$(dirname "$0")/../lib/system.sh"
require jq mmls fdisk sfdisk sgdisk parted perl

# rows_equal NAME [mmls options]: index, slot, start, length and description of each row.
rows_equal() {
    local name=$1
    shift
    mmls "$@" "$T/$name.raw" | sed -n 's/^\([0-9]*\):  *\([^ ]*\)  *\([0-9]*\)  *[0-9]*  *\([0-9]*\)  *\(.*\)$/\1|\2|\3|\4|\5/p' |
        awk -F'|' -v OFS='|' '{ print $1 + 0, $2, $3 + 0, $4 + 0, $5 }' >"$T/mmls"
    jq -r '.partitions[] | [.index, .slot, .start, .length, .description] | map(tostring) | join("|")' \
        "$T/$name.report.json" >"$T/ours"
    [ -s "$T/mmls" ] || fail "mmls found nothing on $name"
    diff -u "$T/mmls" "$T/ours" || fail "the rows of $name differ from mmls"
    mmls -a "$@" "$T/$name.raw" | sed -n 's/^\([0-9]\{3,\}\):.*/\1/p' | awk '{ print $1 + 0 }' >"$T/mmls"
    jq '.partitions[] | select(.allocated) | .index' "$T/$name.report.json" >"$T/ours"
    diff -u "$T/mmls" "$T/ours" || fail "the allocated rows of $name differ from mmls -a"
    assert_json "$T/$name.report.json" '.volumes | length' "$(wc -l <"$T/mmls")"
}

table() { # NAME SIZE
    truncate -s "$2" "$T/$1.raw"
}

echo "== DOS with extended and logical partitions"
table dos 64M
sfdisk -q "$T/dos.raw" <<'END'
label: dos
2048,20480,83
24576,10240,c,*
36864,80000,5
38912,8192,82
49152,16384,7
END
expect 0 exhibit-report -q "$T/dos.raw"
rows_equal dos

echo "== GPT with names that are not ASCII, and 40 partitions"
table gpt 64M
args=()
for i in $(seq 1 40); do
    args+=(-n "$i:0:+1M" -c "$i:Größe שלום $i")
done
sgdisk "${args[@]}" -t 1:ef00 "$T/gpt.raw" >/dev/null
expect 0 exhibit-report -q "$T/gpt.raw"
rows_equal gpt
assert_json "$T/gpt.report.json" '[.partitions[] | select(.allocated)][0].type' "EFI System"
guid=$(sgdisk -i 3 "$T/gpt.raw" | awk '/unique GUID/ { print tolower($4) }')
assert_json "$T/gpt.report.json" '[.partitions[] | select(.allocated)][2].guid' "$guid"

echo "== GPT whose primary is gone: what mmls shows, and a finding"
cp "$T/gpt.raw" "$T/backup.raw"
dd if=/dev/zero of="$T/backup.raw" bs=512 seek=1 count=33 conv=notrunc status=none
expect 3 exhibit-report -q "$T/backup.raw"
rows_equal backup
assert_json "$T/backup.report.json" '.findings[0].code' gpt-damaged

echo "== GPT on a disk with sectors of 4096 bytes"
table g4k 64M
printf '%s\n' g n 1 '' +20M n 2 '' +8M x n 2 second r w | fdisk -b 4096 "$T/g4k.raw" >/dev/null
expect 0 exhibit-report -q "$T/g4k.raw"
rows_equal g4k -b 4096
assert_json "$T/g4k.report.json" .partition_table.sector_size 4096
assert_json "$T/g4k.report.json" '[.volumes[].length] | join(" ")' "20971520 8388608"
assert_json "$T/g4k.report.json" '[.partitions[] | select(.allocated)][1].name' second
SECTOR=512 "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/g4k.raw"
expect 3 exhibit-report -q --replace "$T/g4k.manifest.json"
assert_json "$T/g4k.report.json" '[.findings[].code] | join(" ")' sector-size
SECTOR=4096 "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/g4k.raw"
expect 0 exhibit-report -q --replace "$T/g4k.manifest.json"
rows_equal g4k -b 4096

echo "== DOS on a disk with sectors of 4096 bytes"
table d4k 64M
printf '%s\n' o n p 1 '' +20M n e 2 '' '' n '' +8M w | fdisk -b 4096 "$T/d4k.raw" >/dev/null
SECTOR=4096 "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/d4k.raw"
expect 0 exhibit-report -q "$T/d4k.manifest.json"
rows_equal d4k -b 4096

echo "== BSD, as on a disk without a DOS table"
table bsd 64M
perl -e '
    # 4.4BSD disklabel in sector 1: geometry, then a (4.2BSD), b (swap), c (unused: the whole disk).
    my @parts = ([40960, 2048, 7], [20480, 43008, 1], [131072, 0, 0]);
    my $label = pack "VvvA16A16V6", 0x82564557, 4, 0, "", "", 512, 32, 64, 64, 2048, 131072;
    $label .= pack "vvVvvvvVVVx20x20V", 0, 0, 0, 3600, 1, 0, 0, 0, 0, 0, 0x82564557;
    $label .= pack "vvVV", 0, scalar @parts, 8192, 8192;
    $label .= pack "VVVCCv", @$_[0, 1], 1024, $$_[2], 8, 16 for @parts;
    my $sum = 0;
    $sum ^= $_ for unpack "v*", $label;
    substr($label, 136, 2) = pack "v", $sum;
    open my $f, "+<:raw", $ARGV[0] or die; seek $f, 512, 0; print $f $label; close $f' "$T/bsd.raw"
expect 0 exhibit-report -q "$T/bsd.raw"
rows_equal bsd
assert_json "$T/bsd.report.json" '[.partitions[] | select(.allocated) | .type_code] | join(" ")' \
    "0x00 0x07 0x01"
printf 'x' | dd of="$T/bsd.raw" bs=1 seek=600 conv=notrunc status=none
expect 3 exhibit-report -q --replace "$T/bsd.raw"
assert_json "$T/bsd.report.json" '.findings[0].code' label-checksum

for label in sun mac; do
    echo "== $label"
    table $label 64M
    if [ "$label" = mac ]; then
        parted -s "$T/mac.raw" mklabel mac mkpart name 4MiB 20MiB mkpart name 30MiB 40MiB >/dev/null
    else
        parted -s "$T/sun.raw" mklabel sun mkpart 4MiB 20MiB mkpart 30MiB 40MiB >/dev/null 2>&1 ||
            parted -s "$T/sun.raw" mklabel sun mkpart ext2 4MiB 20MiB >/dev/null
    fi
    expect 0 exhibit-report -q "$T/$label.raw"
    rows_equal $label
done

echo "== no table"
random_file "$T/none.raw" 1000000
expect 0 exhibit-report -q "$T/none.raw"
assert_json "$T/none.report.json" '[.partition_table.found, (.partitions | length), (.volumes | length)] | join(" ")' \
    "false 0 1"
assert_json "$T/none.report.json" '.volumes[0].file_system' null
