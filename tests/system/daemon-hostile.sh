# Clients of the daemon that mean no good: whatever they send, the daemon stays up and serves the
# others, and no file is read or written that the user could not have.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/daemon.sh"
require python3
client=$EXHIBIT_SOURCE/tests/lib/hostile-client
hostile() { as "$ADA" timeout 600 python3 "$client" "$SOCKET" "$@"; }
random_file "$T/src" 1048576
random_file "$T/bob/secret" 1048576 secret
chmod 700 "$T/bob"
chown -R "$BOB:$BOB" "$T/bob"
mkdir -m 700 "$T/roots"
cp "$T/bob/secret" "$T/roots/secret"
cp "$client" "$T/client"
client=$T/client
before=$(find "$T/bob" "$T/roots" -printf '%p %s %m %T@\n' | sort)
echo "parallel = 6" >"$T/parallel.conf"
daemon_start --config "$T/parallel.conf"
submit "$BOB" "$T/src" "$T/x" >/dev/null
bobs=$JOB

# --- what is sent ---------------------------------------------------------------------------------

expect 0 hostile shapes
assert_contains "$T/out" " shapes"
seed=${EXHIBIT_SEED:-$RANDOM}
how_many count 80 5000 "damaged requests"
echo "EXHIBIT_SEED=$seed"
expect 0 hostile garbage "$count" "$seed"
kill -0 "$DAEMON" || fail "the daemon has ended"

# --- how it is sent -------------------------------------------------------------------------------

# Others are served while one user holds all connections that a user may have.
children() { pgrep -c -P "$DAEMON" exhibit-api || true; }
many_children() { [ "$(children)" -ge 20 ]; }
hostile slow 60 300 >"$T/slow" &
holder=$!
wait_until 30 many_children
api "$BOB" 200 /v1/jobs
many_children || fail "Bob was served only when the connections had been let go"
[ "$(children)" -le 40 ] || fail "$(children) processes for one user and a half"
# The subshell's child: setpriv, and what it has become.
pkill -P "$holder"
wait "$holder" || true
how_many count 1500 10000 "connections"
hostile flood "$count" >"$T/flood" &
holder=$!
served=0
while [ "$served" -lt 3 ] || kill -0 "$holder" 2>/dev/null; do
    served=$((served + 1))
    api "$BOB" 200 /v1/jobs
    [ "$(children)" -le 128 ] || fail "$(children) processes"
done
wait "$holder"
hostile streams 32 1 2 >"$T/streams" &
holder=$!
api "$BOB" 200 /v1/jobs
wait "$holder"
api "$ADA" 200 /v1/jobs
kill -0 "$DAEMON" || fail "the daemon has ended"
[ "$(awk '/VmRSS/ { print $2 }' "/proc/$DAEMON/status")" -lt 65536 ] || [ -n "$EXHIBIT_SANITIZE" ] ||
    fail "the daemon has grown: $(grep VmRSS "/proc/$DAEMON/status")"
no_children() { [ "$(children)" -le 1 ]; }
wait_until 70 no_children

# --- what is asked for ----------------------------------------------------------------------------

# fails SOURCE DEST [OPTION...]: the job is taken, and ends with an error; all_failed sees to it.
doomed=()
fails() {
    submit "$ADA" "$@"
    doomed+=("$JOB")
}
all_failed() {
    local ids
    ids=$(IFS=,; echo "${doomed[*]}")
    all_ended() { api 0 200 /v1/jobs && jq -e 'all(.[]; .finished)' "$T/out" >/dev/null; }
    wait_until 90 all_ended
    jq -c ".[] | select(.id == ($ids)) | select(.state != \"failed\") | [.source, .dest, .options, .state, .exit]" \
        "$T/out" >"$T/spared"
    [ ! -s "$T/spared" ] || fail "these did not fail: $(cat "$T/spared")"
    doomed=()
}
ln -s "$T/bob/secret" "$T/ada/link"
ln -s "$T/bob" "$T/ada/dir"
ln -s "$T/roots" "$T/ada/roots"
mkfifo -m 666 "$T/ada/pipe"
chown -h "$ADA:$ADA" "$T/ada/"*
for source in "$T/bob/secret" "$T/ada/link" "$T/ada/dir/secret" "$T/ada/../bob/secret" \
    "$T/roots/secret" /etc/shadow /dev/mem /dev/zero /proc/self/mem /proc/kcore /proc/1/root/etc/shadow \
    "$T/ada" "$T/ada/pipe" /dev/tty /dev/kmsg "$SOCKET" /nowhere/x ""$'/a\nb\033[2J'; do
    fails "$source" "$T/ada/y"
