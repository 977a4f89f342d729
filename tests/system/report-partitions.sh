#!/bin/bash
# The rows of the partition table are those of mmls, whatever the table's kind.
. "$(dirname "$0")/../lib/system.sh"
require jq mmls fdisk sfdisk sgdisk parted

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

for label in bsd sun mac; do
    echo "== $label"
    table $label 64M
    parted -s "$T/$label.raw" mklabel $label mkpart ${label/mac/name} 4MiB 20MiB >/dev/null 2>&1 ||
        parted -s "$T/$label.raw" mklabel $label mkpart 4MiB 20MiB >/dev/null 2>&1 ||
        parted -s "$T/$label.raw" mklabel $label mkpart ext2 4MiB 20MiB >/dev/null
    if mmls "$T/$label.raw" >/dev/null 2>&1; then
        run exhibit-report -q "$T/$label.raw"
        [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "exit code $status on $label"
        rows_equal $label
    else
        echo "left out: mmls does not read what parted wrote"
    fi
done

echo "== no table"
random_file "$T/none.raw" 1000000
expect 0 exhibit-report -q "$T/none.raw"
assert_json "$T/none.report.json" '[.partition_table.found, (.partitions | length), (.volumes | length)] | join(" ")' \
    "false 0 1"
assert_json "$T/none.report.json" '.volumes[0].file_system' null
