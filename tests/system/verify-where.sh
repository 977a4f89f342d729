#!/bin/bash
# Where the damage lies: the files named must be those that The Sleuth Kit finds block by block, in
# an E01 with flipped bytes, in a raw image, behind a damaged directory, and in sectors that the
# source did not return. $EXHIBIT_SEED.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire jq ifind fsstat mmls debugfs
sample_disk

seed=${EXHIBIT_SEED:-$RANDOM}
echo "EXHIBIT_SEED=$seed"
RANDOM=$seed

# partitions of the sample: row, start in sectors, length
mapfile -t parts < <(mmls -a "$DISK" | awk '$1 ~ /^[0-9]+:$/ { print $1 + 0, $3 + 0, $5 + 0 }')

# inodes OFFSET LENGTH: "row inode" of each file with a block in that range of the media.
inodes() {
    local from=$1 to=$(($1 + $2)) row start length unit block inode lo hi
    while read -r row start length; do
        lo=$((start * 512)) hi=$(((start + length) * 512))
        ((from < hi && to > lo)) || continue
        fsstat -o "$start" "$DISK" >"$T/fsstat" 2>/dev/null || continue
        unit=$(awk '/^(Cluster|Block) Size:/ { print $3; exit }' "$T/fsstat")
        ! grep -q '^File System Type: FAT' "$T/fsstat" || unit=512 # counted in sectors
        ((lo >= from)) || lo=$from
        ((hi <= to)) || hi=$to
        for ((block = (lo - start * 512) / unit; block <= (hi - 1 - start * 512) / unit; block++)); do
            inode=$(ifind -o "$start" -d "$block" "$DISK" 2>/dev/null) || continue
            case $inode in
            [0-9]*) echo "$row ${inode%%-*}" ;;
            esac
        done
    done < <(printf '%s\n' "${parts[@]}") | sort -u
}

# listed FILE FILTER: the same of what was said.
listed() {
    jq -r "$2 | .[]? | \"\\(.partition) \\(.inode)\"" "$1" | sort -u
}

# Every inode that ifind names must be listed; what else is listed must be an area that has no inode
# of its own for ifind (a journal, boot sectors).
compare() { # JSON FILTER OFFSET LENGTH
    inodes "$3" "$4" >"$T/truth"
    listed "$1" "$2" >"$T/said"
    [ -z "$(comm -23 "$T/truth" "$T/said")" ] ||
        fail "media $3+$4: not listed: $(comm -23 "$T/truth" "$T/said" | tr '\n' ';')"
    assert_eq "$(comm -13 "$T/truth" "$T/said" | tr '\n' ';')" "" "listed, but not there ($3+$4)"
    checked=$((checked + $(wc -l <"$T/truth")))
}

# --- an E01 with flipped bytes --------------------------------------------------------------------

