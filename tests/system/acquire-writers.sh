# A disk that a process has open for writing, or mapped from such a descriptor, is refused (exit 5):
# the read-only flag would not stop that process. Readers are no obstacle.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require sfdisk
mkdir "$T/out.d"
truncate -s 4M "$T/disk"
echo "start=2048, size=2048" | sfdisk -q --no-reread --no-tell-kernel "$T/disk"
attach "$T/disk"

# refused TEXT SOURCE
refused() {
    # Without the descriptor that the shell would hand down.
    expect 5 exhibit acquire "$2" "$T/out.d/x" -q 9>&-
    assert_error "$1"
    assert_only "$T/out.d"
    assert_eq "$(blockdev --getro "$2")" 0 "read-only flag after a refusal"
}

# taken SOURCE: accepted, as somebody only reads it.
taken() {
    expect 0 exhibit acquire "$1" "$T/out.d/x" -q --release
    rm -r "$T/out.d"
    mkdir "$T/out.d"
}

# --- descriptors
exec 9<>"$DEV"
refused "process $$ (bash) has it open for writing" "$DEV"
exec 9>&-
exec 9>>"$DEV"
refused "process $$ (bash) has it open for writing" "$DEV"
exec 9>&-
exec 9<"$DEV"
taken "$DEV"
exec 9<&-

# Another user's, who let it open by somebody who may.
if command -v setpriv >/dev/null; then
    setpriv --reuid=65534 --regid=65534 --clear-groups sleep 3600 9<>"$DEV" &
    theirs=$!
    end_at_exit "$theirs"
    wait_until 5 grep -q sleep "/proc/$theirs/comm"
    refused "process $theirs (sleep) has it open for writing" "$DEV"
    kill "$theirs"
    wait "$theirs" 2>/dev/null || true
fi

# A writer of a partition writes to the disk, and a writer of the disk to its partitions.
if [ -b "${DEV}p1" ]; then
    exec 9<>"${DEV}p1"
    refused "process $$ (bash)" "$DEV"
    exec 9>&-
    exec 9<>"$DEV"
    refused "process $$ (bash)" "${DEV}p1"
    exec 9>&-
fi

# A thread can have descriptors of its own, which its process does not show.
if command -v python3 >/dev/null; then
    coproc THREAD {
        exec python3 -c '
import ctypes, os, sys, threading
def hold():
    if ctypes.CDLL(None).unshare(0x400) != 0:  # CLONE_FILES
        os._exit(1)
    os.open(sys.argv[1], os.O_RDWR)
    print("held", flush=True)
    threading.Event().wait()
threading.Thread(target=hold, daemon=True).start()
sys.stdin.read()' "$DEV"
    }
    threaded=$THREAD_PID
    if read -r line <&"${THREAD[0]}" && [ "$line" = held ]; then
        refused "process $threaded (python3) has it open for writing" "$DEV"
    fi
    kill "$threaded"
    wait "$threaded" 2>/dev/null || true
fi

# The name of a process is anybody's to choose: it reaches no terminal as it stands.
cp "$(command -v sleep)" "$T/"$'e\e[31m(vil'
"$T/"$'e\e[31m(vil' 3600 9<>"$DEV" &
evil=$!
end_at_exit "$evil"
wait_until 5 grep -q vil "/proc/$evil/comm"
refused "process $evil (e\\x1b[31m(vil) has it open for writing" "$DEV"
kill "$evil"
wait "$evil" 2>/dev/null || true

# --- mappings, without a descriptor
map=$EXHIBIT_BIN/../tests/map_shared
[ -x "$map" ] || skip "no map_shared beside the programs: the mappings were not tried"

# mapped MODE: one process that has DEV mapped; sets MAPPER.
mapped() {
    : >"$T/mapped"
    "$map" "$DEV" "$1" >"$T/mapped" &
    MAPPER=$!
    end_at_exit "$MAPPER"
    wait_until 5 grep -q mapped "$T/mapped"
}
unmapped() {
    kill "$MAPPER"
    wait "$MAPPER" 2>/dev/null || true
}
for mode in rw later; do
    mapped "$mode"
    refused "process $MAPPER (map_shared) has it mapped for writing" "$DEV"
    unmapped
done
mapped ro
taken "$DEV"
unmapped
taken "$DEV"
