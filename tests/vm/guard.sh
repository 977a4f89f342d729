# The guard in Debian's own kernel: root tries every way to write to three disks, which are compared
# here afterwards; and a kernel without BPF LSM.
. "$(dirname "$0")/../lib/system.sh"
require jq sfdisk sysctl mkswap mkfs.ext4 debugfs dmsetup bpftool smartctl strace
[ -x "$EXHIBIT_BIN/../tests/attack" ] || skip "no program 'attack' beside the programs"

# A disk with a file system whose journal has something to play back.
random_file "$T/sata.img" $((6 << 20)) sata
printf 'label: dos\n2048,8192,83\n10240,2048,83\n' | sfdisk -q "$T/sata.img"
truncate -s 4M "$T/ext4"
mkfs.ext4 -q -b 1024 "$T/ext4"
random_file "$T/block" 1024 journal
printf 'jo\njw -b 3500 %s\njc\n' "$T/block" | debugfs -w -f - "$T/ext4" >"$T/debugfs.log" 2>&1
dumpe2fs -h "$T/ext4" 2>/dev/null | grep -q needs_recovery || fail "the journal is clean"
dd if="$T/ext4" of="$T/sata.img" bs=1M seek=1 conv=notrunc status=none
for name in nvme usb free free2; do random_file "$T/$name.img" $((2 << 20)) $name; done
mkswap -q "$T/usb.img"
cp "$T/usb.img" "$T/again.img"
mkdir "$T/share"
for name in sata nvme usb; do sha256_of "$T/$name.img" >"$T/share/$name.sha256"; done

drive() { echo "if=none,id=$1,file=$T/$1.img,format=raw${2:-}"; }
slow=,throttling.bps-read=524288
vm() { # SCRIPT
    EXHIBIT_VM_SHARE=$T/share bash "$EXHIBIT_SOURCE/tests/vm/boot" "$1" \
        -device ahci,id=ahci \
        -drive "$(drive sata ,throttling.bps-read=1048576)" -device ide-hd,drive=sata,bus=ahci.0,serial=SATA0001 \
        -drive "$(drive free)" -device ide-hd,drive=free,bus=ahci.1,serial=FREE0001 \
        -drive "$(drive nvme $slow)" -device nvme,drive=nvme,serial=NVME0001 \
        -drive "$(drive free2)" -device nvme,drive=free2,serial=FREE0002 \
        -device qemu-xhci \
        -drive "$(drive usb $slow)" -device usb-storage,drive=usb,serial=USB0001
}
vm "$EXHIBIT_SOURCE/tests/vm/guard.guest.sh"
for name in sata nvme; do
    assert_eq "$(sha256_of "$T/$name.img")" "$(cat "$T/share/$name.sha256")" "$name was changed"
done
# After the release it could be written, and only what was written then is there.
assert_eq "$(sha256_of "$T/usb.img")" "$(
    for sector in 10 11; do
        { yes attack | tr -d '\n' | head -c 510; printf '\0\0'; } |
            dd of="$T/again.img" bs=512 seek=$sector conv=notrunc status=none
    done
    sha256_of "$T/again.img"
)" "the USB disk"

EXHIBIT_VM_APPEND="lsm=lockdown,capability,landlock" \
    vm "$EXHIBIT_SOURCE/tests/vm/guard-off.guest.sh"
