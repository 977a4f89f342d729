# Disks of more than 2, 4 and 16 TiB, sparse: they open, their chunks and segments are planned so that
# they fit, and bad sectors past 2 TiB are seen. Reading all of them is not waited for. Then more
# segments than two digits, and in check-long than one letter, can name.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require nbdkit nbdfuse jq ewfverify
mkdir "$T/d"
TIB=$((1024 * 1024 * 1024 * 1024))

# huge_device SIZE [--filter=NAME parameters]: zeros.
huge_device() {
    local size=$1 filters=()
    shift
    if [ $# -gt 0 ]; then
        filters=("$1")
        shift
    fi
    nbdkit null --help >/dev/null 2>&1 || skip "nbdkit has no null plugin"
    SERVED=$(mktemp "$T/served.XXXXXX")
    nbdfuse "$SERVED" --command nbdkit -s "${filters[@]}" null "$size" "$@" >"$SERVED.log" 2>&1 &
    at_exit unmount_fuse "$SERVED" $! "$(started $!)"
    wait_until 10 test -s "$SERVED"
    assert_eq "$(stat -c %s "$SERVED")" "$size" "size of the served file"
    attach_served
    assert_eq "$(blockdev --getsize64 "$DEV")" "$size" "size of the device"
}

# begins SIZE FORMAT [OPTIONS...]: the job starts, then is cancelled; its log has the plan.
begins() {
    local front got=0 size=$1 format=$2
    shift 2
    exhibit acquire "$DEV" "$T/d/x" --format "$format" --allow-low-space "$@" >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    wait_until 20 grep -q "reading begins" "$T/d/x.partial/x.log"
    kill -INT "$front"
    wait "$front" || got=$?
    assert_eq "$got" 4 "exit code"
    assert_contains "$T/d/x.partial/x.log" "$size"
}

# check KIB SIZE: chunks of so many KiB.
check() {
    local size=$2 segment
    huge_device "$size"
    begins "$size" e01
    grep -qE "chunk .*\($(($1 * 1024)) bytes\)" "$T/d/x.partial/x.log" ||
        fail "chunks are not of $1 KiB: $(grep chunk "$T/d/x.partial/x.log")"
    # No more files than there are names.
    segment=$(sed -nE 's/^ *segment +([0-9]+) bytes.*/\1/p' "$T/d/x.partial/x.log")
    [ $((size / segment)) -lt 14971 ] || fail "segments of $segment bytes are too many"
    rm -r "$T/d/x.partial"
    begins "$size" raw --segment-size 4T
    rm -r "$T/d/x.partial"
}
check 64 $((2 * TIB + 1048576))
check 128 $((4 * TIB + 1048576))
check 256 $((16 * TIB + 1048576))
check 256 $((20 * TIB))
check 512 $((32 * TIB))
huge_device $((40 * TIB))
expect 2 exhibit acquire "$DEV" "$T/d/x" --allow-low-space --quiet --compression none --segment-size 1K
# One file of that size where the file system takes it; ext4 does not, and says so before.
if [ "$(stat -f -c %T "$T/d")" = ext2/ext3 ]; then
    expect 5 exhibit acquire "$DEV" "$T/d/x" --format raw --allow-low-space --quiet
    assert_error "--segment-size"
    assert_missing "$T/d/x.partial"
    assert_eq "$(blockdev --getro "$DEV")" 1 "a device that is read-only by nature"
fi

# --- bad sectors behind sector 2^32 of the source
at=$((3 * TIB + 1048576))
fault_map "$T/map" $((4 * TIB)) "$at" 512 $((at + 2048)) 1024
huge_device $((4 * TIB)) --filter=ddrescue ddrescue-mapfile="$T/map"
expect 3 exhibit acquire "$DEV" "$T/d/far" --offset $((3 * TIB)) --length 3M --quiet
assert_json "$T/d/far.manifest.json" '.unreadable.ranges | map("\(.offset)+\(.length)") | join(" ")' \
    "1048576+512 1050624+1024"
assert_json "$T/d/far.manifest.json" .source.offset $((3 * TIB))

# --- more segments than .E99, and than .EZZ
how_many N 108 800 "E01 segments of a MiB"
random_file "$T/src" $((N * 983040))
expect 0 exhibit acquire "$T/src" "$T/d/many" --segment-size 1M --compression none --quiet
n=$(json "$T/d/many.manifest.json" '.image.segments | length')
[ "$n" -gt $((N - 8)) ] || fail "only $n segments"
expect 0 ewfverify -q "$T/d/many.E01"
expect 0 exhibit verify --quiet "$T/d/many.manifest.json"
expect 0 exhibit verify --quiet "$T/d/many.E01"
assert_exists "$T/d/many.E99" "$T/d/many.EAA"
[ "$N" -lt 800 ] || assert_exists "$T/d/many.EZZ" "$T/d/many.FAA"
