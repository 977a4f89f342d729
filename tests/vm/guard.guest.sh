# In the virtual machine: root against the guard, while jobs run and after they were killed.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"

exhibit() { "$EXHIBIT_BIN/exhibit" "$@"; }
attack() { "$EXHIBIT_BIN/../tests/attack" "$@"; }
disk() { jq -r ".[] | select(.serial == \"$1\") | .path" "$T/devices"; }
twin() { echo "/dev/$(ls "/sys/block/${1##*/}/device/scsi_generic")"; }
bsg() { echo "/dev/bsg/$(ls "/sys/block/${1##*/}/device/bsg")"; }

there() { # PATH...: wait until each is
    local path
    for path; do wait_until 60 test -e "$path"; done
}
five_disks() { [ "$(cat /sys/block/*/size 2>/dev/null | grep -cxE '4096|12288')" -eq 5 ]; }
find_disks() {
    wait_until 60 five_disks
    exhibit devices --json >"$T/devices"
    sata=$(disk SATA0001) nvme=$(disk NVME0001) usb=$(disk USB0001)
    free=$(disk FREE0001) free_nvme=$(disk FREE0002)
    # A disk's partitions and other nodes come after it.
    for node in "$sata" "$usb" "$free"; do there "/sys/block/${node##*/}/device/"{bsg,scsi_generic}; done
    sg=$(twin "$sata") bsg=$(bsg "$sata") sg_usb=$(twin "$usb")
    ng=${nvme/nvme/ng} controller=${nvme%n1}
    there "${sata}1" "${sata}2" "$sg" "$bsg" "$sg_usb" "$ng" "${free_nvme/nvme/ng}"
}
# As a service manager has it.
mount -t cgroup2 none /sys/fs/cgroup
find_disks

refused() { # COMMAND...
    run "$@"
    [ "$status" -eq 1 ] || fail "went through (exit code $status): $*"
}
dies() {
    run "$@"
    [ "$status" -ne 0 ] || fail "went through: $*"
}

# --- without the guard, each of the ways leads to the disk ----------------------------------------

free_sg=$(twin "$free") free_bsg=$(bsg "$free")
for way in open discard zeroout scsi ata compat identify setrw; do
    expect 0 attack $way "$free"
done
for way in scsi ata sg-rw sg-write identify; do expect 0 attack $way "$free_sg"; done
expect 0 attack bsg "$free_bsg"
for node in "$free_nvme" "${free_nvme/nvme/ng}"; do expect 0 attack nvme-write "$node"; done
expect 0 attack uring "${free_nvme/nvme/ng}"
expect 0 attack nvme-format "${free_nvme%n1}"
# late DISK: starts one that holds an old, hidden descriptor of it. tries_late: lets it try, and sets
# line to what it says. The shell forgets a coprocess and its pipes as soon as that has ended, which
# may be before it is listened to: hence the copies.
late() {
    coproc late { attack late "$1"; }
    late_process=$late_PID
    exec {late_in}<&"${late[0]}" {late_out}>&"${late[1]}"
    read -r line <&"$late_in"
    assert_eq "$line" ready
}
tries_late() {
    echo >&"$late_out"
    while [[ $line != *"went through" ]]; do
        read -r line <&"$late_in" || fail "the one with the old descriptor has gone"
    done
    exec {late_in}<&- {late_out}>&-
    wait "$late_process" 2>/dev/null || true
}
late "$free"
tries_late
[ "${line%% *}" -ge 7 ] || fail "an old descriptor of an unprotected disk: $line"

# --- pages that nobody has written to the disk yet -------------------------------------------------

exec {held}<"$free"
# Without periodic writeback a new page wakes the kernel's writer at once, and that leaves a page
# alone only on a disk that may have some waiting: by its share, which grows with what it has written.
sysctl -q vm.dirty_writeback_centisecs=0
echo 50 >"/sys/block/${free##*/}/bdi/min_ratio"
# Where threads are slow to be made, a work queue's rescuer writes what there is without asking how
# much: then the page has gone before the job looks, which counts no write, and the next is tried.
for try in {1..10}; do
    dd if=/dev/urandom of="$free" bs=4096 seek=8 count=1 conv=notrunc status=none
    run exhibit acquire "$free" "$T/dirty$try" -q
    [ "$status" -eq 0 ] || break
    assert_eq "$(jq .write_block.monitor.writes "$T/dirty$try.manifest.json")" 0 "writes unheeded"
    expect 0 exhibit release "$free"
done
assert_eq "$status" 5 "a page that waits for the disk"
assert_contains "$T/err" "has just been written to"
exec {held}<&-
echo 0 >"/sys/block/${free##*/}/bdi/min_ratio"
sysctl -q vm.dirty_writeback_centisecs=500
[ ! -e /sys/fs/bpf/exhibit ] || fail "a disk that was refused stays protected"

# --- jobs on three disks --------------------------------------------------------------------------

# A descriptor that nobody sees, older than the guard.
late "$sata"

begin() { # NAME DEVICE [OPTION...]: and lets it wait in the middle
    "$EXHIBIT_BIN/exhibit" acquire "$2" "$T/$1" -q "${@:3}" 2>"$T/$1.err" &
    declare -g "job_$1=$!"
    hold_job "$!" "$T/$1.partial/$1.log"
}
begin sata "$sata" --write-block bpf-lsm
begin nvme "$nvme"
begin usb "$usb"

# --- every way, on every node ---------------------------------------------------------------------

direct_ways() {
    local node
    for node in "$sata" "${sata}1" "$nvme" "$usb"; do
        dies dd if=/dev/zero of="$node" bs=512 count=1 conv=notrunc
        refused attack setrw "$node"
    done
    for node in "$sata" "$sg" "$usb" "$sg_usb"; do refused attack scsi "$node"; done
    refused attack sg-rw "$sg"
    refused attack bsg "$bsg"
    refused attack nvme-write "$ng"
    refused attack nvme-format "$controller"
    refused attack uring "$ng"
}
all_ways() {
    local node way
    direct_ways
    for node in "$sata" "${sata}1" "$nvme" "$usb"; do
        for way in discard zeroout; do refused attack $way "$node"; done
        dies blockdev --setrw "$node"
        dies blkdiscard -f "$node"
    done
    for node in "$sata" "$sg" "$usb" "$sg_usb"; do refused attack compat "$node"; done
    for node in "$sata" "$sg"; do refused attack ata "$node"; done
    for node in "$sg" "$sg_usb"; do refused attack sg-write "$node"; done
    refused attack send-command "$sata"
    refused attack nvme-write "$nvme"
    for node in "$nvme" "$ng"; do refused attack nvme-format "$node"; done
}
all_ways

mkdir "$T/mnt"
for how in rw ro ro,noload; do
    dies mount -t ext4 -o "$how" "${sata}1" "$T/mnt"
done
modprobe dm_mod
sectors=$(blockdev --getsz "$sata")
dies dmsetup create stacked --table "0 $sectors linear $sata 0"
dies dmsetup create -r stacked --table "0 $sectors linear $sata 0"
dies losetup --find --show "$sata"
dies swapon "$usb"

tries_late
assert_eq "$line" "0 went through"

# --- reading goes on ------------------------------------------------------------------------------

for name in sata nvme usb; do
    assert_eq "$(sha256sum <"${!name}" | cut -c 1-64)" "$(cat "/share/$name.sha256")" "$name"
done
for node in "$sata" "$sg"; do expect 0 attack identify "$node"; done
for node in "$nvme" "$ng" "$controller"; do expect 0 attack nvme-identify "$node"; done
for node in "$sata" "$nvme"; do
    run smartctl -i -H -A "$node"
    [ $((status & 7)) -eq 0 ] || fail "smartctl cannot read $node"
    assert_contains "$T/out" "SMART"
done
read_only=$(losetup --find --show --read-only "$sata")
cmp "$read_only" "$sata"
losetup -d "$read_only"

# --- the guard itself -----------------------------------------------------------------------------

pins=/sys/fs/bpf/exhibit
dies rm "$pins/link_exhibit_open"
bpftool map create /sys/fs/bpf/other type array key 4 value 4 entries 1 name other
dies mv -T -f /sys/fs/bpf/other "$pins/link_exhibit_open"
dies sysctl kernel.ftrace_enabled=0
dies mv "$pins/link_exhibit_open" "$pins/other"
dies mv "$pins" /sys/fs/bpf/other
dies rm -r "$pins"
dies umount /sys/fs/bpf
dies umount -l /sys/fs/bpf
dies bpftool map dump pinned "$pins/exhibit_nodes"
dies bpftool link detach pinned "$pins/link_exhibit_claim"
supervisor=$(pgrep -f exhibit-supervisor | head -n 1)
dies strace -p "$supervisor" -e trace=none
refused attack open "$sata"

# --- what is said of it ---------------------------------------------------------------------------

ended() { # NAME: what its manifest says
    local pid=job_$1
    [ ! -e "$T/$1.manifest.json" ] || fail "the job of $1 did not wait: $(cat "$T/$1.log")"
    kill -USR2 "${!pid}" 2>/dev/null || true
    wait "${!pid}" ||
        fail "the job of $1 ended with $?: $(cat "$T/$1.err" "$T/$1"*"/$1.log" "$T/$1.log")"
    m=$T/$1.manifest.json
    assert_eq "$(jq -r .write_block.level "$m")" bpf-lsm "$1"
    assert_eq "$(jq -r .media.hashes.sha256 "$m")" "$(cat "/share/$1.sha256")" "$1"
    assert_eq "$(jq -r .write_block.monitor.writes "$m")" 0 "$1"
    assert_eq "$(jq -r .write_block.monitor.discards "$m")" 0 "$1"
    [ "$(jq -r .write_block.monitor.refused "$m")" -ge 10 ] || fail "$1: $(jq -c .write_block "$m")"
    jq -r '.write_block.monitor.attempts[] | select(.uid == 0 and .pid > 0) |
        "\(.name): \(.what) on \(.node)"' "$m" >"$T/attempts"
}
tried() { # WHAT NODE PROCESS: it is in the manifest, and in the log
    grep -qxF "$3: $1 on $2" "$T/attempts" ||
        fail "no '$1' of $3 on $2: $(sort -u "$T/attempts")"
    grep -qF "($3, uid 0): $1 on $2" "${m%.manifest.json}.log" || fail "the log lacks '$1' of $3"
}
ended sata
tried "open for writing" "${sata##*/}" dd
tried "open for writing" "${sata##*/}1" dd
tried "ioctl BLKROSET" "${sata##*/}" blockdev
tried "ioctl BLKDISCARD" "${sata##*/}" attack
tried "write" "${sata##*/}" attack
tried "shared writable mapping" "${sata##*/}" attack
tried "SCSI command 0x2a" "${sata##*/}" attack
tried "SCSI command 0x2a" "${sg##*/}" attack
tried "ATA command 0x30" "${sg##*/}" attack
tried "mount, or another use by the kernel" "${sata##*/}1" mount
tried "mount, or another use by the kernel" "${sata##*/}" dmsetup
tried "removing the guard's pins" "${sata##*/}" rm
tried "removing the guard's pins" "${sata##*/}" mv
tried "unmounting the guard's file system" "${sata##*/}" umount
tried "opening the guard's maps" "${sata##*/}" bpftool
tried "detaching the guard" "${sata##*/}" bpftool
tried "tracing a supervisor" "${sata##*/}" strace
tried "switching off function tracing" "${sata##*/}" sysctl
ended nvme
tried "ioctl NVME_IOCTL_IO_CMD" "${nvme##*/}" attack
tried "NVMe admin command 0x80" "${controller##*/}" attack
tried "io_uring command 0xc0484e80" "${ng##*/}" attack
ended usb
tried "open for writing" "${sg_usb##*/}" attack
tried "open for writing" "${usb##*/}" swapon
m=/var/lib/exhibit/records/$(ls /var/lib/exhibit/records | grep -e "-${sata##*/}-" | sort -n | tail -n 1)
jq -e '.refused > 10' "$m" >/dev/null || fail "the record: $(jq -c .refused "$m")"

# --- killed, unplugged, and there again -----------------------------------------------------------

begin again "$sata"
# shellcheck disable=SC2046
kill -9 $(pgrep '^exhibit')
wait "$job_again" 2>/dev/null || true
direct_ways

host=$(readlink -f "/sys/block/${sata##*/}/device")
host=${host%/target*}
echo 1 >"/sys/block/${sata##*/}/device/delete"
echo "- - -" >"$host/scsi_host/${host##*/}/scan"
pci=$(readlink -f "/sys/block/${nvme##*/}/device/device")
echo 1 >"$pci/remove"
echo 1 >/sys/bus/pci/rescan
port=$(readlink -f "/sys/block/${usb##*/}/device" | grep -oE '/[0-9]+-[0-9.]+/' | tr -d /)
echo "$port" >/sys/bus/usb/drivers/usb/unbind
echo "$port" >/sys/bus/usb/drivers/usb/bind
find_disks
direct_ways
dies mount -t ext4 -o ro "${sata}1" "$T/mnt"
refused attack race "$sata"

# A job goes on from where it was killed, with the guard that it finds.
expect 0 exhibit acquire "$sata" "$T/again" --resume -q
assert_eq "$(jq -r .write_block.level "$T/again.manifest.json")" bpf-lsm
assert_eq "$(jq -r .media.hashes.sha256 "$T/again.manifest.json")" "$(cat /share/sata.sha256)"

# What was tried while no supervisor was there is told by the next.
[ "$(jq -r .write_block.monitor.refused "$T/again.manifest.json")" -ge 10 ] ||
    fail "nobody tells what was tried meanwhile: $(jq -c .write_block "$T/again.manifest.json")"

# The block is the whole disk's: it stays while somebody reads a partition of it.
begin part "${sata}1"
expect 5 exhibit release "${sata}2"
expect 0 exhibit acquire "${sata}2" "$T/other" -q --release
assert_contains "$T/other.log" "cannot release"
refused attack open "$sata"
sleep 1
kill -USR2 "$job_part"
wait "$job_part" || fail "the job of a partition: $(cat "$T/part.err")"
assert_eq "$(jq -r .write_block.guard_lost "$T/part.manifest.json")" false

# A job that is refused leaves what it found.
expect 5 exhibit acquire "$sata" "$T/wrong" -q --expect-serial WRONG
refused attack open "$sata"
assert_eq "$(blockdev --getro "$sata")" 1

# --- only the release lifts it --------------------------------------------------------------------

expect 0 exhibit release "$sata"
refused attack open "$usb"
refused attack nvme-format "$controller"
expect 0 exhibit release "$nvme"
[ -d "$pins" ] || fail "the guard has gone while it protects a disk"
expect 0 exhibit release "$usb"
[ ! -e "$pins" ] || fail "the guard stays without a disk to protect"
expect 0 attack open "$usb"
expect 0 attack scsi "$sg_usb"
assert_eq "$(blockdev --getro "$sata")" 0

# The kernel's switch for programs of this kind: without them there is no guard.
sysctl -q kernel.ftrace_enabled=0
expect 5 exhibit acquire "$free" "$T/off" -q --write-block bpf-lsm
assert_contains "$T/err" "function tracing is switched off"
