# In the virtual machine: four jobs at once on four disks as two users, through the daemon; a worker,
# a supervisor, an API process and the daemon are killed, and nothing is lost.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"
. "$EXHIBIT_SOURCE/tests/lib/daemon.sh"

all_there() { [ "$(cat /sys/block/*/size 2>/dev/null | grep -cx 16384)" -eq 4 ]; }
wait_until 60 all_there
serials=(SATA0001 SATA0002 USB0001 NVME0001)
{
    echo "parallel = 4"
    printf 'evidence = serial=%s\n' "${serials[@]}"
} >"$T/conf"
daemon_start
api "$ADA" 200 /v1/devices
disk() { jq -r --arg s "$1" '.[] | select(.serial == $s) | .path' "$T/devices"; }
cp "$T/out" "$T/devices"

owners=("$ADA" "$BOB" "$ADA" "$BOB")
dirs=("$T/ada" "$T/bob" "$T/ada" "$T/bob")
jobs=()
for i in 0 1 2 3; do
    submit "${owners[i]}" "$(disk "${serials[i]}")" "${dirs[i]}/${serials[i]}" --compression none
    jobs+=("$JOB")
done
for i in 0 1 2 3; do wait_until 60 reads "${jobs[i]}"; done
job_is "${jobs[0]}" .state running || fail "four jobs do not run at once"

children() { tr ' ' '\n' <"/proc/$1/task/$1/children" | grep . || true; }
kill -9 "$(children "$(process "${jobs[0]}" supervisor)" | head -1)"
kill -9 "$(process "${jobs[1]}" supervisor)"
as "$BOB" curl -sSN --unix-socket "$SOCKET" "http://x/v1/jobs/${jobs[3]}/events" >"$T/out" 2>"$T/err" &
stream=$!
wait_until 10 test -s "$T/out"
for p in $(children "$DAEMON"); do
    [ "$(cat "/proc/$p/comm")" != exhibit-api ] || kill -9 "$p"
done
wait $stream || true
for i in 0 1; do await_job "${jobs[i]}" interrupted; done
for i in 2 3; do job_is "${jobs[i]}" .state running || fail "job $i did not go on"; done
api "$BOB" 404 "/v1/jobs/${jobs[0]}/resume" -X POST
for i in 0 1; do api "${owners[i]}" 200 "/v1/jobs/${jobs[i]}/resume" -X POST; done
daemon_stop KILL 2>/dev/null
daemon_start
for i in 0 1 2 3; do
    await_job "${jobs[i]}" done 90
    image=${dirs[i]}/${serials[i]}
    assert_json "$image.manifest.json" .source.serial "${serials[i]}"
    assert_json "$image.manifest.json" .media.hashes.sha256 "$(cat "/share/${serials[i]}.sha256")"
    assert_json "$image.manifest.json" .case.user.uid "${owners[i]}"
    assert_json "$image.manifest.json" '.acquisition.resumed | length > 0' true
    assert_json "$image.manifest.json" '.write_block.monitor.writes' 0
    assert_eq "$(stat -c %u "$image.E01")" "${owners[i]}" "owner of $image"
    expect 0 exhibit verify "$image.manifest.json"
    if dd if=/dev/zero of="$(disk "${serials[i]}")" bs=512 count=1 conv=notrunc 2>/dev/null; then
        fail "the disk of job $i can be written"
    fi
done
assert_eq "$(cd "$T/ada" && echo *.E01) $(cd "$T/bob" && echo *.E01)" \
    "SATA0001.E01 USB0001.E01 NVME0001.E01 SATA0002.E01" "who has which image"
api "$BOB" 403 /v1/release -d "{\"device\":\"$(disk SATA0001)\"}"
api "$ADA" 200 /v1/release -d "{\"device\":\"$(disk SATA0001)\"}"
assert_eq "$(blockdev --getro "$(disk SATA0001)")" 0 "read-only flag after the release"
