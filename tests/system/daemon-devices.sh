# Devices through the daemon: evidence alone, marked by udev or by the configuration; four disks at
# once as two users; who may lift the write block.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/daemon.sh"
require_loop
require ewfverify
disks=()
for i in 0 1 2 3; do
    random_file "$T/disk$i" $((8 * 1048576)) "$i"
    attach "$T/disk$i"
    disks+=("$DEV")
done
ro() { blockdev --getro "$1"; }

# Unmarked: refused, and left as it is.
echo "parallel = 4" >"$T/conf"
daemon_start
submit "$ADA" "${disks[0]}" "$T/ada/x"
await_job "$JOB" failed
api "$ADA" 200 "/v1/jobs/$JOB"
assert_json "$T/out" .exit 5
assert_contains "$T/out" evidence
assert_missing "$T/ada/x.partial"
assert_eq "$(ro "${disks[0]}")" 0 "read-only flag of a disk that was refused"
# So is what has nothing to do with evidence.
for source in /dev/null /dev/mem "$T" /proc/self/mem "$T/no-such"; do
    submit "$ADA" "$source" "$T/ada/x"
    await_job "$JOB" failed
done
daemon_stop

# Two marked by udev, two by the configuration; the defaults go in front of the job's options.
mark "${disks[0]}"
mark "${disks[1]}"
cat >>"$T/conf" <<END
evidence = path=${disks[2]}
evidence = path=${disks[3]}
default.examiner = The Lab
END
daemon_start
# Whoever lists the disks sees what may be imaged, whichever of the two marked it.
api "$ADA" 200 /v1/devices
marked=$(jq -r '.[] | select(.evidence) | .path' "$T/out")
for disk in "${disks[@]}"; do
    [[ $'\n'$marked$'\n' == *$'\n'$disk$'\n'* ]] || fail "$disk is not listed as evidence"
done
jobs=()
for i in 0 1 2 3; do
    uid=$ADA dir=$T/ada
    if [ $((i % 2)) -eq 1 ]; then uid=$BOB dir=$T/bob; fi
    submit "$uid" "${disks[i]}" "$dir/disk$i" --compression none
    jobs+=("$JOB")
done
for i in 0 1 2 3; do
    uid=$ADA dir=$T/ada
    if [ $((i % 2)) -eq 1 ]; then uid=$BOB dir=$T/bob; fi
    await_job "${jobs[i]}" done
    assert_eq "$(stat -c %u "$dir/disk$i.E01")" "$uid" "owner of image $i"
    expect 0 ewfverify -q "$dir/disk$i.E01"
    assert_json "$dir/disk$i.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/disk$i")"
    assert_json "$dir/disk$i.manifest.json" .case.user.uid "$uid"
    assert_json "$dir/disk$i.manifest.json" .case.examiner "The Lab"
    assert_json "$dir/disk$i.manifest.json" .acquisition.sandbox.uid "$uid"
    # The best write block that there is; where that is not the guard, it is said why.
    assert_json "$dir/disk$i.manifest.json" \
        '.write_block | (.level == "bpf-lsm") == (.guard_missing == null)' true
    assert_eq "$(ro "${disks[i]}")" 1 "read-only flag after the job"
done
assert_only "$T/bob" disk1.E01 disk1.custody.jsonl disk1.log disk1.manifest.json disk1.map disk1.md5 \
    disk1.sha256 disk3.E01 disk3.custody.jsonl disk3.log disk3.manifest.json disk3.map disk3.md5 disk3.sha256
assert_eq "$(cd "$T/ada" && echo *.E01)" "disk0.E01 disk2.E01" "images of Ada"

