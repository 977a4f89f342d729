# The I/O monitor: what it counts is what the disk was sent, whoever sent it and by which way.
. "$(dirname "$0")/../lib/system.sh"
require jq
[ -x "$EXHIBIT_BIN/../tests/sg_write" ] || skip "no sg_write beside the programs"

mkdir "$T/share"
for name in sata nvme; do
    random_file "$T/$name.img" $((8 << 20)) "$name"
done
EXHIBIT_VM_SHARE=$T/share bash "$EXHIBIT_SOURCE/tests/vm/boot" \
    "$EXHIBIT_SOURCE/tests/vm/monitor.guest.sh" \
    -device ahci,id=ahci \
    -drive "if=none,id=sata,file=$T/sata.img,format=raw,throttling.bps-read=4194304" \
    -device ide-hd,drive=sata,bus=ahci.0,serial=SATA0001 \
    -drive "if=none,id=nvme,file=$T/nvme.img,format=raw" -device nvme,drive=nvme,serial=NVME0001
# What was counted as written has arrived.
assert_eq "$(dd if="$T/sata.img" bs=512 skip=16000 count=1 status=none | tr -d X | wc -c)" 0
assert_eq "$(dd if="$T/sata.img" bs=512 skip=16001 count=1 status=none | tr -d '\0' | wc -c)" 0
