# Sourced after system.sh by the tests of exhibitd: a daemon on a socket and with a state directory of
# the test's own, users, and calls of its API.
# shellcheck shell=bash

require_root
require curl jq setpriv

# Two users that need not be in any database; the daemon's group is theirs by number.
ADA=64001
BOB=64002
DAEMON_GROUP=$(getent group nogroup | cut -d: -f1)
[ -n "$DAEMON_GROUP" ] || skip "no group 'nogroup' on this machine"
DAEMON_GID=$(getent group nogroup | cut -d: -f3)
SOCKET=$T/exhibitd.sock

# as UID COMMAND...: as that user, in the daemon's group.
as() {
    local uid=$1
    shift
    setpriv --reuid="$uid" --regid="$uid" --groups="$DAEMON_GID" env -u SUDO_UID -u SUDO_GID "$@"
}

# The programs must be reachable for those users.
own_programs
mkdir "$T/ada" "$T/bob"
chown "$ADA:$ADA" "$T/ada"
chown "$BOB:$BOB" "$T/bob"

# What is in $T/conf is the configuration.
: >"$T/conf"

# daemon_start [options]: sets DAEMON to its pid, waits until it listens.
daemon_start() {
    exhibitd --socket "$SOCKET" --state-dir "$T/jobs" --group "$DAEMON_GROUP" \
        --config "$T/conf" "$@" \
        >>"$T/daemon.log" 2>&1 </dev/null &
    DAEMON=$!
    daemon_kill_at_exit "$DAEMON"
    wait_until 30 as "$ADA" curl -sf --unix-socket "$SOCKET" http://x/v1/version
}
# Its jobs' processes end after it.
daemon_kill_at_exit() {
    at_exit sleep 0.3
    end_at_exit "$1" KILL
}
# daemon_stop [SIGNAL]
daemon_stop() {
    kill "-${1:-TERM}" "$DAEMON"
    wait "$DAEMON" || true
}

# api UID STATUS PATH [curl options]: the answer goes to $T/out; its status must be that.
api() {
    local uid=$1 want=$2 path=$3 got
    shift 3
    as "$uid" curl -sS -m 60 --unix-socket "$SOCKET" -w '%{stderr}%{http_code}' "$@" \
        "http://x$path" >"$T/out" 2>"$T/err" || true
    got=$(tail -c 3 "$T/err")
    [ "$got" = "$want" ] || fail "$path gave $got, expected $want"
}

# submit UID SOURCE DEST [OPTION...]: sets JOB.
submit() {
    local uid=$1 source=$2 dest=$3 body
    shift 3
    body=$(jq -n --arg s "$source" --arg d "$dest" \
        '{source: $s, dest: $d, options: $ARGS.positional}' --args -- "$@")
    api "$uid" 201 /v1/jobs -d "$body"
    JOB=$(jq .id "$T/out")
}

# job_is ID JQ VALUE: what root sees of the job.
job_is() {
    local got
    got=$(curl -s --unix-socket "$SOCKET" "http://x/v1/jobs/$1" | jq -r "$2")
    [ "$got" = "$3" ]
}
# await_job ID STATE [SECONDS]
await_job() {
    wait_until "${3:-30}" job_is "$1" .state "$2"
}

# mark DEV: marks the device as evidence, as the udev rule does.
mark() {
    local db
    db=/run/udev/data/b$(stat -c '%Hr:%Lr' "$1")
    mkdir -p /run/udev/data
    [ ! -e "$db" ] || skip "udev runs and knows $1"
    echo "E:EXHIBIT_EVIDENCE=1" >"$db"
    at_exit rm -f "$db"
}

# reads ID: the job has begun to read, or read on.
reads() {
    [ "$(curl -s --unix-socket "$SOCKET" "http://x/v1/jobs/$1" |
        jq '.phase == "acquire" and .bytes_done > 0')" = true ]
}
# process ID front|supervisor: the pid of the job's exhibit-acquire, or of its supervisor.
process() { jq -r ".processes.$2.pid" "$T/jobs/$1.json"; }

# paced_device FILE: sets DEV to a block device with the contents of FILE, marked as evidence, that
# is slow (a MB a second) until `fast DEV`, and again from `slow DEV` on. A test that needs the job in
# its middle gives it a file that lasts much longer than what it does there can take.
paced_device() {
    local pace
    require_loop
    require nbdkit
    nbdkit --filter=rate null --help >/dev/null 2>&1 || skip "nbdkit has no rate filter"
    pace=$(mktemp "$T/pace.XXXXXX")
    echo 8M >"$pace"
    serve "$1" --filter=rate file "$1" rate=8M rate-file="$pace"
    attach_served
    PACE[${DEV##*/}]=$pace
    mark "$DEV"
}
declare -A PACE
fast() { echo 8G >"${PACE[${1##*/}]}"; }
slow() { echo 8M >"${PACE[${1##*/}]}"; }
# crawl DEV: as `slow`, at an eighth of that.
crawl() { echo 1M >"${PACE[${1##*/}]}"; }
