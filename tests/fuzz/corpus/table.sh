#!/bin/bash
# Seeds for fuzz_table: small disks with each kind of table, and superblocks.
# Usage: table.sh DIRECTORY
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# seed NAME TABLE: the disk in $work/disk, libtsk having found the table of that number.
seed() {
    { printf "\\x0$2\\x00" && cat "$work/disk"; } >"$out/$1"
}

new() {
    rm -f "$work/disk"
    truncate -s "$1" "$work/disk"
}

if command -v sgdisk >/dev/null; then
    new 64K
    sgdisk -a 1 -n 1:40:50 -c 1:one -n 2:55:60 "$work/disk" >/dev/null 2>&1 || true
    seed gpt 0
fi
if command -v sfdisk >/dev/null; then
    new 64K
    printf 'label: dos\n8,8,83,*\n32,64,5\n40,8,7\n56,8,b\n' |
        sfdisk -q --force "$work/disk" >/dev/null 2>&1 || true
    seed dos 1
fi
new 64K
printf '\x57\x45\x56\x82' | dd of="$work/disk" bs=512 seek=1 conv=notrunc status=none
seed bsd 2
if command -v parted >/dev/null; then
    new 4M
    parted -s "$work/disk" mklabel mac >/dev/null 2>&1 || true
    truncate -s 64K "$work/disk"
    seed apple 4
fi
if command -v mkfs.ext2 >/dev/null; then
    new 64K
    mkfs.ext2 -q -F "$work/disk" >/dev/null 2>&1 || true
    seed ext 1
fi
