# Jobs through the daemon's API: submitted, followed, listed; each user's own alone; what is refused.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/daemon.sh"
require ewfverify
random_file "$T/src" 3145728
random_file "$T/bob/secret" 1048576
chmod 600 "$T/bob/secret"
chown "$BOB" "$T/bob/secret"
daemon_start

api "$ADA" 200 /v1/version
assert_json "$T/out" .name exhibitd
api "$ADA" 200 /v1/jobs
assert_json "$T/out" length 0
api "$ADA" 200 /v1/devices
assert_json "$T/out" type array

# A job of a file, with the user's rights, rightly read.
submit "$ADA" "$T/src" "$T/ada/x" --format e01 --examiner "Ada Löve lace"
await_job "$JOB" done
api "$ADA" 200 "/v1/jobs/$JOB"
assert_json "$T/out" .exit 0
assert_json "$T/out" .uid "$ADA"
assert_json "$T/out" '.options[3]' "Ada Löve lace"
assert_json "$T/out" .bytes_done 3145728
expect 0 ewfverify -q "$T/ada/x.E01"
assert_eq "$(stat -c %u:%g "$T/ada/x.E01")" "$ADA:$ADA" "owner of the image"
assert_json "$T/ada/x.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
assert_json "$T/ada/x.manifest.json" .case.user.uid "$ADA"
assert_json "$T/ada/x.manifest.json" .case.examiner "Ada Löve lace"

# Its events: all of them after the end, and the rest from a number on.
api "$ADA" 200 "/v1/jobs/$JOB/events"
assert_eq "$(jq -r 'select(.event == "state") | .state' "$T/out" | tr '\n' ' ')" \
    "queued running done " "states"
assert_eq "$(tail -1 "$T/out" | jq -r '.exit')" 0 "exit of the last event"
jq -s -e '[.[].seq] | . == (sort | unique)' "$T/out" >/dev/null || fail "the events' numbers do not grow"
last=$(tail -1 "$T/out" | jq .seq)
api "$ADA" 200 "/v1/jobs/$JOB/events?since=$((last - 1))"
assert_eq "$(wc -l <"$T/out")" 1 "events after the last but one"
api "$ADA" 200 "/v1/jobs/$JOB/events?since=$last"
assert_eq "$(wc -c <"$T/out")" 0 "events after the last"

# Nobody else's jobs are there.
for call in "" /events; do api "$BOB" 404 "/v1/jobs/$JOB$call"; done
for call in pause resume cancel; do api "$BOB" 404 "/v1/jobs/$JOB/$call" -X POST; done
api "$BOB" 200 /v1/jobs
assert_json "$T/out" length 0
api 0 200 /v1/jobs
assert_json "$T/out" length 1
first=$JOB

# Nobody else's files either, as source or destination.
submit "$ADA" "$T/bob/secret" "$T/ada/y"
await_job "$JOB" failed
api "$ADA" 200 "/v1/jobs/$JOB"
assert_contains "$T/out" "ermission denied"
assert_missing "$T/ada/y.partial"
submit "$ADA" "$T/src" "$T/bob/y"
await_job "$JOB" failed
assert_missing "$T/bob/y.partial"

# A job that failed is tried again when asked, afresh where nothing was begun.
chmod 777 "$T/bob"
api "$ADA" 200 "/v1/jobs/$JOB/resume" -X POST
await_job "$JOB" done
assert_json "$T/bob/y.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
api "$ADA" 409 "/v1/jobs/$JOB/resume" -X POST
api "$ADA" 409 "/v1/jobs/$JOB/cancel" -X POST
assert_json "$T/out" .exit 5

