# While a job runs (what is refused to a worker: unit/test_worker_sandbox.c): the worker is the user, sandboxed, with the source as a read-only descriptor and
# no way to open it again; files belong to the user.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq
own_programs
random_file "$T/src" $((48 * 1048576))
# It stops in the middle for as long as we look.
hanging_device "$T/src" 60ms
mkdir "$T/d"
chown 65534:65534 "$T/d"

SUDO_UID=65534 SUDO_GID=65534 exhibit acquire "$DEV" "$T/d/x" --progress json \
    >"$T/out" 2>"$T/err" </dev/null &
front=$!
end_at_exit "$front" KILL
wait_until 20 grep -q '"phase":"acquire","bytes_done":[1-9]' "$T/err"
worker=$(child_of "$front" exhibit-worker)
supervisor=$(child_of "$front" exhibit-supervisor)
[ -n "$worker" ] && [ -n "$supervisor" ] || fail "worker and supervisor are not there"
hang_device

of() {
    awk -v key="$2:" '$1 == key { $1 = ""; sub(/^ /, ""); print }' "/proc/$1/status"
}
assert_eq "$(of "$worker" Seccomp)" 2 "seccomp of the worker"
assert_eq "$(of "$worker" NoNewPrivs)" 1 "no new privileges of the worker"
for task in "/proc/$worker/task/"*; do
    assert_eq "$(awk '$1 == "Seccomp:" || $1 == "NoNewPrivs:" { printf "%s ", $2 }' "$task/status")" \
        "1 2 " "no new privileges and seccomp of each thread"
done
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    assert_eq "$(of "$worker" $set)" 0000000000000000 "$set of the worker"
done
assert_eq "$(of "$worker" Uid)" "65534 65534 65534 65534" "uid of the worker"
assert_eq "$(of "$worker" Gid)" "65534 65534 65534 65534" "gid of the worker"
assert_eq "$(of "$front" Uid)" "65534 65534 65534 65534" "uid of the front"
assert_eq "$(of "$supervisor" Uid)" "0 0 0 0" "uid of the supervisor"
# The supervisor is root with as little of it as it needs: kill, setgid, setuid, setpcap,
# dac_read_search, sys_rawio, sys_ptrace, sys_admin.
for set in CapPrm CapEff CapBnd; do
    assert_eq "$(of "$supervisor" $set)" 00000000002a01e4 "$set of the supervisor"
done
assert_eq "$(of "$supervisor" CapInh)" 0000000000000000 "CapInh of the supervisor"
assert_eq "$(of "$supervisor" NoNewPrivs)" 1 "no new privileges of the supervisor"
# Not dumpable: its /proc belongs to root, so the user's other processes cannot reach in.
assert_eq "$(stat -c %u "/proc/$worker/mem")" 0 "owner of the worker's memory"

# The device is open once in the worker, for reading only; nothing else of the file system but the
# destination is.
devices=0
for fd in "/proc/$worker/fd/"*; do
    target=$(readlink "$fd")
    case $target in
    "$DEV")
        devices=$((devices + 1))
        flags=$(awk '$1 == "flags:" { print $2 }' "/proc/$worker/fdinfo/${fd##*/}")
        [ $((0$flags & 3)) -eq 0 ] || fail "the source is open for writing (flags $flags)"
        ;;
    "$T/d/"* | /dev/null | pipe:* | socket:* | "$T/out" | "$T/err") ;;
    *) fail "the worker holds $target" ;;
    esac
done
[ "$devices" -ge 1 ] || fail "the worker does not hold the source"

unhang_device
got=0
wait "$front" || got=$?
assert_eq "$got" 0 "exit code"
m=$T/d/x.manifest.json
assert_json "$m" .acquisition.sandbox.uid 65534
assert_json "$m" .case.user.uid 65534
assert_json "$m" '.acquisition.sandbox.landlock_abi > 0' true
for f in "$T"/d/*; do
    assert_eq "$(stat -c %u "$f")" 65534 "owner of $f"
done
