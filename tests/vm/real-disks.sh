# Disks that are real to the kernel: identity, write block, errors, removal.
. "$(dirname "$0")/../lib/system.sh"
require jq

mkdir "$T/share"
for name in sata nvme usb; do
    random_file "$T/$name.img" $((8 << 20)) "$name"
    sha256_of "$T/$name.img" >"$T/share/$name.sha256"
done
for sector in 100 101 102 15000; do
    printf '[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "%d"\n' $sector
done >"$T/errors.conf"

EXHIBIT_VM_SHARE=$T/share bash "$EXHIBIT_SOURCE/tests/vm/boot" \
    "$EXHIBIT_SOURCE/tests/vm/real-disks.guest.sh" \
    -device ahci,id=ahci \
    -drive "if=none,id=sata,file=$T/sata.img,format=raw,throttling.bps-read=4194304" \
    -device ide-hd,drive=sata,bus=ahci.0,serial=SATA0001,model="OLD DISK" \
    -drive "if=none,id=nvme,file=$T/nvme.img,format=raw" -device nvme,drive=nvme,serial=NVME0001 \
    -device qemu-xhci \
    -drive "if=none,id=usb,format=raw,file.driver=blkdebug,file.config=$T/errors.conf,file.image.driver=file,file.image.filename=$T/usb.img" \
    -device usb-storage,drive=usb,serial=USB0001
