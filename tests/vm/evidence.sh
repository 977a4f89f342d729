# udev's rules: disks that are attached while the machine runs are marked and read-only before anybody
# else looks at them; those that were there are spared.
. "$(dirname "$0")/../lib/system.sh"
require jq mkfs.ext4 python3 udevadm
[ -x /lib/systemd/systemd-udevd ] || skip "no udevd on this machine"

mkdir "$T/share"
cp "$EXHIBIT_BIN"/../system/*.rules "$T/share"
for name in boot hot ext spare; do
    truncate -s 16M "$T/$name.img"
done
mkfs.ext4 -q -U 11111111-1111-1111-1111-111111111111 "$T/boot.img"
# A copy of the system's disk has its name.
cp "$T/boot.img" "$T/hot.img"
printf 'label: dos\nstart=2048,type=83\n' | sfdisk -q "$T/ext.img"
sha256_of "$T/hot.img" >"$T/hot.sha256"
sha256_of "$T/ext.img" >"$T/ext.sha256"

# Does what the guest asks for in files /share/add.NAME, by QEMU's monitor.
python3 - "$T" <<'PYTHON' &
import os, re, socket, sys, time
top = sys.argv[1]
done = set()
sock = None
while True:
    time.sleep(0.1)
    names = [n for n in sorted(os.listdir(top + "/share")) if n.startswith(("add.", "del."))]
    for name in names:
        if name in done:
            continue
        done.add(name)
        if sock is None:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(top + "/monitor")
        what, disk = name.split(".")
        if what == "add":
            command = f"device_add usb-storage,drive={disk},serial={disk.upper()}1,id={disk}dev"
        else:
            command = f"device_del {disk}dev"
        sock.sendall(command.encode() + b"\n")
PYTHON
end_at_exit $!

drives=()
for name in hot ext spare; do
    drives+=(-drive "if=none,id=$name,file=$T/$name.img,format=raw")
done
EXHIBIT_VM_SHARE=$T/share bash "$EXHIBIT_SOURCE/tests/vm/boot" \
    "$EXHIBIT_SOURCE/tests/vm/evidence.guest.sh" \
    -chardev "socket,id=monitor,path=$T/monitor,server=on,wait=off" -mon monitor \
    -device ahci,id=ahci -drive "if=none,id=boot,file=$T/boot.img,format=raw" \
    -device ide-hd,drive=boot,bus=ahci.0,serial=BOOT1 \
    -device qemu-xhci "${drives[@]}"
assert_eq "$(sha256_of "$T/hot.img")" "$(cat "$T/hot.sha256")" "the attached disk"
assert_eq "$(sha256_of "$T/ext.img")" "$(cat "$T/ext.sha256")" "the partitioned disk"
