# Files on a file system whose direct reads are of 4096 bytes at least: their odd ends, and parts of
# them that begin anywhere, come over whole.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require mkfs.ext4 mount umount

truncate -s 32M "$T/disk"
attach "$T/disk" --sector-size 4096
blockdev --setrw "$DEV"
mkfs.ext4 -q -b 4096 "$DEV" || skip "cannot make a file system on a loop device"
mkdir "$T/mnt"
mount "$DEV" "$T/mnt" || skip "cannot mount here"
at_exit umount "$T/mnt"

for size in 1 511 512 10000 1049088 1050000; do
    random_file "$T/mnt/source" "$size" "$size"
    expect 0 exhibit acquire "$T/mnt/source" "$T/raw-$size" --format raw
    assert_same_bytes "$T/mnt/source" "$T/raw-$size.raw"
done

expect 0 exhibit acquire "$T/mnt/source" "$T/part" --format raw --offset 1s --length 3s
dd if="$T/mnt/source" of="$T/expected" bs=512 skip=1 count=3 status=none
assert_same_bytes "$T/expected" "$T/part.raw"
