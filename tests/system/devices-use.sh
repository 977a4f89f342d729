#!/bin/bash
# Who uses a disk, as `exhibit devices` says it: mounts of partitions, swap, loop devices on it and
# on files of its file systems.
. "$(dirname "$0")/../lib/system.sh"
require_root
require_loop
require jq sgdisk mkfs.ext4 mkswap swapon partx

# use_of DEVICE: "state (reason)".
use_of() {
    expect 0 exhibit-devices --json
    json "$T/out" ".[] | select(.path == \"$1\") | .in_use | \"\(.state) (\(.reason))\""
}

truncate -s 40M "$T/disk.img"
sgdisk -n 1:2048:+16M -n 2:0:+16M "$T/disk.img" >/dev/null
attach "$T/disk.img"
disk=$DEV
part() {
    local wait
    for ((wait = 0; wait < 20; wait++)); do
        [ -b "${disk}p$1" ] && return
        sleep 0.1
    done
    skip "no partitions on loop devices here"
}
part 1
part 2
assert_eq "$(use_of "$disk")" "free (null)"
assert_json "$T/out" ".[] | select(.path == \"$disk\") | .partitions | length" 2
assert_json "$T/out" ".[] | select(.path == \"$disk\") | .partitions[0] | [.path, .start, .size] | @csv" \
    "\"${disk}p1\",1048576,16777216"

# A partition is mounted, at a point with a blank in its name.
mkfs.ext4 -q "${disk}p1"
mkdir "$T/mount point"
mount "${disk}p1" "$T/mount point"
at_exit umount "$T/mount point"
assert_eq "$(use_of "$disk")" "busy (mounted at $T/mount point)"
assert_json "$T/out" ".[] | select(.path == \"$disk\") | .partitions[0].mounts[0].path" \
    "$T/mount point"

# A file on that file system is a disk of its own: free, but it lies on the first one.
truncate -s 8M "$T/mount point/inner.img"
attach "$T/mount point/inner.img"
inner=$DEV
assert_eq "$(use_of "$inner")" "free (null)"
mkfs.ext4 -q "$inner"
mkdir "$T/inner"
mount "$inner" "$T/inner"
at_exit umount "$T/inner"
assert_eq "$(use_of "$inner")" "busy (mounted at $T/inner)"

# Swap wins over a mount: the running system depends on it.
mkswap "${disk}p2" >"$T/mkswap.log"
swapon "${disk}p2" || skip "no swap on this machine"
assert_eq "$(use_of "$disk")" "system ($(basename "$disk")p2 is swap)"
swapoff "${disk}p2"
assert_eq "$(use_of "$disk")" "busy (mounted at $T/mount point)"

# A loop device straight on a device stands in nobody's list of holders.
truncate -s 4M "$T/plain.img"
attach "$T/plain.img"
plain=$DEV
assert_eq "$(use_of "$plain")" "free (null)"
attach "$plain"
assert_eq "$(use_of "$plain")" "busy ($(basename "$plain") is held by $(basename "$DEV"))"
