# A source that stops to answer: its reader waits in the kernel and cannot be killed. The job ends
# resumable after --read-timeout, or within seconds when cancelled; no process waits for the stuck
# one, another job runs, and the record says what happened.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq
random_file "$T/src" $((96 * 1048576))
mkdir "$T/d"

# A thread of it that waits in the kernel and goes on waiting, for a read of the source: one that
# writes to a disk that is busy can do so for long, too.
in_kernel() { awk '$3 == "D" { print $1 }' "/proc/$worker/task/"*/stat 2>/dev/null | sort; }
stuck() {
    local before reads
    before=$(in_kernel)
    sleep 0.3
    [ -n "$(comm -12 <(echo "$before") <(in_kernel) | tr -d '\n')" ] || return 1
    read -r reads _ <"/sys/block/${DEV##*/}/inflight"
    [ "$reads" -gt 0 ]
}
ended_within() {
    local got=0 begin=$SECONDS
    wait "$front" || got=$?
    assert_eq "$got" 4 "exit code"
    [ $((SECONDS - begin)) -le "$1" ] || fail "it took $((SECONDS - begin)) s to end"
}
# start OPTIONS...: the source answers until something has been read, then no more.
start() {
    : >"$T/err"
    exhibit acquire "$DEV" "$T/d/x" --compression none --progress json "$@" \
        >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    wait_until 20 grep -q '"phase":"acquire","bytes_done":[1-9]' "$T/err"
    worker=$(child_of "$front" exhibit-worker)
    supervisor=$(child_of "$front" exhibit-supervisor)
    hang_device
    wait_until 10 stuck
}
newest_record() { ls -t /var/lib/exhibit/records/*-"${DEV##*/}"-"$supervisor".json | head -1; }

# Slow as well, so that there is a middle to stop in.
hanging_device "$T/src" 100ms
start --read-timeout 2
ended_within 60
assert_contains "$T/err" "does not answer at byte"
assert_contains "$T/err" "--read-timeout"
assert_contains "$T/d/x.partial/x.log" "does not answer at byte"
wait_until 5 gone "$supervisor"
stuck || fail "the worker is not stuck any more: this tests nothing"
assert_json "$(newest_record)" .worker_stuck "$worker"
assert_eq "$(blockdev --getro "$DEV")" 1 "read-only flag"

# The device is still held, and who holds it is named.
mv "$T/d/x.partial" "$T/d/first"
expect 5 exhibit acquire "$DEV" "$T/d/x" --quiet
assert_contains "$T/err" "process $worker"
# Another job is not blocked.
expect 0 exhibit acquire "$T/src" "$T/d/other" --length 1M --quiet
# With an answer the process goes, and the device is free.
unhang_device
wait_until 10 gone "$worker"

# A cancel does not wait for the drive, nor for the five minutes of --read-timeout.
start
kill -INT "$front"
ended_within 60
assert_contains "$T/err" "interrupted"
unhang_device
wait_until 10 gone "$worker"
rm -rf "$T/d/x.partial"

# A front that dies without a word: the supervisor does not wait for the worker either.
start
kill -KILL "$front"
wait "$front" 2>/dev/null || true
wait_until 8 gone "$supervisor"
assert_json "$(newest_record)" .worker_stuck "$worker"
unhang_device
wait_until 10 gone "$worker"
