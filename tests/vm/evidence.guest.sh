# In the virtual machine: udevd with Exhibit's rules, a disk that is there when it starts, and others
# that come while it runs.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"

# The machine runs in a root directory of its own; udevadm would do nothing there.
export SYSTEMD_IGNORE_CHROOT=1
rules=/etc/udev/rules.d
mkdir -p "$rules" /etc/exhibit /mnt/auto /run/udev
sed "s|\"[^\"]*/exhibit-\([mt]\)|\"$EXHIBIT_BIN/exhibit-\1|" \
    /share/05-exhibit-evidence.rules >"$rules/05-exhibit-evidence.rules"
[ "$(grep -c "$EXHIBIT_BIN" "$rules/05-exhibit-evidence.rules")" -eq 2 ] || fail "the rules do not run these programs"
cp /share/62-exhibit-evidence.rules "$rules"
# Others' rules: the first that looks, one that assembles, one that mounts.
cat >"$rules/06-witness.rules" <<'END'
SUBSYSTEM=="block", KERNEL=="sd*", ACTION!="remove", PROGRAM="/bin/sh -c 'echo $(cat /sys/class/block/%k/ro)'", ENV{WITNESS_RO}="%c"
END
cat >"$rules/64-assemble.rules" <<'END'
SUBSYSTEM=="block", ENV{ID_FS_TYPE}=="ext4|linux_raid_member|LVM2_member|bcache", ENV{WOULD_ASSEMBLE}="1"
END
cat >"$rules/90-automount.rules" <<'END'
SUBSYSTEM=="block", KERNEL=="sd*", ACTION=="add", RUN+="/bin/sh -c 'echo %k >>/run/mounted; mount /dev/%k /mnt/auto'"
END
printf 'spare = serial=SPARE1\nsocket = /run/exhibitd.sock\ngroup = nogroup\n' \
    >/etc/exhibit/exhibitd.conf
chmod 644 /etc/exhibit/exhibitd.conf

wait_until 60 test -b /dev/sda
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add --settle
property() { udevadm info -q property "/dev/$1" | sed -n "s/^$2=//p"; }
ro() { cat "/sys/class/block/$1/ro"; }

# What was there is spared, and others get it; also when its events are played again once armed.
assert_eq "$(property sda ID_FS_TYPE)" ext4
assert_eq "$(ro sda)" 0 "the boot disk's flag"
assert_contains /run/mounted sda
umount /mnt/auto
expect 0 "$EXHIBIT_BIN/exhibit-mark" --arm
armed=$(cat /run/exhibit/armed)
udevadm trigger --action=add --settle
assert_eq "$(property sda EXHIBIT_EVIDENCE)" ""
assert_eq "$(ro sda)" 0 "the boot disk's flag"
umount /mnt/auto
rm /run/mounted

# udev has a record of it. The kernel tells of a disk, and of its partitions, only some time after they
# are in sysfs: until then there is nothing to settle.
known() { test -e "/run/udev/data/b$(cat "/sys/class/block/$1/dev")"; }

# attach_disk NAME: sets DISK to the kernel's name of the disk that comes.
attach_disk() {
    local i
    ls /sys/block >"$T/before"
    touch "/share/add.$1"
    new_disk() {
        DISK=$(ls /sys/block | comm -13 "$T/before" - | grep '^sd' || true)
        [ -n "$DISK" ] && [ "$(cat "/sys/block/$DISK/size")" = 32768 ]
    }
    for ((i = 0; i < 600; i++)); do
        ! new_disk || break
        sleep 0.1
    done
    new_disk || fail "the disk $1 did not come"
    wait_until 60 known "$DISK"
    udevadm settle
}