# What is refused, and with which word.
refused() {
    api "$ADA" "$1" /v1/jobs -d "$2"
    assert_json "$T/out" .exit "$3"
    assert_contains "$T/out" "$4"
}
job() { jq -nc --arg s "$1" --arg d "$2" '{source: $s, dest: $d, options: $ARGS.positional}' --args -- "${@:3}"; }
refused 400 "" 2 "no JSON object"
refused 400 '[]' 2 "no JSON object"
refused 400 '{"source":"/a"}' 2 "'dest'"
refused 400 '{"source":"/a","dest":"/b","surprise":1}' 2 surprise
refused 400 '{"source":"/a","dest":"/b","options":"--format"}' 2 options
refused 400 "$(job src "$T/ada/z")" 2 "absolute path"
refused 400 "$(job "$T/src" z)" 2 "absolute path"
refused 400 "$(job "$T/src" "$T/ada/z" --progress bar)" 2 "--progress"
refused 400 "$(job "$T/src" "$T/ada/z" --json)" 2 "--json"
refused 400 "$(job "$T/src" "$T/ada/z" -q)" 2 "'-q'"
refused 400 "$(job "$T/src" "$T/ada/z" --)" 2 "'--'"
refused 400 "$(job "$T/src" "$T/ada/z" --resume)" 2 "--resume"
refused 400 "$(job "$T/src" "$T/ada/z" --copy here)" 2 "absolute"
refused 403 "$(job "$T/src" "$T/ada/z" --write-block none)" 5 "--write-block none"
refused 403 "$(job "$T/src" "$T/ada/z" --write-block=none)" 5 "--write-block none"
api "$ADA" 413 /v1/jobs -d "$(head -c 70000 /dev/zero | tr '\0' ' ')"
api "$ADA" 400 "/v1/jobs/$first/events?since=x"
api "$ADA" 404 /v1/jobs/0
api "$ADA" 404 /v1/jobs/99999999999999999999
api "$ADA" 405 /v1/jobs -X DELETE
api "$ADA" 400 "/v1/jobs/$first/cancel" -d '{"discard":1}'
# An option that exhibit-acquire does not know ends the job, not the daemon.
# Nor does one that lacks its argument, and takes no other word for it.
for option in --no-such-option --examiner --hash; do
    submit "$ADA" "$T/src" "$T/ada/z" "$option"
    await_job "$JOB" failed
    api "$ADA" 200 "/v1/jobs/$JOB"
    assert_json "$T/out" .exit 2
    assert_contains "$T/out" "$option"
    assert_missing "$T/ada/z.partial" "$T/ada/z.E01"
done

# Several requests on one connection.
as "$ADA" curl -sS --unix-socket "$SOCKET" http://x/v1/version http://x/v1/jobs \
    -w '%{stderr}%{num_connects}' >"$T/out" 2>"$T/err"
assert_eq "$(cat "$T/err")" 10 "new connections of two requests"

# Who is in no such group does not get in; the kernel sees to it, and the daemon where the socket's
# mode would let them.
expect 7 setpriv --reuid=64003 --regid=64003 --clear-groups curl -sS --unix-socket "$SOCKET" http://x/v1/jobs
chmod 666 "$SOCKET"
setpriv --reuid=64003 --regid=64003 --clear-groups curl -sS --unix-socket "$SOCKET" \
    -w '%{stderr}%{http_code}' http://x/v1/jobs >"$T/out" 2>"$T/err"
assert_eq "$(cat "$T/err")" 403 "status for a stranger"
assert_json "$T/out" .exit 5
kill -0 "$DAEMON" || fail "the daemon has ended"

# Root's own job has root's number and none of its rights; its image is read back all the same.
mkdir "$T/root"
submit 0 "$T/src" "$T/root/z"
await_job "$JOB" done
assert_json "$T/root/z.manifest.json" .verification.status passed

# Who has left the group since a job was submitted has none started any more, whoever asks for it. The
# daemon has a user database of its own here.
daemon_stop
printf 'examiners:x:64999:eve\n' | cat /etc/group - >"$T/group"
printf 'eve:x:64005:64005::/:/bin/false\n' | cat /etc/passwd - >"$T/passwd"
mkdir "$T/eve"
chown 64005:64005 "$T/eve"
exhibitd() {
    exec unshare -m sh -c 'mount --bind "$1/group" /etc/group && mount --bind "$1/passwd" /etc/passwd &&
        shift && exec "$@"' sh "$T" "$T/bin/exhibitd" "$@"
}
DAEMON_GID=64005
if ! unshare -m mount --bind "$T/group" /etc/group 2>/dev/null; then
    skip "no mounts of our own here; all but the user database passed"
fi
chmod 600 "$T/src"
exhibitd --socket "$SOCKET" --state-dir "$T/jobs" --group examiners --config "$T/conf" \
    >"$T/daemon2.log" 2>&1 </dev/null &
DAEMON=$!
daemon_kill_at_exit "$DAEMON"
# Before that, the daemon sets the socket's mode itself.
wait_until 30 grep -q "exhibitd: ready" "$T/daemon2.log"
chmod 666 "$SOCKET"
submit 64005 "$T/src" "$T/eve/x"
await_job "$JOB" failed
chmod 644 "$T/src"
cp "$T/group" "$T/group.new"
sed -i 's/^examiners.*/examiners:x:64999:/' "$T/group.new"
cat "$T/group.new" >"$T/group"
api 64005 403 "/v1/jobs/$JOB/resume" -X POST
api 0 200 "/v1/jobs/$JOB/resume" -X POST
await_job "$JOB" failed
assert_missing "$T/eve/x.E01"
api 0 200 "/v1/jobs/$JOB"
assert_json "$T/out" .exit 5
assert_contains "$T/out" "eve may not use the daemon any more"
sed 's/^examiners.*/examiners:x:64999:eve/' "$T/group.new" >"$T/group"
api 64005 200 "/v1/jobs/$JOB/resume" -X POST
await_job "$JOB" done
assert_json "$T/eve/x.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
