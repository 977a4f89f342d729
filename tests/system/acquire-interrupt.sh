# A job that is stopped ends in order: exit 4, no image under a final name, what was written is named,
# the write block stays, and no process is left.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq
random_file "$T/src" $((64 * 1048576))
slow_device "$T/src" 300ms
mkdir "$T/d"

# start ARGUMENTS...: in the background, until it has read something; sets front.
start() {
    : >"$T/err"
    exhibit acquire "$DEV" "$T/d/x" --progress json "$@" >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    wait_until 20 grep -q '"phase":"acquire","bytes_done":[1-9]' "$T/err"
    worker=$(child_of "$front" exhibit-worker)
    [ -n "$worker" ] || fail "no worker runs"
}

ended() {
    local got=0
    wait "$front" || got=$?
    [ "$got" -eq "$1" ] || fail "exit code $got, expected $1"
    wait_until 10 gone "$worker"
}

for signal in INT TERM HUP; do
    start
    kill -$signal "$front"
    ended 4
    assert_contains "$T/err" "x.partial"
    assert_only "$T/d" x.partial
    assert_missing "$T/d/x.partial/x.manifest.json"
    assert_eq "$(blockdev --getro "$DEV")" 1 "read-only flag after an interruption"
    rm -r "$T/d/x.partial"
done

# The front dies without a word: supervisor and worker go, and nothing is published.
start
supervisor=$(child_of "$front" exhibit-supervisor)
kill -KILL "$front"
wait "$front" 2>/dev/null || true
wait_until 10 gone "$worker"
wait_until 10 gone "$supervisor"
assert_only "$T/d" x.partial
rm -r "$T/d/x.partial"

# The worker dies: the front says so (and more of it in acquire-crash.sh).
start
kill -KILL "$worker"
ended 4
assert_contains "$T/err" "worker"
assert_only "$T/d" x.partial
rm -r "$T/d/x.partial"
