# SIGUSR1 to exhibit-acquire pauses the reading, SIGUSR2 continues it; both are shown, logged and in
# the manifest, and the image is what it would have been. A paused job can be cancelled.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq
random_file "$T/src" $((48 * 1048576))
slow_device "$T/src" 60ms
mkdir "$T/d"

start() {
    : >"$T/err"
    exhibit acquire "$DEV" "$T/d/x" --compression none --progress json --read-timeout 3 \
        >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    wait_until 20 grep -q '"phase":"acquire","bytes_done":[1-9]' "$T/err"
    kill -USR1 "$front"
    wait_until 10 grep -q '"phase":"paused"' "$T/err"
}
progress_at() { grep -o '"bytes_done":[0-9]*' "$T/err" | tail -1; }
# What had been read by then is still on its way to the image.
stands() {
    local was
    was=$(progress_at)
    sleep 1.5
    [ "$(progress_at)" = "$was" ]
}

start
wait_until 10 stands
before=$(progress_at)
# Longer than the deadline of a read: a pause is none.
sleep 4
assert_eq "$(progress_at)" "$before" "progress of a paused job"
kill -0 "$front" || fail "the paused job has ended"
kill -USR2 "$front"
got=0
wait "$front" || got=$?
assert_eq "$got" 0 "exit code"
assert_json "$T/d/x.manifest.json" '.acquisition.pauses | length' 1
assert_json "$T/d/x.manifest.json" '.acquisition.pauses[0].reason' signal
assert_json "$T/d/x.manifest.json" '.acquisition.pauses[0].continued | type' string
assert_json "$T/d/x.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
assert_contains "$T/d/x.log" "paused at byte"
assert_contains "$T/d/x.log" "continued at byte"
rm -r "${T:?}/d"/*

start
kill -INT "$front"
got=0
wait "$front" || got=$?
assert_eq "$got" 4 "exit code of a cancelled pause"