# A copy of the system's disk is attached: read-only when the first rule after ours looks, marked, of
# no type that anything would assemble or mount, and no other rule's program is run.
attach_disk hot
assert_eq "$(property "$DISK" EXHIBIT_EVIDENCE)" 1
assert_eq "$(property "$DISK" WITNESS_RO)" 1 "the flag that the first witness saw"
assert_eq "$(ro "$DISK")" 1
assert_eq "$(property "$DISK" UDISKS_IGNORE)" 1
assert_eq "$(property "$DISK" SYSTEMD_READY)" 0
assert_eq "$(property "$DISK" ID_FS_TYPE)" exhibit_evidence
assert_eq "$(property "$DISK" EXHIBIT_FS_TYPE)" ext4
assert_eq "$(property "$DISK" ID_FS_UUID)" ""
assert_eq "$(property "$DISK" WOULD_ASSEMBLE)" ""
assert_missing /run/mounted
# Its UUID is the boot disk's: the name stays with that.
assert_eq "$(readlink -f /dev/disk/by-uuid/11111111-1111-1111-1111-111111111111)" /dev/sda
[ -n "$(find /dev/disk/by-id -lname "*/$DISK")" ] || fail "no name in by-id"
if dd if=/dev/zero of="/dev/$DISK" bs=512 count=1 2>/dev/null; then
    fail "the disk can be written"
fi
grep -qx E:EXHIBIT_EVIDENCE=1 "/run/udev/data/b$(cat "/sys/block/$DISK/dev")" ||
    fail "udev's record has no mark"

# Further events change nothing; a lifted flag stays lifted.
udevadm trigger --action=change --settle "/sys/block/$DISK"
assert_eq "$(property "$DISK" EXHIBIT_EVIDENCE)" 1
assert_eq "$(ro "$DISK")" 1
blockdev --setrw "/dev/$DISK"
udevadm trigger --action=change --settle "/sys/block/$DISK"
udevadm trigger --action=add --settle "/sys/block/$DISK"
assert_eq "$(ro "$DISK")" 0 "the flag after it was lifted"
assert_missing /run/mounted

# A second arming keeps what has come since.
expect 0 "$EXHIBIT_BIN/exhibit-mark" --arm
assert_eq "$(cat /run/exhibit/armed)" "$armed"

# Partitions have their disk's mark and flag; a daemon that runs is told of the disk, once.
"$EXHIBIT_BIN/exhibitd" --state-dir /run/jobs >/run/daemon.log 2>&1 &
wait_until 20 curl -sf --unix-socket /run/exhibitd.sock http://x/v1/version
attach_disk ext
wait_until 60 known "${DISK}1"
udevadm settle
assert_eq "$(property "${DISK}1" EXHIBIT_EVIDENCE)" 1
assert_eq "$(property "${DISK}1" WITNESS_RO)" 1
assert_eq "$(property "${DISK}1" SYSTEMD_READY)" 0
assert_missing /run/mounted
wait_until 20 grep -qF "'/dev/$DISK' was attached: evidence" /run/daemon.log
udevadm trigger --action=change --settle "/sys/block/$DISK"
assert_eq "$(grep -c "was attached" /run/daemon.log)" 1 "how often the daemon was told"
curl -s --unix-socket /run/exhibitd.sock http://x/v1/devices >"$T/out"
assert_eq "$(jq -r ".[] | select(.path == \"/dev/$DISK\") | .evidence" "$T/out")" true
if dd if=/dev/zero of="/dev/${DISK}1" bs=512 count=1 2>/dev/null; then
    fail "the partition can be written"
fi

# A job as somebody who is not root may take it, and not the boot disk: the daemon's policy.
export EXHIBIT_SOCKET=/run/exhibitd.sock
mkdir -m 777 "$T/images"
user() { setpriv --reuid=64001 --regid=64001 --groups="$(getent group nogroup | cut -d: -f3)" "$@"; }
expect 0 user "$EXHIBIT_BIN/exhibit" submit "/dev/$DISK" "$T/images/x" --no-verify --write-block read-only-flag
expect 0 user "$EXHIBIT_BIN/exhibit" watch "$(cat "$T/out")"
assert_eq "$(jq -r .write_block.read_only_flag.before "$T/images/x.manifest.json")" true
expect 0 user "$EXHIBIT_BIN/exhibit" submit /dev/sda "$T/images/y"
expect 5 user "$EXHIBIT_BIN/exhibit" watch "$(cat "$T/out")"
assert_contains "$T/err" "not marked as evidence"
expect 0 user "$EXHIBIT_BIN/exhibit" release "/dev/$DISK"
assert_eq "$(ro "$DISK")" 0 "the flag after a release"

# Spared by the configuration: others get it.
attach_disk spare
assert_eq "$(property "$DISK" EXHIBIT_EVIDENCE)" ""
assert_eq "$(ro "$DISK")" 0
assert_contains /run/mounted "$DISK"
