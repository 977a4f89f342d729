# A front that is not root, with a socket to a supervisor that root has started for it, as the daemon
# does: it images what is marked as evidence, and nothing else.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require ewfverify jq
with=$EXHIBIT_BIN/../tests/with_supervisor
[ -x "$with" ] || skip "no with_supervisor beside the programs"
own_programs
random_file "$T/src" 3145728
mkdir "$T/d" "$T/closed"
chown 65534:65534 "$T/d"

# given [MARK...] -- OPTION...: exhibit acquire as uid 65534, through such a supervisor.
given() {
    local marks=()
    while [ "$1" != -- ]; do
        marks+=("$1")
        shift
    done
    EXHIBIT_BIN=$T/bin "$with" 65534 65534 "${marks[@]}" -- "$T/bin/exhibit" acquire "${@:2}"
}

# No supervisor at the other end, or no socket at all.
expect 2 env EXHIBIT_SUPERVISOR_FD=0 exhibit acquire "$T/src" "$T/d/z"
expect 2 env EXHIBIT_SUPERVISOR_FD=7 exhibit acquire "$T/src" "$T/d/z"
expect 2 env EXHIBIT_SUPERVISOR_FD=x exhibit acquire "$T/src" "$T/d/z"
assert_missing "$T/d/z.partial"

attach "$T/src"
expect 5 given -- "$DEV" "$T/d/x"
assert_error "not marked as evidence"
assert_only "$T/d"
assert_eq "$(blockdev --getro "$DEV")" 0 "read-only flag"
expect 5 given "path=$DEV" -- "$DEV" "$T/d/x" --write-block none
assert_error "without a write block"
assert_only "$T/d"

expect 0 given "path=$DEV" -- "$DEV" "$T/d/x"
expect 0 ewfverify -q "$T/d/x.E01"
m=$T/d/x.manifest.json
assert_json "$m" .media.hashes.sha256 "$(sha256_of "$T/src")"
assert_best_write_block "$m" .write_block.level
assert_json "$m" .write_block.read_only_flag.during true
assert_json "$m" .case.user.uid 65534
assert_json "$m" .acquisition.sandbox.uid 65534
for f in "$T"/d/x.*; do
    assert_eq "$(stat -c %u "$f")" 65534 "owner of $f"
done
assert_eq "$(blockdev --getro "$DEV")" 1 "read-only flag"
record=$(json "$m" .acquisition.supervisor_record)
at_exit rm -f "$record"
assert_json "$record" .uid 65534
assert_json "$record" .policy evidence
assert_json "$record" .manifest_sha256 "$(sha256_of "$m")"
assert_json "$record" .end true

# Its destination is opened with the user's rights alone.
expect 1 given "path=$DEV" -- "$DEV" "$T/closed/x"
assert_error "closed/x"
assert_only "$T/closed"

# udev's mark. The number is this test's: its loop device is attached.
mark=/run/udev/data/b$(stat -c '%Hr:%Lr' "$DEV")
if [ ! -e "$mark" ]; then
    mkdir -p "${mark%/*}"
    at_exit rm -f "$mark"
    echo E:EXHIBIT_EVIDENCE=1 >"$mark"
    expect 0 given -- "$DEV" "$T/d/y" --release
    assert_json "$T/d/y.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
    at_exit rm -f "$(json "$T/d/y.manifest.json" .acquisition.supervisor_record)"
    assert_eq "$(blockdev --getro "$DEV")" 0 "read-only flag"
    rm "$mark"
fi

# Marked, but in use; and the disk that the system is on, whatever marks it.

mkdir "$T/mnt"
if mkfs.ext4 -q "$DEV" 2>/dev/null && mount -o ro "$DEV" "$T/mnt" 2>/dev/null; then
    at_exit umount "$T/mnt"
    expect 5 given "path=$DEV" -- "$DEV" "$T/d/z"
    assert_error "mounted at"
fi
root=$(findmnt -no SOURCE / 2>/dev/null || true)
if [ -b "$root" ] && [ -w /dev/shm ]; then
    shm=$(mktemp -d /dev/shm/exhibit-test.XXXXXX)
    at_exit rm -rf "$shm"
    chown 65534:65534 "$shm"
    expect 5 given "path=$root" -- "$root" "$shm/z" --allow-low-space
    assert_error "running system"
fi
