# In the virtual machine, as root: an AHCI and an NVMe disk, at the level that lets writers through.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"

exhibit() { "$EXHIBIT_BIN/exhibit" "$@"; }
all_there() { [ -b /dev/sda ] && [ -b /dev/nvme0n1 ]; }
wait_until 60 all_there

# stat_of DISK FIELD: of /sys/block/DISK/stat (Documentation/block/stat.rst of Linux).
stat_of() { awk -v n="$2" '{ print $n }' "/sys/block/$1/stat"; }
# agree MANIFEST: log and record say the same as the manifest.
agree() {
    local m=$1.manifest.json record counts
    record=$(jq -r .acquisition.supervisor_record "$m")
    counts=$(jq -c '.write_block.monitor | [.reads, .writes, .flushes, .discards, .passthrough]' "$m")
    assert_eq "$(jq -c '.monitor | [.reads, .writes, .flushes, .discards, .passthrough]' "$record")" \
        "$counts" "the record's counts"
    assert_contains "$1.log" "$(jq -r '.write_block.monitor | "\(.reads) reads, \(.writes) writes, " +
        "\(.flushes) flushes, \(.discards) discards, \(.passthrough) commands"' "$m")"
}

# A quiet job: as many reads as the kernel itself counts, and nothing else.
for disk in sda nvme0n1; do
    before=$(stat_of $disk 1)
    expect 0 exhibit acquire /dev/$disk "$T/$disk" -q --write-block read-only-flag
    m=$T/$disk.manifest.json
    assert_json "$m" .write_block.monitor.available true
    assert_json "$m" .write_block.monitor.missing null
    assert_json "$m" .write_block.monitor.reads $(($(stat_of $disk 1) - before))
    assert_json "$m" '.write_block.monitor.reads >= 8' true
    for kind in writes flushes discards; do
        assert_json "$m" .write_block.monitor.$kind 0
    done
    agree "$T/$disk"
done
assert_json "$T/sda.manifest.json" .write_block.monitor.passthrough 0

# A job among writers: one flush, two SCSI writes round the block layer, and, with the flag lifted,
# three writes and a flush. A command to the NVMe disk is none of this one's.
exhibit acquire /dev/sda "$T/w" --write-block read-only-flag --progress json \
    >"$T/out" 2>"$T/err" </dev/null &
front=$!
wait_until 30 grep -q '"phase":"acquire","bytes_done":[1-9]' "$T/err"
flushes=$(stat_of sda 16)
sync /dev/sda
"$EXHIBIT_BIN/../tests/sg_write" /dev/sda 16000 || fail "SG_IO"
sg=$(ls /sys/block/sda/device/scsi_generic)
"$EXHIBIT_BIN/../tests/sg_write" "/dev/$sg" 16000 || fail "the sg twin"
blockdev --setrw /dev/sda
for sector in 16001 16003 16005; do
    dd if=/dev/zero of=/dev/sda bs=512 seek=$sector count=1 oflag=direct conv=notrunc status=none
done
sync /dev/sda
kill -0 $front || fail "the job was over too soon"
got=0
wait $front || got=$?
assert_eq $got 0 "exit code"
m=$T/w.manifest.json
assert_json "$m" .write_block.monitor.writes 3
assert_json "$m" .write_block.monitor.flushes $(($(stat_of sda 16) - flushes))
assert_json "$m" '.write_block.monitor.flushes >= 2' true
assert_json "$m" .write_block.monitor.passthrough 2
assert_json "$m" .write_block.read_only_flag.during false
agree "$T/w"

# Commands to the controller of an NVMe disk: its temperature is asked for.
exhibit acquire /dev/nvme0n1 "$T/n" --write-block read-only-flag --progress none >"$T/out" 2>&1 ||
    fail "nvme"
temperature=$(ls /sys/class/nvme/nvme0/hwmon*/temp1_input 2>/dev/null || true)
if [ -n "$temperature" ]; then
    assert_json "$T/n.manifest.json" '.write_block.monitor.passthrough >= 1' true
fi
