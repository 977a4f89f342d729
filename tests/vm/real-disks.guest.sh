# In the virtual machine: an AHCI, a USB and an NVMe disk, as the kernel shows them and as they are
# acquired. The USB disk returns errors for sectors 100 to 102 and 15000.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"

exhibit() { "$EXHIBIT_BIN/exhibit" "$@"; }
field() { jq -r ".[] | select(.path == \"$1\") | .$2" "$T/devices"; }

# USB is slow to come up, and the kernel numbers disks as they come.
all_there() { [ "$(cat /sys/block/*/size 2>/dev/null | grep -cx 16384)" -eq 3 ]; }
wait_until 60 all_there
expect 0 exhibit devices --json
cp "$T/out" "$T/devices"
on_bus() { jq -r ".[] | select(.bus == \"$1\") | .path" "$T/devices"; }
sata=$(on_bus ata) usb=$(on_bus usb) nvme=$(on_bus nvme)
assert_eq "$(field "$sata" serial)" SATA0001
assert_eq "$(field "$sata" model)" "OLD DISK"
assert_eq "$(field "$nvme" serial)" NVME0001
assert_eq "$(field "$usb" serial)" USB0001

# Each one is what the host made it, and cannot be written any more.
for name in sata nvme; do
    disk=${!name}
    expect 0 exhibit acquire "$disk" "$T/$name" -q
    assert_eq "$(jq -r .media.hashes.sha256 "$T/$name.manifest.json")" \
        "$(cat "/share/$name.sha256")" "$disk"
    assert_eq "$(jq -r .write_block.read_only_flag.during "$T/$name.manifest.json")" true
    if dd if=/dev/zero of="$disk" bs=512 count=1 conv=notrunc 2>/dev/null; then
        fail "$disk can be written"
    fi
done
assert_eq "$(jq -r .source.serial "$T/sata.manifest.json")" SATA0001
expect 5 exhibit acquire "$sata" "$T/other" --expect-serial SATA0002

# The read errors come from the device, not from a file in between.
expect 3 exhibit acquire "$usb" "$T/usb" -q
assert_eq "$(jq -c .unreadable.ranges "$T/usb.manifest.json")" \
    '[{"offset":51200,"length":1536},{"offset":7680000,"length":512}]'

# A disk that is taken out while it is read, which takes two seconds: the job ends, and can be resumed.
# The image's first bytes are written when there are 8 MiB of them, or all.
"$EXHIBIT_BIN/exhibit" acquire "$sata" "$T/gone" --retries 0 >"$T/out" 2>"$T/err" </dev/null &
front=$!
hold_job $front "$T/gone.partial/gone.log"
kill -USR2 $front
# In this shell, at once: what is started first may come too late.
echo 1 >"/sys/block/${sata##*/}/device/delete"
status=0
wait $front || status=$?
assert_eq "$status" 4 "exit code"
assert_contains "$T/err" "gone"
assert_contains "$T/err" "--resume"
