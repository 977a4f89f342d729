# What disks say of themselves, as the kernel and the drives tell it: identity, namespaces, logical
# units, hidden areas, health. Nothing of it writes.
. "$(dirname "$0")/../lib/system.sh"
require jq

for name in sata nvme1 nvme2 lun0 lun1 usb; do
    random_file "$T/$name.img" $((8 << 20)) "$name"
    sha256_of "$T/$name.img" >"$T/$name.sum"
done
drive() { printf 'if=none,id=%s,file=%s,format=raw' "$1" "$T/$1.img"; }

bash "$EXHIBIT_SOURCE/tests/vm/boot" \
    "$EXHIBIT_SOURCE/tests/vm/identity.guest.sh" \
    -device ahci,id=ahci -drive "$(drive sata)" \
    -device ide-hd,drive=sata,bus=ahci.0,serial=SATA0001,model="OLD DISK",wwn=0x5000c50015ea71aa \
    -device nvme,id=nvme0,serial=NVME0001 \
    -drive "$(drive nvme1)" -device nvme-ns,drive=nvme1,bus=nvme0,nsid=1 \
    -drive "$(drive nvme2)" -device nvme-ns,drive=nvme2,bus=nvme0,nsid=2 \
    -device qemu-xhci,id=xhci \
    -device usb-bot,id=bot,bus=xhci.0,port=2 \
    -drive "$(drive lun0)" -device scsi-hd,drive=lun0,bus=bot.0,scsi-id=0,lun=0,serial=LUN00001 \
    -drive "$(drive lun1)" -device scsi-hd,drive=lun1,bus=bot.0,scsi-id=0,lun=1,serial=LUN00002 \
    -drive "$(drive usb)" -device usb-storage,drive=usb,serial=USB0001,bus=xhci.0,port=3

for name in sata nvme1 nvme2 lun0 lun1 usb; do
    assert_eq "$(sha256_of "$T/$name.img")" "$(cat "$T/$name.sum")" "$name was changed"
done
