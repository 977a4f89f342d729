# In the virtual machine: an AHCI, a USB and an NVMe disk, as the kernel shows them and as they are
# acquired. The USB disk returns errors for sectors 100 to 102 and 15000.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"

exhibit() { "$EXHIBIT_BIN/exhibit" "$@"; }
field() { jq -r ".[] | select(.path == \"$1\") | .$2" "$T/devices"; }

expect 0 exhibit devices --json
cp "$T/out" "$T/devices"
assert_eq "$(field /dev/sda serial)" SATA0001
assert_eq "$(field /dev/sda model)" "OLD DISK"
assert_eq "$(field /dev/sda bus)" ata
assert_eq "$(field /dev/nvme0n1 serial)" NVME0001
assert_eq "$(field /dev/nvme0n1 bus)" nvme
assert_eq "$(field /dev/sdb bus)" usb

# Each one is what the host made it, and cannot be written any more.
for pair in sda:sata nvme0n1:nvme; do
    disk=/dev/${pair%:*}
    expect 0 exhibit acquire "$disk" "$T/${pair#*:}" -q
    assert_eq "$(jq -r .media.hashes.sha256 "$T/${pair#*:}.manifest.json")" \
        "$(cat "/share/${pair#*:}.sha256")" "$disk"
    assert_eq "$(jq -r .write_block.read_only_flag.during "$T/${pair#*:}.manifest.json")" true
    if dd if=/dev/zero of="$disk" bs=512 count=1 conv=notrunc 2>/dev/null; then
        fail "$disk can be written"
    fi
done
assert_eq "$(jq -r .source.serial "$T/sata.manifest.json")" SATA0001
expect 5 exhibit acquire /dev/sda "$T/other" --expect-serial SATA0002

# The read errors come from the device, not from a file in between.
expect 3 exhibit acquire /dev/sdb "$T/usb" -q
assert_eq "$(jq -c .unreadable.ranges "$T/usb.manifest.json")" \
    '[{"offset":51200,"length":1536},{"offset":7680000,"length":512}]'

# A disk that is taken out while it is read: the job ends, and can be resumed.
blockdev --setrw /dev/nvme0n1
echo 1 >/sys/block/sda/device/rescan 2>/dev/null || true
(
    while [ ! -s "$T/gone.partial/gone.E01" ]; do sleep 0.05; done
    echo 1 >/sys/block/sda/device/delete
) &
expect 4 exhibit acquire /dev/sda "$T/gone" --retries 0
assert_contains "$T/err" "gone"