# The write block is lifted for whose job it was, and for root; for nobody else.
api "$BOB" 403 /v1/release -d "{\"device\":\"${disks[0]}\"}"
assert_json "$T/out" .exit 5
assert_eq "$(ro "${disks[0]}")" 1 "read-only flag after a refused release"
# Nor if the disk that was judged has left, and another come in its place.
expect 5 exhibit release --diskseq=1 "${disks[0]}"
assert_error "another disk by now"
assert_eq "$(ro "${disks[0]}")" 1 "read-only flag of another disk"
api "$ADA" 200 /v1/release -d "{\"device\":\"${disks[0]}\"}"
assert_json "$T/out" .released true
assert_eq "$(ro "${disks[0]}")" 0 "read-only flag after the release"
api 0 200 /v1/release -d "{\"device\":\"${disks[1]}\"}"
assert_eq "$(ro "${disks[1]}")" 0 "read-only flag after root's release"
api "$ADA" 400 /v1/release -d '{"device":"/dev/null"}'
api "$ADA" 400 /v1/release -d '{"device":"loop0"}'
# The weakest write block that the laboratory takes; behind it, nothing is left changed.
daemon_stop
cp "$T/conf" "$T/before"
least() {
    local level=$1 want=$2
    shift 2
    submit "$ADA" "${disks[0]}" "$T/ada/least" --no-verify --release --write-block "$level" "$@"
    await_job "$JOB" "$want"
    rm -f "$T/ada/least"*
    assert_eq "$(ro "${disks[0]}")" 0 "read-only flag after a job of level $level"
}
echo "least-write-block = read-only-flag" >>"$T/conf"
daemon_start
least auto done
least read-only-flag done
least hardware failed --hardware-blocker "a word"
api "$ADA" 200 "/v1/jobs/$JOB"
assert_json "$T/out" .exit 5
assert_contains "$T/out" "demands write block 'read-only-flag'"
daemon_stop
sed -i 's/^least.*/least-write-block = bpf-lsm/' "$T/conf"
daemon_start
least read-only-flag failed
api "$ADA" 200 "/v1/jobs/$JOB"
assert_contains "$T/out" "demands write block 'bpf-lsm'"
submit "$ADA" "${disks[0]}" "$T/ada/least" --no-verify --release
least_ended() { api "$ADA" 200 "/v1/jobs/$JOB" && jq -e .finished "$T/out" >/dev/null; }
wait_until 30 least_ended
if [ "$(json "$T/out" .state)" = done ]; then
    assert_json "$T/ada/least.manifest.json" .write_block.level bpf-lsm
else
    assert_contains "$T/out" "'bpf-lsm' cannot be had"
fi
daemon_stop
cp "$T/before" "$T/conf"
daemon_start

# Told of a new disk, by root alone: who follows the devices hears of it at once, and so does who comes
# later; a line in the log says which it was.
as "$BOB" timeout 120 curl -sSN --unix-socket "$SOCKET" http://x/v1/devices/events >"$T/attached" &
api "$ADA" 403 /v1/devices -d "{\"device\":\"${disks[2]}\"}"
api 0 400 /v1/devices -d '{"device":"/dev/null"}'
ln -s "${disks[1]}" "$T/link"
for device in "${disks[2]}" "$T/link"; do
    EXHIBIT_SOCKET=$SOCKET expect 0 "$T/bin/exhibit-tell" "$device"
done
wait_until 10 grep -q "\"device\":\"${disks[1]}\"" "$T/attached"
assert_eq "$(jq -r '[.event, .device] | join(" ")' "$T/attached" | tr '\n' ';')" \
    "attached ${disks[2]};attached ${disks[1]};" "events of devices"
first=$(head -n 1 "$T/attached" | jq .seq)
as "$ADA" timeout 120 curl -sSN --unix-socket "$SOCKET" \
    "http://x/v1/devices/events?since=$first" >"$T/since" &
wait_until 10 grep -q '}$' "$T/since"
assert_eq "$(jq -r .device "$T/since")" "${disks[1]}" "device of the event after the first"
assert_contains "$T/daemon.log" "'${disks[2]}' was attached: evidence"
EXHIBIT_SOCKET=$T/nobody expect 0 "$T/bin/exhibit-tell" "${disks[2]}"

# A job that holds it keeps it.
random_file "$T/paced" $((32 * 1048576))
paced_device "$T/paced"
submit "$ADA" "$DEV" "$T/ada/slow" --compression none
wait_until 20 job_is "$JOB" .phase acquire
api "$ADA" 409 /v1/release -d "{\"device\":\"$DEV\"}"
assert_contains "$T/out" "busy"
fast "$DEV"
await_job "$JOB" done
kill -0 "$DAEMON" || fail "the daemon has ended"
