# The commands that speak to the daemon: what they print, how they end, and what a daemon that is none
# of ours cannot do to them.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/daemon.sh"
require python3
require_loop
random_file "$T/src" 3145728
random_file "$T/disk" $((48 * 1048576))
paced_device "$T/disk"
paced=$DEV
printf 'socket = %s\ngroup = %s\nstate-dir = %s\nparallel = 1\n%s\n' "$SOCKET" "$DAEMON_GROUP" \
    "$T/jobs" 'default.examiner = A. Lab
default.meta = place=Room 4' >"$T/exhibitd.conf"
chmod 644 "$T/exhibitd.conf"

# No daemon there, and a configuration that makes no sense.
export EXHIBIT_SOCKET=$SOCKET
expect 1 exhibit jobs
assert_error "is exhibitd running?"
cp "$T/exhibitd.conf" "$T/bad.conf"
echo "paralell = 3" >>"$T/bad.conf"
expect 2 exhibitd --config "$T/bad.conf"
assert_error "bad.conf:7: unknown key 'paralell'"
chmod 666 "$T/bad.conf"
expect 5 exhibitd --config "$T/bad.conf"
expect 1 exhibitd --config "$T/missing.conf"
# Defaults that exhibit-acquire would not take, every job would fail with.
for default in "nosuch = x" "hash = foo" "option = --case" "write-block = none" "meta = x"; do
    { cat "$T/exhibitd.conf"; echo "default.$default"; } >"$T/bad.conf"
    chmod 644 "$T/bad.conf"
    if [ "$default" = "write-block = none" ]; then want=5; else want=2; fi
    expect $want exhibitd --config "$T/bad.conf"
    assert_error "the configuration's defaults: "
done

daemon_start --config "$T/exhibitd.conf"
ada() { as "$ADA" timeout 600 env -C "$T/ada" exhibit "$@"; }
bob() { as "$BOB" env -C "$T/bob" exhibit "$@"; }

# Submitted with relative paths; an argument that looks like an option is none; the laboratory's
# defaults come first, the job's own win.
expect 0 ada submit ../src x --notes --json --meta seal=7 --meta place=Hall --compression=best
assert_eq "$(cat "$T/out")" 1 "the id"
expect 0 ada watch 1
assert_contains "$T/err" "job 1: done"
assert_json "$T/ada/x.manifest.json" .case.notes --json
assert_json "$T/ada/x.manifest.json" .case.examiner "A. Lab"
assert_json "$T/ada/x.manifest.json" .case.meta.place Hall
assert_json "$T/ada/x.manifest.json" .case.meta.seal 7
assert_json "$T/ada/x.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
expect 0 ada submit --json --examiner Ada -- ../src --format=raw
assert_json "$T/out" .dest "$T/ada/--format=raw"
expect 0 ada watch 2 --json -q
assert_json "$T/out" .state done
assert_json "$T/ada/--format=raw.manifest.json" .case.examiner Ada
assert_json "$T/ada/--format=raw.manifest.json" .case.meta.place "Room 4"
[ ! -s "$T/err" ] || fail "watch -q says something"
name=$(printf 'bad\377name')
expect 0 ada submit ../src "$name" --case "$(printf 'a\377')"
expect 0 ada watch 3
assert_exists "$T/ada/$name.E01"
assert_json "$T/ada/$name.manifest.json" .case.case_number_base64 "$(printf 'a\377' | base64)"

# It ends as the job does, and shows what the job says, also of one that ended under a daemon before.
expect 0 ada submit ../src x
expect 5 ada watch 4
assert_contains "$T/err" "already exists"
assert_contains "$T/err" "job 4: failed"
expect 5 ada watch 4 --progress json
truncate -s 3145729 "$T/odd"
expect 0 ada submit ../odd odd
expect 2 ada watch 5

