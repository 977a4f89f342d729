# A worker or a supervisor that is killed or crashes costs its own job only: the job beside it goes
# on, and it can be resumed itself.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq ewfverify
random_file "$T/src" $((24 * 1048576))
random_file "$T/other" $((8 * 1048576)) other
mkdir "$T/d"
attach "$T/other"
OTHER=$DEV
# As long as it takes to be killed in the middle.
slow_device "$T/src" 500ms
slow=$DEV

# begin OPTION...: a job that is under way; sets front, worker and supervisor.
begin() {
    : >"$T/err"
    exhibit acquire "$DEV" "$T/d/x" "$@" --progress json >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    end_at_exit "$front" KILL
    wait_until 20 grep -q '"phase":"acquire","bytes_done":[1-9]' "$T/err"
    worker=$(child_of "$front" exhibit-worker)
    supervisor=$(child_of "$front" exhibit-supervisor)
    [ -n "$worker" ] && [ -n "$supervisor" ] || fail "worker and supervisor are not there"
}
# ends CODE: the job does, with that exit code.
ends() {
    local got=0
    wait "$front" || got=$?
    assert_eq "$got" "$1" "exit code"
    if [ "$1" -eq 4 ]; then
        assert_contains "$T/err" "to continue: exhibit acquire --resume"
    fi
}

begin
kill -KILL "$worker"
ends 4
assert_contains "$T/err" "signal 9"
record=$(find /var/lib/exhibit/records -name "*-$supervisor.json" -newer "$T/src")
assert_json "$record" .worker_status 137
assert_json "$record" .end true

# A crash, as of a library that the disk has confused; meanwhile another job.
exhibit acquire "$OTHER" "$T/d/other" -q >"$T/other.out" 2>&1 </dev/null &
other=$!
begin --resume
# A sanitizer takes SIGSEGV for itself, and exits.
crash=SEGV
[ -z "$EXHIBIT_SANITIZE" ] || crash=ABRT
kill -$crash "$worker"
ends 4
assert_contains "$T/err" "signal $(kill -l $crash)"
got=0
wait "$other" || got=$?
assert_eq "$got" 0 "exit code of the other job"
expect 0 ewfverify -q "$T/d/other.E01"

# Without its supervisor, too, the worker does not stay, nor does the write block go.
begin --resume
kill -KILL "$supervisor"
ends 4
assert_contains "$T/err" "the supervisor has gone"
wait_until 10 gone "$worker"
assert_eq "$(blockdev --getro "$DEV")" 1 "read-only flag"

# The same disk, no longer slow.
attach "$T/src" --read-only
expect 0 exhibit acquire --resume "$DEV" "$T/d/x"
DEV=$slow
expect 0 ewfverify -q "$T/d/x.E01"
m=$T/d/x.manifest.json
assert_json "$m" .media.hashes.sha256 "$(sha256_of "$T/src")"
assert_json "$m" '.acquisition.resumed | length' 3
assert_json "$m" '[.acquisition.resumed[].reason | contains("signal")] | map(tostring) | join(" ")' \
    "true true false"

# A front that dies takes a worker along that does not listen, and runs as somebody else.
chown 65534:65534 "$T/d"
own_programs
export SUDO_UID=65534 SUDO_GID=65534
rm "$T/d"/x.*
begin
assert_eq "$(awk '$1 == "Uid:" { print $2 }' "/proc/$worker/status")" 65534 "uid of the worker"
kill -STOP "$worker"
kill -KILL "$front"
wait "$front" 2>/dev/null || true
wait_until 10 gone "$worker"
wait_until 10 gone "$supervisor"