ewfacquire -u -q -t "$T/x" -f encase6 -c fast -b 16 "$DISK" >"$T/log" 2>&1 </dev/null
size=$(stat -c %s "$T/x.E01")
checked=0
how_many flips 8 100 "changed bytes"
# In chunks: behind them stand two tables of 4 bytes for each of the 8,192, and some small sections.
# Much of the image is not a file's: on with it until some were hit.
for ((i = 0; i < flips || (checked < 4 && i < flips + 100); i++)); do
    at=$((40000 + (RANDOM * 32768 + RANDOM) % (size - 120000)))
    flip_byte "$T/x.E01" "$at"
    expect 3 exhibit-verify --json "$T/x.E01"
    offset=$(json "$T/out" '.checks[] | select(.name == "chunks").ranges[0].offset')
    [ "$offset" != null ] || fail "no chunk is named for byte $at"
    compare "$T/out" '.checks[] | select(.name == "chunks").files' "$offset" 8192
    # The place named is where the byte was changed.
    place=$(json "$T/out" '.checks[] | select(.name == "chunks").places[0] |
        "\(.segment) \(.offset / 8192 == .chunk) \(.file_offset)"')
    read -r segment whole start <<<"$place"
    assert_eq "$segment $whole" "$T/x.E01 true"
    [ "$start" -le "$at" ] && [ $((start + 8192 + 4)) -ge "$at" ] ||
        fail "byte $at is said to be in a chunk at $start"
    flip_byte "$T/x.E01" "$at"
done
[ "$checked" -ge 4 ] || fail "only $checked files were hit"
expect 0 exhibit-verify --json "$T/x.E01"
assert_json "$T/out" '[.. | objects | select(has("files"))] | length' 0

# --- a file by its name, and what lies behind damage ----------------------------------------------

row=$(printf '%s\n' "${parts[@]}" | sed -n 2p)
read -r row start length <<<"$row"
dd if="$DISK" of="$T/ext4" bs=512 skip="$start" count="$length" status=none
fsstat "$T/ext4" >"$T/fsstat"
grep -q 'File System Type: Ext4' "$T/fsstat" || fail "the second partition is no ext4"
unit=$(fsstat "$T/ext4" | awk '/^Block Size:/ { print $3 }')
# A file, and a directory that it does not lie in: that damage must not hide it. Which ones there are
# depends on what this machine has below /usr.
path=/$(fls -r -p -F "$T/ext4" | awk -F'\t' '$1 ~ /^r\/r/ && path == "" { path = $2 } END { print path }')
[ "$path" != / ] || fail "the second partition has no file"
dir=/$(fls -r -p -D "$T/ext4" | awk -F'\t' -v path="$path" \
    '$1 ~ /^d\/d/ && index(path, "/" $2 "/") != 1 { dir = $2 } END { print dir }')
first_block() {
    debugfs -R "blocks \"$1\"" "$T/ext4" 2>/dev/null | tr ' ' '\n' |
        awk '/[0-9]/ && block == "" { block = $1 } END { print block }'
}
block=$(first_block "$path")
dir_block=$(first_block "$dir")
cp --sparse=always "$DISK" "$T/raw.raw"
expect 0 exhibit-acquire -q --format raw --piecewise 64K "$T/raw.raw" "$T/copy"
dd if=/dev/urandom of="$T/copy.raw" bs="$unit" count=1 conv=notrunc status=none \
    seek=$((start * 512 / unit + block))
dd if=/dev/zero of="$T/copy.raw" bs="$unit" count=1 conv=notrunc status=none \
    seek=$((start * 512 / unit + dir_block))
expect 3 exhibit-verify --json "$T/copy.manifest.json"
assert_json "$T/out" ".checks[] | select(.name == \"piecewise\").files |
    map(select(.path == \"$path\")) | length" 1
expect 3 exhibit-verify "$T/copy.manifest.json"
assert_contains "$T/out" " $path (partition $row)"

# --- sectors that the source did not return -------------------------------------------------------

at=$(((start + block * (unit / 512)) * 512))
fault_map "$T/faults.map" "$(stat -c %s "$DISK")" "$at" 512
fault_device "$DISK" "$T/faults.map"
expect 3 exhibit-acquire -q --write-block none "$DEV" "$T/bad"
expect 0 exhibit-verify --json "$T/bad.manifest.json"
assert_json "$T/out" '.unreadable.ranges[0].offset' "$at"
compare "$T/out" .unreadable.files "$at" 512
assert_json "$T/out" ".unreadable.files | map(.path) | index(\"$path\") != null" true
expect 0 exhibit-verify "$T/bad.E01"
assert_contains "$T/out" "unreadable  hits $path (partition $row)"

# --- a parser that lies, hangs up or cannot be had takes nothing with it --------------------------

own_programs
# lies LINE...: the parser finds no table, and then says this.
lies() {
    {
        echo '#!/bin/sh'
        echo '[ "$2" = files ] || { echo "{\"kind\":\"end\"}"; exit; }'
        printf "echo '%s'\n" "$@"
    } >"$T/bin/exhibit-parser"
    expect 0 exhibit-verify --json "$T/bad.manifest.json"
    assert_json "$T/out" .verdict passed
    [ "$(json "$T/out" '.file_lookup.notes | length')" -ge 1 ] || fail "taken: $*"
}
file='{"kind":"file","inode":7,"type":"file","allocated":true,"size":1,"ranges":[{"offset":%s,"length":%s}],"more":false}'
# shellcheck disable=SC2059 # the format holds the object
good=$(printf "$file" "$at" 512)
lies 'no JSON'
lies '{"kind":"file"}'
lies "$(printf "$file" "$(stat -c %s "$DISK")" 512)"
lies "$(printf "$file" 0 18446744073709551615)"
lies "$(printf "$file" -1 512)"
lies '{"kind":"name","inode":7,"path":"/no/such/file"}'
lies "$good" '{"kind":"name","inode":7,"path":"/a"}' '{"kind":"name","inode":7,"path":"/b"}'
assert_json "$T/out" .unreadable.files[0].path /a
lies "$good" "{\"kind\":\"name\",\"inode\":7,\"path\":\"$(head -c 5000 /dev/zero | tr '\0' x)\"}"
lies "$good" '{"kind":"blocks","unallocated":99999999999999999}'
lies "$good" # and no last message
assert_json "$T/out" '.unreadable.files | length' 1
# A name from the disk stays off the terminal as it is.
cat >"$T/bin/exhibit-parser" <<END
#!/bin/sh
if [ "\$2" = files ]; then
    echo '$good'
    cat <<'NAME'
{"kind":"name","inode":7,"path":"/a\\u001b[2Jb\\u202e"}
NAME
fi
echo '{"kind":"end"}'
END
expect 0 exhibit-verify "$T/bad.manifest.json"
assert_contains "$T/out" 'hits /a\x1b[2Jb\u{202e}'
# Thousands of files are cut short, and that is said.
cat >"$T/bin/exhibit-parser" <<END
#!/bin/sh
[ "\$2" != files ] || yes '$good' | head -n 5000
echo '{"kind":"end"}'
END
expect 0 exhibit-verify --json "$T/bad.manifest.json"
assert_json "$T/out" '.unreadable.files | length' 1000
assert_json "$T/out" '.file_lookup.notes[0] | test("more files")' true
rm "$T/bin/exhibit-parser"
expect 0 exhibit-verify --json "$T/bad.manifest.json"
assert_json "$T/out" .verdict passed
assert_json "$T/out" '.file_lookup.notes[0] | test("exhibit-parser")' true
