# Pausing, resuming and cancelling jobs of the daemon, with and without removing what was written;
# how many run at a time, and whose is next.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/daemon.sh"
require_loop
random_file "$T/src" $((48 * 1048576))
paced_device "$T/src"
disk=$DEV
random_file "$T/small" 1048576
daemon_start

# Paused: nothing is read; then it goes on, and the image is what it would have been.
submit "$ADA" "$disk" "$T/ada/x" --compression none
wait_until 20 reads "$JOB"
api "$ADA" 200 "/v1/jobs/$JOB/pause" -X POST
assert_json "$T/out" .state paused
wait_until 10 job_is "$JOB" .phase paused
# What was being read then comes to its end; after it the disk, as the kernel counts, is left alone.
sectors_read() { awk '{ print $3 }' "/sys/block/${disk##*/}/stat"; }
rests() {
    local before
    before=$(sectors_read)
    sleep 1
    [ "$(awk '{ print $9 }' "/sys/block/${disk##*/}/stat")" -eq 0 ] && [ "$(sectors_read)" -eq "$before" ]
}
wait_until 5 rests
job_is "$JOB" '.bytes_done < .bytes_total' true || fail "it was read to its end in the pause"
before=$(sectors_read)
sleep 2
assert_eq "$(sectors_read)" "$before" "sectors read by the end of two seconds in a pause"
api "$ADA" 200 "/v1/jobs/$JOB/pause" -X POST

# While it is, and with another place taken, the next waits; a paused job keeps its place.
held=$JOB
submit "$BOB" "$T/small" "$T/bob/a"
await_job "$JOB" done
api "$ADA" 200 "/v1/jobs/$held/resume" -X POST
assert_json "$T/out" .state running
fast "$disk"
await_job "$held" done
slow "$disk"
assert_json "$T/ada/x.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
assert_json "$T/ada/x.manifest.json" '.acquisition.pauses | length' 1

# A job that waits can be held back, and is not started before it is let go.
submit "$ADA" "$disk" "$T/ada/y" --compression none
one=$JOB
submit "$BOB" "$T/small" "$T/bob/b" --copy "$T/bob/b2"
await_job "$JOB" done
wait_until 20 reads "$one"

# Cancelled: a resumable job is left, and resume goes on with it.
api "$ADA" 200 "/v1/jobs/$one/cancel" -X POST
await_job "$one" cancelled
api "$ADA" 200 "/v1/jobs/$one"
assert_json "$T/out" .message "to continue: exhibit resume $one"
api "$ADA" 200 "/v1/jobs/$one"
assert_json "$T/out" .exit 4
assert_exists "$T/ada/y.partial"
fast "$disk"
api "$ADA" 200 "/v1/jobs/$one/resume" -X POST
await_job "$one" done
slow "$disk"
assert_json "$T/ada/y.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
assert_json "$T/ada/y.manifest.json" '.acquisition.resumed | length' 1

# Cancelled and discarded: nothing is left, and nothing to resume. Also of one that is stopped or paused, and
# of one that was cancelled before.
for how in running stopped paused cancelled; do
    submit "$ADA" "$disk" "$T/ada/z" --compression none --copy "$T/ada/copy"
    wait_until 20 reads "$JOB"
    if [ "$how" = paused ]; then
        api "$ADA" 200 "/v1/jobs/$JOB/pause" -X POST
        wait_until 10 job_is "$JOB" .phase paused
    elif [ "$how" = stopped ]; then
        # By its own user, who may.
        as "$ADA" kill -STOP "$(process "$JOB" front)"
    elif [ "$how" = cancelled ]; then
        api "$ADA" 200 "/v1/jobs/$JOB/cancel" -X POST
        await_job "$JOB" cancelled
    fi
    assert_exists "$T/ada/z.partial"
    assert_exists "$T/ada/copy.partial"
    api "$ADA" 200 "/v1/jobs/$JOB/cancel" -d '{"discard":true}'
    api "$ADA" 200 "/v1/jobs/$JOB/events"
    await_job "$JOB" cancelled
    wait_until 10 job_is "$JOB" .message "what had been written was removed"
    assert_missing "$T/ada/z.partial"
    assert_missing "$T/ada/copy.partial"
    api "$ADA" 409 "/v1/jobs/$JOB/resume" -X POST
done

# Two at a time; then the one whose user has the fewest running, before those who came first.
submit "$ADA" "$disk" "$T/ada/p" --compression none
p=$JOB
wait_until 20 reads "$p"
api "$ADA" 200 "/v1/jobs/$p/pause" -X POST
# A second device takes the second place.
paced_device "$T/src"
submit "$ADA" "$DEV" "$T/ada/q" --compression none
q=$JOB
submit "$ADA" "$T/small" "$T/ada/r"
r=$JOB
submit "$BOB" "$T/small" "$T/bob/s"
s=$JOB
for id in "$r" "$s"; do job_is "$id" .state queued || fail "three jobs run at a time"; done
# Held back while it waits.
api "$ADA" 200 "/v1/jobs/$r/pause" -X POST
api "$ADA" 200 "/v1/jobs/$r/resume" -X POST
assert_json "$T/out" .state queued
api "$ADA" 200 "/v1/jobs/$q/cancel" -d '{"discard":true}'
await_job "$r" done
await_job "$s" done
began() { grep -n "job $1 of .*: started" "$T/daemon.log" | cut -d: -f1; }
[ "$(began "$s")" -lt "$(began "$r")" ] || fail "who had a job running went before who had none"
api "$ADA" 200 "/v1/jobs/$p/cancel" -d '{"discard":true}'
await_job "$p" cancelled
kill -0 "$DAEMON" || fail "the daemon has ended"
