# The daemon with four disks that are real to the kernel, two users, and everything killed once.
. "$(dirname "$0")/../lib/system.sh"
require jq curl setpriv

mkdir "$T/share"
for name in SATA0001 SATA0002 USB0001 NVME0001; do
    random_file "$T/$name.img" $((8 << 20)) "$name"
    sha256_of "$T/$name.img" >"$T/share/$name.sha256"
done
slow=throttling.bps-read=524288
EXHIBIT_VM_SHARE=$T/share bash "$EXHIBIT_SOURCE/tests/vm/boot" \
    "$EXHIBIT_SOURCE/tests/vm/daemon.guest.sh" \
    -device ahci,id=ahci \
    -drive "if=none,id=a,file=$T/SATA0001.img,format=raw,$slow" \
    -device ide-hd,drive=a,bus=ahci.0,serial=SATA0001 \
    -drive "if=none,id=b,file=$T/SATA0002.img,format=raw,$slow" \
    -device ide-hd,drive=b,bus=ahci.1,serial=SATA0002 \
    -device qemu-xhci,id=xhci \
    -drive "if=none,id=u,file=$T/USB0001.img,format=raw,$slow" \
    -device usb-storage,drive=u,bus=xhci.0,serial=USB0001 \
    -drive "if=none,id=n,file=$T/NVME0001.img,format=raw,$slow" -device nvme,drive=n,serial=NVME0001
for name in SATA0001 SATA0002 USB0001 NVME0001; do
    assert_eq "$(sha256_of "$T/$name.img")" "$(cat "$T/share/$name.sha256")" "$name afterwards"
done
