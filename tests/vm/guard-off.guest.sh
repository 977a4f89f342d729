# In the virtual machine, with a kernel that has no BPF LSM in force: what the levels say then.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"

exhibit() { "$EXHIBIT_BIN/exhibit" "$@"; }

# The names follow the order in which the disks answer.
find_disk() {
    sata=$(exhibit devices --json --no-ask | jq -r '.[] | select(.serial == "SATA0001") | .path')
    [ -n "$sata" ] && [ -b "${sata}1" ]
}
wait_until 60 find_disk
expect 5 exhibit acquire "$sata" "$T/demanded" --write-block bpf-lsm
assert_error "'bpf' is not among the kernel's security modules"
assert_missing "$T"/demanded*
assert_eq "$(blockdev --getro "$sata")" 0
assert_missing /sys/fs/bpf/exhibit

expect 0 exhibit acquire "$sata" "$T/best" -q
assert_eq "$(jq -r .write_block.level "$T/best.manifest.json")" read-only-flag
assert_eq "$(jq -r .write_block.monitor.refused "$T/best.manifest.json")" null
assert_contains "$T/best.log" "read-only-flag"
# Why it is not the best that there could be.
assert_contains "$T/best.log" "none: 'bpf' is not among the kernel's security modules"
assert_contains "$T/best.manifest.json" "\"guard_missing\": \"'bpf' is not among"

# What the flag alone refuses by docs/threat-model.md, of the disk and of a partition.
sum() { dd if="$sata" bs=64K iflag=direct status=none | sha256sum; }
fails() {
    run "$@"
    [ "$status" -ne 0 ] || fail "went through: $*"
}
before=$(sum)
mkdir "$T/mnt"
fails mount -t ext4 "${sata}1" "$T/mnt"
for node in "$sata" "${sata}1"; do
    fails dd if=/dev/zero of="$node" bs=512 count=1 conv=notrunc
    fails dd if=/dev/zero of="$node" bs=512 count=1 conv=notrunc oflag=direct
    fails "$EXHIBIT_BIN/../tests/map_shared" "$node" rw
    fails "$EXHIBIT_BIN/../tests/map_shared" "$node" later
    fails blkdiscard -f "$node"
    fails blkdiscard -f -z "$node"
    loop=$(losetup --find --show "$node")
    fails dd if=/dev/zero of="$loop" bs=512 count=1 conv=notrunc oflag=direct
    losetup -d "$loop"
done
assert_eq "$(sum)" "$before" "the disk"
expect 0 exhibit release "$sata"