# The list, for people and for programs; each user's own.
expect 0 ada jobs
assert_eq "$(awk '{print $1, $2}' "$T/out" | tr '\n' ' ')" "ID STATE 1 done 2 done 3 done 4 failed 5 failed "
assert_contains "$T/out" 'bad\xffname'
expect 0 ada jobs --json
assert_json "$T/out" length 5
expect 0 bob jobs
assert_eq "$(wc -l <"$T/out")" 1 "lines of Bob's list"
expect 0 exhibit jobs --json
assert_json "$T/out" length 5
for command in watch pause resume cancel; do
    expect 1 bob "$command" 1
    assert_error "there is no job 1"
done

# Mistakes are told at once, and nothing is submitted.
wrong() {
    local want=$1 text=$2
    shift 2
    expect "$want" ada "$@"
    assert_error "$text"
}
wrong 2 "unknown option '--frmat'" submit ../src z --frmat raw
wrong 2 "invalid format 'aff'" submit ../src z --format aff
wrong 2 "--hardware-blocker goes with" submit ../src z --hardware-blocker x
wrong 2 "'--resume'" submit ../src z --resume
wrong 2 "'--quiet'" submit ../src z --quiet
wrong 2 "'--passphrase-fd'" submit ../src z --sign-key k --passphrase-fd 3
wrong 5 "'--write-block none'" submit ../src z --write-block none
wrong 2 "SOURCE and DEST are needed" submit ../src
wrong 2 "too many arguments" submit ../src z y
wrong 2 "a path is empty" submit ../src ""
wrong 2 "a path is empty" submit "" z
wrong 2 "too many arguments" jobs 1
wrong 2 "the ID of one job" watch
wrong 2 "ID" watch one
wrong 2 "ID" cancel 0
wrong 2 "progress mode" watch 1 --progress loud
wrong 1 "there is no job 77" watch 77
expect 2 exhibit-client jobs 2>"$T/err" || true
expect 0 ada jobs --json
assert_json "$T/out" length 5

# Steering: held back while it waits; ended, continued; ended with all that it wrote. parallel is 1.
expect 0 ada submit "$paced" a --compression none
A=$(cat "$T/out")
expect 0 ada submit ../src b
B=$(cat "$T/out")
expect 0 ada pause "$B"
assert_eq "$(cat "$T/out")" "job $B: paused"
# What is told first has no rate yet.
wait_until 20 job_is "$A" '.rate > 1024' true
expect 0 ada jobs
assert_contains "$T/out" "iB/s"
expect 0 ada cancel "$A"
assert_eq "$(cat "$T/out")" "job $A: cancelled (4)"
assert_exists "$T/ada/a.partial"
expect 4 ada watch "$A"
expect 0 ada resume "$A"

# The daemon goes and comes while a job is watched; what is to be seen of it is seen once.
as "$ADA" timeout 600 exhibit watch "$A" --progress json >"$T/watch.out" 2>"$T/watch.err" &
watcher=$!
wait_until 20 grep -q '"phase":"acquire"' "$T/watch.err"
daemon_stop
sleep 1
kill -0 "$watcher" || fail "watch ended with the daemon"
fast "$paced"
daemon_start --config "$T/exhibitd.conf"
wait "$watcher" || fail "watch ended with $?: $(tail -n 3 "$T/watch.err")"
jq -es 'any(.[]; .phase == "verify" and .bytes_done == .bytes_total) and all(.[]; .rate < 1e12)' \
    <(grep '^{' "$T/watch.err") >/dev/null || fail "watch did not see the end"
expect 0 ada jobs --json
assert_json "$T/out" ".[] | select(.id == $A).message" null
assert_json "$T/ada/a.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/disk")"

expect 0 ada jobs --json
assert_json "$T/out" ".[] | select(.id == $B).state" paused
expect 0 ada resume "$B" --json
expect 0 ada watch "$B"
expect 5 ada resume "$B"
expect 5 ada release "$paced"
expect 1 ada release nowhere
assert_error "cannot open '$T/ada/nowhere': No such file or directory"
expect 1 ada release /dev/null
assert_error "'/dev/null' is not a block device"
slow "$paced"
expect 0 ada submit "$paced" c --compression none
wait_until 20 reads "$(cat "$T/out")"
expect 0 ada cancel "$(cat "$T/out")" --discard
assert_missing "$T/ada/c.partial" "$T/ada/c.E01"

