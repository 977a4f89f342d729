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

# go_on: the job $front goes on to its end.
go_on() {
    local got=0
    kill -USR2 "$front"
    wait "$front" || got=$?
    assert_eq "$got" 0 "exit code"
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
# A job asks the drive itself for identity and health, as often each time.
asked=$(json "$T/sda.manifest.json" .write_block.monitor.passthrough)
# Commands to the controller of an NVMe disk: the job asks for the temperature.
if ls /sys/class/nvme/nvme0/hwmon*/temp1_input >/dev/null 2>&1; then
    assert_json "$T/nvme0n1.manifest.json" '.write_block.monitor.passthrough >= 1' true
fi

# A job among writers: one flush, two SCSI writes round the block layer, and, with the flag lifted,
# three writes and a flush. A command to the NVMe disk is none of this one's.
"$EXHIBIT_BIN/exhibit" acquire /dev/sda "$T/w" --write-block read-only-flag --progress json \
    >"$T/out" 2>"$T/err" </dev/null &
front=$!
hold_job $front "$T/w.partial/w.log"
flushes=$(stat_of sda 16)
sync /dev/sda
"$EXHIBIT_BIN/../tests/sg_write" /dev/sda 16000 || fail "SG_IO"
sg=$(ls /sys/block/sda/device/scsi_generic)
"$EXHIBIT_BIN/../tests/sg_write" "/dev/$sg" 16000 || fail "the sg twin"
for sector in 16001 16003 16005; do
    # The supervisor may set the flag again at any time.
    until blockdev --setrw /dev/sda && dd if=/dev/zero of=/dev/sda bs=512 seek=$sector count=1 \
        oflag=direct conv=notrunc status=none 2>"$T/dd"; do
        grep -q "not permitted\|denied" "$T/dd" || fail "$(cat "$T/dd")"
    done
done
sync /dev/sda
go_on
m=$T/w.manifest.json
assert_json "$m" .write_block.monitor.writes 3
assert_json "$m" .write_block.monitor.flushes $(($(stat_of sda 16) - flushes))
assert_json "$m" '.write_block.monitor.flushes >= 2' true
assert_json "$m" .write_block.monitor.passthrough $((asked + 2))
assert_json "$m" .write_block.read_only_flag.during false
agree "$T/w"

# With the guard: who is refused stands in the log at once, then in manifest and record, and nothing
# was written.
exhibit release /dev/sda >"$T/out" 2>"$T/err" || true
"$EXHIBIT_BIN/exhibit" acquire /dev/sda "$T/g" --write-block bpf-lsm --progress json \
    >"$T/out" 2>"$T/err" </dev/null &
front=$!
hold_job $front "$T/g.partial/g.log"
if dd if=/dev/zero of=/dev/sda bs=512 count=1 conv=notrunc 2>/dev/null; then
    fail "the disk was written to"
fi
wait_until 20 grep -q 'refused to process .*open for writing' "$T/g.partial/g.log"
if setpriv --reuid=65534 --regid=65534 --clear-groups "$EXHIBIT_BIN/../tests/sg_write" /dev/fd/9 16000 \
    9</dev/sda 2>/dev/null || "$EXHIBIT_BIN/../tests/sg_write" "/dev/$sg" 16000 2>/dev/null; then
    fail "a SCSI command was let through"
fi
blockdev --setrw /dev/sda 2>/dev/null && fail "the flag was lifted"
go_on
m=$T/g.manifest.json
assert_json "$m" .write_block.level bpf-lsm
assert_json "$m" .write_block.guard_lost false
assert_json "$m" .write_block.read_only_flag.during true
assert_json "$m" '.write_block.monitor.refused >= 3' true
assert_json "$m" '.write_block.monitor.refused == (.write_block.monitor.attempts | length)' true
assert_json "$m" '.write_block.monitor.attempts[0] | "\(.name) \(.uid) \(.what) \(.node)"' \
    "dd 0 open for writing sda"
assert_json "$m" '[.write_block.monitor.attempts[].name] | unique | contains(["blockdev", "dd", "sg_write"])' true
for kind in writes discards; do
    assert_json "$m" .write_block.monitor.$kind 0
done
agree "$T/g"
record=$(jq -r .acquisition.supervisor_record "$m")
assert_eq "$(jq -c '[.attempts[] | {time, pid, uid, name, what, node}]' "$record")" \
    "$(jq -c '[.write_block.monitor.attempts[] | {time, pid, uid, name, what, node}]' "$m")" \
    "the record's attempts"
assert_eq "$(jq .refused "$record")" "$(jq .write_block.monitor.refused "$m")"
assert_eq "$(grep -c 'refused to process' "$T/g.log")" "$(jq .write_block.monitor.refused "$m")"