done
for dest in "$T/bob/y" "$T/ada/dir/y" "$T/ada/../bob/y" "$T/roots/y" "$T/ada/roots/y" /y /etc/y \
    /root/y "$T/jobs/y" /proc/self/y /nowhere/y "$T/ada/y/"; do
    fails "$T/src" "$dest"
done
for option in "--copy=$T/bob/y" "--copy=$T/ada/dir/y" "--copy=$T/ada/y2/../../roots/y" \
    "--rescue-image=$T/bob/secret" "--sign-key=$T/bob/secret" "--passphrase-file=$T/bob/secret" \
    "--no-such" "--write-block" "--hash=%n%n" "--threads=99999999999999999999" \
    "--segment-size=0" $'--format=raw\n--write-block=none'; do
    fails "$T/src" "$T/ada/y" "$option"
done
all_failed

# The system's disk, and one that nobody has marked.
system=$(findmnt -nvo SOURCE / | grep '^/dev/' || lsblk -dnpo NAME | head -n 1)
if [ -b "$system" ]; then
    fails "$system" "$T/ada/y"
fi
if losetup --find >/dev/null 2>&1; then
    attach "$T/src"
    fails "$DEV" "$T/ada/y"
    all_failed
    api "$ADA" 200 "/v1/jobs/$JOB"
    assert_json "$T/out" .exit 5
    api "$ADA" 403 /v1/release -d "{\"device\": \"$DEV\"}"
    assert_eq "$(blockdev --getro "$DEV")" 0 "the flag of a disk that was refused"
fi

# Somebody else's job.
for path in "$bobs" "0$bobs" "$bobs/" "$bobs/events" "$bobs/../$bobs"; do
    api "$ADA" 404 "/v1/jobs/$path" --path-as-is
done
for call in pause resume cancel; do
    api "$ADA" 404 "/v1/jobs/$bobs/$call" -X POST
done

# Swapped while the job starts: source and destination change places with others' all the time.
cp "$T/src" "$T/ada/own"
chown "$ADA" "$T/ada/own"
as "$ADA" python3 - "$T" <<'PYTHON' &
import os, sys
top = sys.argv[1] + "/ada/"
os.mkdir(top + "real")
os.symlink("real", top + "to")
os.symlink("own", top + "what")
for i in range(10**9):
    os.symlink("own" if i % 2 else "../bob/secret", top + "s")
    os.rename(top + "s", top + "what")
    os.symlink("real" if i % 2 else "../roots", top + "t")
    os.rename(top + "t", top + "to")
    if not os.path.isdir(top + "real"):
        break
PYTHON
swapper=$!
wait_until 30 test -L "$T/ada/what"
end_at_exit "$(pgrep -P "$swapper")"
how_many count 6 60 "jobs while their paths are swapped"
for ((i = 0; i < count; i++)); do
    submit "$ADA" "$T/ada/what" "$T/ada/to/swap$i" --format raw --no-verify
    ended() { [ "$(curl -s --unix-socket "$SOCKET" "http://x/v1/jobs/$JOB" | jq .finished)" != null ]; }
    wait_until 60 ended
done
pkill -P "$swapper" || true
wait "$swapper" 2>/dev/null || true
for image in "$T/ada/real/"*.raw; do
    [ ! -e "$image" ] || assert_same_bytes "$image" "$T/src"
done

# --- what has come of it --------------------------------------------------------------------------

assert_eq "$(find "$T/bob" "$T/roots" -printf '%p %s %m %T@\n' | sort)" "$before" "others' files"
assert_eq "$(find "$T" -user "$ADA" -not -path "$T/ada*")" "" "Ada's files elsewhere"
assert_missing "$T/ada/y.E01" "$T/ada/y.raw" "$T/ada/y.manifest.json"
if grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$T/daemon.log"; then
    fail "control characters in the daemon's log"
fi
cp "$T/src" "$T/other"
submit "$BOB" "$T/other" "/tmp/..$T/bob/last"
wait_until 60 ended
api "$BOB" 200 "/v1/jobs/$JOB"
assert_json "$T/out" .state done
assert_json "$T/bob/last.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
kill -0 "$DAEMON" || fail "the daemon has ended"
