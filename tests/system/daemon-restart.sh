# What becomes of jobs when the daemon ends in order, is killed, or one of their processes is: nothing
# is lost, and the images are what they would have been.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/daemon.sh"
require_loop
random_file "$T/src" $((48 * 1048576))
random_file "$T/src2" $((48 * 1048576)) second
random_file "$T/small" 1048576
paced_device "$T/src"
disk=$DEV
paced_device "$T/src2"
disk2=$DEV
daemon_start

gone() { ! kill -0 "$1" 2>/dev/null; }

# One reads, one is paused, one waits; twice: ended in order, and killed.
round=0
for signal in TERM KILL; do
    round=$((round + 1))
    submit "$ADA" "$disk" "$T/ada/$round" --compression none
    running=$JOB
    submit "$BOB" "$disk2" "$T/bob/$round" --compression none
    paused=$JOB
    submit "$BOB" "$T/small" "$T/bob/small$round"
    waiting=$JOB
    wait_until 20 reads "$running"
    wait_until 20 reads "$paused"
    api "$BOB" 200 "/v1/jobs/$paused/pause" -X POST
    wait_until 10 job_is "$paused" .phase paused
    front=$(process "$running" front)
    if [ "$signal" = KILL ]; then
        # A read that takes eight seconds outlives the processes of its job, and holds the disk.
        crawl "$disk"
        sleep 2
    fi
    daemon_stop "$signal"
    if [ "$signal" = TERM ]; then
        gone "$front" || fail "the daemon ended before its job had"
    fi
    assert_json "$T/jobs/$running.json" .state running
    assert_json "$T/jobs/$paused.json" .state paused
    assert_json "$T/jobs/$waiting.json" .state queued
    # No job runs on without the daemon.
    wait_until 20 gone "$front"
    assert_exists "$T/ada/$round.partial"

    fast "$disk"
    fast "$disk2"
    daemon_start
    await_job "$waiting" done
    await_job "$running" done
    assert_json "$T/ada/$round.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
    assert_json "$T/ada/$round.manifest.json" '.acquisition.resumed | length' 1
    assert_eq "$(stat -c %u "$T/ada/$round.E01")" "$ADA" "owner of the image"
    assert_json "$T/bob/small$round.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/small")"
    job_is "$paused" .state paused || fail "a paused job did not stay so"
    api "$BOB" 200 "/v1/jobs/$paused/resume" -X POST
    await_job "$paused" done
    assert_json "$T/bob/$round.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src2")"
    assert_eq "$(stat -c %u "$T/bob/$round.E01")" "$BOB" "owner of the image"
    slow "$disk"
    slow "$disk2"
done

# One process of a job is killed: that job is interrupted, the other goes on.
worker() { child_of "$(process "$1" supervisor)" exhibit-worker; }
for victim in front supervisor worker; do
    if [ "$victim" = worker ]; then
        submit "$BOB" "$disk2" "$T/bob/$victim" --compression none
        other=$JOB
    fi
    submit "$ADA" "$disk" "$T/ada/$victim" --compression none
    wait_until 20 reads "$JOB"
    if [ "$victim" = worker ]; then pid=$(worker "$JOB"); else pid=$(process "$JOB" "$victim"); fi
    kill -9 "$pid"
    await_job "$JOB" interrupted
    fast "$disk"
    api "$ADA" 200 "/v1/jobs/$JOB/resume" -X POST
    await_job "$JOB" done
    assert_json "$T/ada/$victim.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
    slow "$disk"
done
fast "$disk2"
await_job "$other" done
assert_json "$T/bob/worker.manifest.json" '.acquisition.resumed | length' 0

# An API process: its client alone notices.
submit "$ADA" "$disk" "$T/ada/api" --compression none
as "$ADA" curl -sSN --unix-socket "$SOCKET" "http://x/v1/jobs/$JOB/events" >"$T/stream" \
    2>"$T/stream.err" &
client=$!
wait_until 20 grep -q '"phase":"acquire"' "$T/stream"
# That of a request before may still be ending.
for pid in $(cat "/proc/$DAEMON/task/$DAEMON/children"); do
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != exhibit-api ] || kill -9 "$pid" 2>/dev/null || true
done
got=0
wait "$client" || got=$?
[ "$got" -ne 0 ] || fail "a stream that was cut off looks whole"
fast "$disk"
await_job "$JOB" done
assert_json "$T/ada/api.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
kill -0 "$DAEMON" || fail "the daemon has ended"

# What stands in the state directory is not believed blindly.
daemon_stop
echo '{' >"$T/jobs/900.json"
jq '.uid = -1' "$T/jobs/$JOB.json" >"$T/jobs/901.json"
cp "$T/jobs/$JOB.json" "$T/jobs/902.json"
ln -s /etc/passwd "$T/jobs/903.json"
mkdir "$T/jobs/904.json"
daemon_start
for id in 900 901 902 903 904; do api 0 404 "/v1/jobs/$id"; done
api 0 200 "/v1/jobs/$JOB"
# What is there under a number keeps it.
echo '{' >"$T/before"
submit "$ADA" "$T/small" "$T/ada/after"
assert_eq "$JOB" 905 "id after the damaged ones"
assert_same_bytes "$T/jobs/900.json" "$T/before"
grep -q "902.json' is left out" "$T/daemon.log" || fail "what was left out is not told"

# Paths of the command line are meant from where it was started.
daemon_stop
(cd "$T" && exec exhibitd --socket ./rel.sock --state-dir jobs --group "$DAEMON_GROUP" --config conf) \
    >>"$T/daemon.log" 2>&1 </dev/null &
other=$!
daemon_kill_at_exit "$other"
wait_until 10 as "$ADA" curl -sf --unix-socket "$T/rel.sock" "http://x/v1/jobs/$JOB"
kill "$other"
wait "$other"
daemon_start

# Two daemons do not share a directory, and none runs without root.
expect 5 exhibitd --socket "$T/other.sock" --state-dir "$T/jobs" --group "$DAEMON_GROUP" --config "$T/conf"
assert_error "another exhibitd runs"
expect 5 exhibitd --socket "$SOCKET" --state-dir "$T/jobs2" --group "$DAEMON_GROUP" --config "$T/conf"
assert_error "another program listens"
expect 5 as "$ADA" exhibitd --socket "$T/ada/s" --state-dir "$T/ada/jobs"
expect 1 exhibitd --socket "$T/other.sock" --state-dir "$T/jobs2" --group no-such-group
assert_error "no-such-group"

# No room for the jobs' files: none is taken that would be forgotten; what is there goes on, and with
# room again all is as before.
daemon_stop
small_filesystem "$T/full" 64k
chmod 700 "$T/full"
slow "$disk"
daemon_start --state-dir "$T/full"
submit "$ADA" "$disk" "$T/ada/full" --compression none
going=$JOB
wait_until 20 reads "$going"
head -c 1M /dev/zero >"$T/full/fill" 2>/dev/null || true
body=$(jq -n --arg s "$T/small" --arg d "$T/ada/none" '{source: $s, dest: $d}')
api "$ADA" 500 /v1/jobs -d "$body"
assert_contains "$T/out" "No space left"
api "$ADA" 200 /v1/jobs
assert_json "$T/out" length 1
fast "$disk"
await_job "$going" done
assert_json "$T/ada/full.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
rm "$T/full/fill"
submit "$ADA" "$T/small" "$T/ada/room"
await_job "$JOB" done
