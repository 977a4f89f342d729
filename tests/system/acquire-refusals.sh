# What is refused for safety: exit 5, one line that says why, nothing left behind, no write block
# left on the device.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require mkfs.ext4 jq
mkdir "$T/out.d"
truncate -s 16M "$T/disk"
mkfs.ext4 -q -F "$T/disk"
attach "$T/disk"

# refused TEXT ARGUMENTS...
refused() {
    local text=$1
    shift
    expect 5 exhibit acquire "$@"
    assert_error "$text"
    assert_only "$T/out.d" "${allowed[@]}"
    [ ! -s "$T/out" ] || fail "there is output"
    assert_eq "$(blockdev --getro "$DEV")" 0 "read-only flag after a refusal"
}
allowed=()

# --- who uses the source
mkdir "$T/mnt"
if mount "$DEV" "$T/mnt" 2>/dev/null; then
    at_exit umount "$T/mnt"
    refused "$T/mnt" "$DEV" "$T/out.d/x"
    refused "on the source" "$DEV" "$T/mnt/x"
    assert_missing "$T/mnt/x.partial"
    umount "$T/mnt"
fi
truncate -s 16M "$T/swap"
mkswap -q "$T/swap" 2>/dev/null || mkswap "$T/swap" >/dev/null
data=$DEV
attach "$T/swap"
if swapon "$DEV" 2>/dev/null; then
    at_exit swapoff "$DEV"
    refused "swap" "$DEV" "$T/out.d/x"
    swapoff "$DEV"
fi
DEV=$data
if command -v dmsetup >/dev/null && dmsetup create "exhibit-test-$$" \
    --table "0 1000 linear $DEV 0" 2>/dev/null; then
    at_exit dmsetup remove "exhibit-test-$$"
    refused "busy" "$DEV" "$T/out.d/x"
    dmsetup remove "exhibit-test-$$"
fi
# The system's disk, with a destination that does not lie on it; one sector and no write block, so
# that nothing happens to this machine should the refusal fail.
mkdir "$T/small"
system=$(findmnt -n -o SOURCE / || true)
if mount -t tmpfs -o size=4M tmpfs "$T/small" 2>/dev/null; then
    at_exit umount "$T/small"
    if [ -b "$system" ]; then
        refused "running system" "$system" "$T/small/x" --length 1s --write-block none
    fi
    # No room there for anything larger.
    refused "not enough space" "$DEV" "$T/small/x"
    assert_only "$T/small"
fi

# --- a source that is a file: what is attached to it may write to it
truncate -s 16M "$T/file" "$T/other"
mkfs.ext4 -q -F "$T/file"
attach "$T/file"
first=$DEV
refused "attached as $first" "$T/file" "$T/out.d/x"
if mount "$first" "$T/mnt" 2>/dev/null; then
    at_exit umount "$T/mnt"
    refused "on the source" "$T/file" "$T/mnt/x" --allow-low-space
    # The same file as another disk.
    attach "$T/file"
    refused "on the source" "$DEV" "$T/mnt/x" --allow-low-space
    refused "mounted at $T/mnt" "$DEV" "$T/out.d/x"
    # A file of that file system is none of a file beside it.
    truncate -s 8M "$T/mnt/inner"
    mkfs.ext4 -q -F "$T/mnt/inner"
    mkdir "$T/mnt2"
    second=$DEV
    attach "$T/mnt/inner"
    mount "$DEV" "$T/mnt2"
    at_exit umount "$T/mnt2"
    refused "on the source" "$T/file" "$T/mnt2/x" --allow-low-space
    DEV=$second
    refused "on the source" "$DEV" "$T/mnt2/x" --allow-low-space
    expect 0 exhibit acquire "$T/other" "$T/mnt2/x" -q --allow-low-space
    assert_exists "$T/mnt2/x.E01"
    umount "$T/mnt2"
    # A file without a name is still the same file.
    ln "$T/file" "$T/link"
    rm "$T/file"
    refused "on the source" "$T/link" "$T/mnt/x" --allow-low-space
    ln "$T/link" "$T/file"
    detach_loop "$(losetup -n -O NAME -j "$T/mnt/inner")"
    umount "$T/mnt"
    detach_loop "$second"
fi
detach_loop "$first"
# Attached read-only, or flagged so, and left alone, it is nobody's.
attach "$T/file"
blockdev --setro "$DEV"
expect 0 exhibit acquire "$T/file" "$T/out.d/y" -q
rm "$T/out.d"/y*
detach_loop "$DEV"
attach "$T/file" --read-only
expect 0 exhibit acquire "$T/file" "$T/out.d/y" -q
rm "$T/out.d"/y*
if mount -o ro,noload "$DEV" "$T/mnt" 2>/dev/null; then
    at_exit umount "$T/mnt"
    expect 5 exhibit acquire "$T/file" "$T/out.d/y" -q
    assert_error "attached as $DEV"
    umount "$T/mnt"
fi
DEV=$data

# --- who it is
refused "serial" "$DEV" "$T/out.d/x" --expect-serial WD-12345
# Where the level can be had, tests/vm/guard.sh shows what it does.
run exhibit acquire "$DEV" "$T/probe" -q --write-block bpf-lsm
if [ "$status" -eq 0 ]; then
    assert_json "$T/probe.manifest.json" .write_block.level bpf-lsm
    expect 0 exhibit release "$DEV"
else
    refused "bpf-lsm" "$DEV" "$T/out.d/x" --write-block bpf-lsm
fi
refused "serial" "$T/disk" "$T/out.d/x" --expect-serial WD-12345
refused "write block" "$T/disk" "$T/out.d/x" --write-block read-only-flag

# --- what stands at the destination: any file of it, any segment, links too
for ext in E01 manifest.json log map md5 sha256 partial custody.jsonl E02; do
    allowed=("x.$ext")
    touch "$T/out.d/x.$ext"
    refused "already exists" "$DEV" "$T/out.d/x" --segment-size 2M
    rm "$T/out.d/x.$ext"
    ln -s "$T/victim" "$T/out.d/x.$ext"
    refused "already exists" "$DEV" "$T/out.d/x" --segment-size 2M
    assert_missing "$T/victim"
    rm "$T/out.d/x.$ext"
done
for ext in raw 001 003; do
    allowed=("x.$ext")
    touch "$T/out.d/x.$ext"
    if [ $ext = raw ]; then
        refused "already exists" "$DEV" "$T/out.d/x" --format raw
    else
        refused "already exists" "$DEV" "$T/out.d/x" --format raw --segment-size 4M
    fi
    rm "$T/out.d/x.$ext"
done
allowed=()

# A device that is not ours to take stays free: nothing above left it held.
expect 0 exhibit acquire "$DEV" "$T/out.d/x" --release -q
assert_eq "$(blockdev --getro "$DEV")" 0 "read-only flag after --release"
assert_json "$T/out.d/x.manifest.json" .verification.status passed
