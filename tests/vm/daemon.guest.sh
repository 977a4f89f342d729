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
images=("$T/ada/SATA0001" "$T/bob/SATA0002" "$T/ada/USB0001" "$T/bob/NVME0001")
# Emulation is slow: what is asked often is read from files, by the shell itself.
# The image's first bytes are written when there are 8 MiB of them, or all.
is_begun() {
    local log=$1.partial/${1##*/}.log
    [ -e "$log" ] && [[ $(<"$log") == *"reading begins"* ]]
}
is_in_state() { [[ $(<"$T/jobs/$1.json") == *"\"state\": \"$2\""* ]]; }
pid_of() {
    [[ $(<"$T/jobs/$1.json") =~ \"$2\":\ \{[^}]*\"pid\":\ ([0-9]+) ]]
    echo "${BASH_REMATCH[1]}"
}
# A worker that has begun is held, so that all four are under way at once.
workers=()
for i in 0 1 2 3; do
    submit "${owners[i]}" "$(disk "${serials[i]}")" "${images[i]}" --compression none
    assert_eq "$JOB" $((i + 1)) "id of a job"
    wait_until 120 is_begun "${images[i]}"
    supervisor=$(pid_of "$JOB" supervisor)
    read -r worker _ <"/proc/$supervisor/task/$supervisor/children" || [ -n "$worker" ]
    kill -STOP "$worker"
    workers+=("$worker")
done
for i in 1 2 3 4; do is_in_state $i running || fail "four jobs do not run at once"; done

kill -CONT "${workers[@]:0:2}"
kill -9 "${workers[0]}"
kill -9 "$(pid_of 2 supervisor)"
as "$BOB" curl -sSN --unix-socket "$SOCKET" "http://x/v1/jobs/4/events" >"$T/out" 2>"$T/err" &
stream=$!
wait_until 20 test -s "$T/out"
# One that is just being made has no name yet.
streams_end() {
    local p
    for p in $(<"/proc/$DAEMON/task/$DAEMON/children"); do
        [ "$(cat "/proc/$p/comm" 2>/dev/null)" != exhibit-api ] || kill -9 "$p"
    done
    ! kill -0 $stream 2>/dev/null
}
wait_until 20 streams_end
wait $stream || true
for i in 1 2; do wait_until 60 is_in_state $i interrupted; done
for i in 3 4; do is_in_state $i running || fail "job $i did not go on"; done
api "$BOB" 404 "/v1/jobs/1/resume" -X POST
api "$ADA" 200 "/v1/jobs/1/resume" -X POST
api "$BOB" 200 "/v1/jobs/2/resume" -X POST
daemon_stop KILL 2>/dev/null
for i in 3 4; do is_in_state $i running || fail "job $i has ended"; done
kill -CONT "${workers[@]:2}"
daemon_start
for i in 0 1 2 3; do
    wait_until 120 is_in_state $((i + 1)) done
    m=${images[i]}.manifest.json
    assert_eq "$(jq -r '[.source.serial, .media.hashes.sha256, .case.user.uid, .write_block.monitor.writes,
        (.acquisition.resumed | length > 0), .verification.status] | join(" ")' "$m")" \
        "${serials[i]} $(<"/share/${serials[i]}.sha256") ${owners[i]} 0 true passed" "manifest of job $i"
    assert_eq "$(stat -c %u "${images[i]}.E01")" "${owners[i]}" "owner of ${images[i]}"
    if dd if=/dev/zero of="$(disk "${serials[i]}")" bs=512 count=1 conv=notrunc 2>/dev/null; then
        fail "the disk of job $i can be written"
    fi
done
assert_eq "$(cd "$T/ada" && echo *.E01) $(cd "$T/bob" && echo *.E01)" \
    "SATA0001.E01 USB0001.E01 NVME0001.E01 SATA0002.E01" "who has which image"
api "$BOB" 403 /v1/release -d "{\"device\":\"$(disk SATA0001)\"}"
api "$ADA" 200 /v1/release -d "{\"device\":\"$(disk SATA0001)\"}"
assert_eq "$(blockdev --getro "$(disk SATA0001)")" 0 "read-only flag after the release"