# Somebody who is not in the group.
expect 5 setpriv --reuid=64003 --regid=64003 --clear-groups exhibit jobs
assert_error "permission denied"

# A daemon that is none: nothing that it says does more than end the command with a word.
answer() {
    local status=$1 type=$2
    printf 'HTTP/1.1 %s X\r\nContent-Type: %s\r\nConnection: close\r\n\r\n' "$status" "$type"
    cat
}
fake() {
    rm -f "$T/fake"
    "$EXHIBIT_SOURCE/tests/lib/fake-daemon" "$T/fake" "$@" 2>"$T/fake.log" &
    FAKE=$!
    end_at_exit "$FAKE"
    wait_until 10 test -S "$T/fake"
}
hostile() {
    local want=$1 text=$2
    shift 2
    fake "$T/answer"
    expect "$want" timeout 600 exhibit "$@" --socket "$T/fake"
    [ -z "$text" ] || assert_contains "$T/err" "$text"
    # What the bar itself draws with is not theirs.
    if cat "$T/out" "$T/err" | sed 's/\r//g; s/\x1b\[K//g' | grep -qP '[\x00-\x08\x0b-\x1f\x7f]'; then
        fail "a control character on the terminal"
    fi
    kill "$FAKE"
}
echo '{"jobs"' | answer 200 application/json >"$T/answer"
hostile 1 "no JSON" jobs
echo '{}' | answer 200 application/json >"$T/answer"
hostile 1 "no list" jobs
hostile 1 "id" submit a b
echo '[1, null, {}, {"id": -1, "user": "\u001b[2J", "source": 7, "exit": 99999999999999999999}]' |
    answer 200 application/json >"$T/answer"
hostile 1 "no JSON" jobs
echo '[1, null, {}, {"id": -1, "user": "\u001b[2J\u202e", "source": 7, "eta_s": {}, "exit": 999}]' |
    answer 200 application/json >"$T/answer"
hostile 0 "" jobs
printf '%0100000d' 0 | tr 0 '[' | answer 200 application/json >"$T/answer"
hostile 1 "no JSON" jobs
head -c 70000000 /dev/zero | tr '\0' ' ' | answer 200 application/json >"$T/answer"
hostile 1 "too long" jobs
printf '{"error": "\\u001b]0;x\\u0007", "exit": 77}' | answer 500 application/json >"$T/answer"
hostile 1 "" jobs
echo '<html>' | answer 404 text/html >"$T/answer"
hostile 1 "HTTP status 404" watch 1
answer 302 text/html </dev/null | sed 's|^Content-Type.*|Location: file:///etc/passwd\r|' >"$T/answer"
hostile 1 "HTTP status 302" jobs
head -c 100000 /dev/urandom >"$T/answer"
hostile 1 "" jobs
head -c 2000000 /dev/zero | tr '\0' x | answer 200 application/x-ndjson >"$T/answer"
hostile 1 "too long" watch 1
echo '[]' | answer 200 application/x-ndjson >"$T/answer"
hostile 1 "no object" watch 1
echo '{"event": "state", "state": "done"}' | answer 200 application/x-ndjson >"$T/answer"
hostile 1 "no event" watch 1
printf '%s\n' '{"seq":1,"event":"progress","phase":"a\u001bb","bytes_done":1,"bytes_total":1,"unreadable_sectors":0}' \
    '{"seq":2,"event":"progress","phase":"acquire","bytes_done":9,"bytes_total":1,"unreadable_sectors":0}' \
    '{"seq":3,"event":"message","message":"\u001b[2J"}' \
    '{"seq":4,"event":"state","state":"done","exit":-7}' | answer 200 application/x-ndjson >"$T/answer"
hostile 4 '\x1b' watch 1 --progress bar
# A proxy of the environment is not asked.
echo '[]' | answer 200 application/json >"$T/answer"
fake "$T/answer"
expect 0 env http_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 exhibit jobs --socket "$T/fake"
