# Sourced by every test of tests/system: where the programs are, what a test needs, loop devices,
# disks with bad sectors, and assertions. Runs under bash, with errors ending the test.
#
#   . "$(dirname "$0")/../lib/system.sh"
#   require_root; require_loop; require ewfverify jq
#
# The programs come from $EXHIBIT_BIN (default: build/release/bin of this tree). Everything that a
# test makes lies below $T, which is removed at the end; what it attaches is detached.
# shellcheck shell=bash

set -euo pipefail

EXHIBIT_SOURCE=${EXHIBIT_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
EXHIBIT_BIN=${EXHIBIT_BIN:-$EXHIBIT_SOURCE/build/release/bin}
# The sanitizer that the programs are built with, or empty.
EXHIBIT_SANITIZE=${EXHIBIT_SANITIZE:-}
PATH=$EXHIBIT_BIN:$PATH:/usr/sbin:/sbin
export PATH LC_ALL=C.UTF-8 TZ=UTC
unset NO_COLOR POSIXLY_CORRECT

# The leak check at exit traces the process from a second one, which the sandbox forbids.
export ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-}

T=$(mktemp -d "${TMPDIR:-/tmp}/exhibit-test.XXXXXXXX")
# A worker runs with the user's own rights; the tests' directories must let it pass.
chmod 755 "$T"

# --- what runs at the end -------------------------------------------------------------------------

cleanups=()

# at_exit COMMAND...: runs it at the end, the last one first.
at_exit() {
    cleanups+=("$(printf '%q ' "$@")")
}

# undo N: runs the last N of these now instead.
undo() {
    local i
    for ((i = 0; i < $1; i++)); do
        eval "${cleanups[-1]}"
        unset 'cleanups[-1]'
    done
}

# started PID: when; with its number it tells a process from a later one. Of one that has ended
# another may have the number already, and a kill by number alone would end that.
started() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

# end_process PID STARTED SIGNAL
end_process() {
    [ -z "$2" ] || [ "$(started "$1")" != "$2" ] || kill "-$3" "$1"
}

# end_at_exit PID [SIGNAL]: what runs in the background, if it still does by then.
end_at_exit() {
    at_exit end_process "$1" "$(started "$1")" "${2:-TERM}"
}

run_cleanups() {
    local status=$? i
    trap - EXIT
    set +e
    for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do
        eval "${cleanups[i]}" >>"$T/cleanup.log" 2>&1
    done
    if [ "$status" -ne 0 ] && [ "$status" -ne 77 ] && [ -n "${EXHIBIT_KEEP:-}" ]; then
        echo "kept: $T" >&2
    else
        rm -rf --one-file-system "$T"
    fi
    exit "$status"
}
trap run_cleanups EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- what a test needs ----------------------------------------------------------------------------

skip() {
    echo "SKIP: $*"
    exit 77
}

fail() {
    local i
    echo "FAIL: $*" >&2
    for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
        echo "    at ${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}" >&2
    done
    if [ -s "$T/out" ]; then
        echo "--- stdout of the last command" >&2
        tail -n 40 "$T/out" >&2
    fi
    if [ -s "$T/err" ]; then
        echo "--- stderr of the last command" >&2
        tail -n 40 "$T/err" >&2
    fi
    exit 1
}
# A command that fails outside an assertion ends the test; say which.
trap 'echo "FAIL: ${BASH_SOURCE[0]##*/}:$LINENO: \"$BASH_COMMAND\" ended with $?" >&2' ERR

# require TOOL...: the test is skipped where one is not installed.
require() {
    local tool
    for tool; do
        command -v "$tool" >/dev/null || skip "no $tool on this machine"
    done
}

require_root() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
}

# find_loop [losetup options] FILE: attaches it and prints the device. One test at a time: the kernel
# names the same free device to all who ask, and who comes too late has it open for writing while it
# is another test's disk already.
find_loop() {
    flock /dev/loop-control losetup --find --show "$@"
}

# Loop devices: not in every container.
require_loop() {
    local probe=$T/probe.img dev
    require losetup blockdev flock
    require_root
    truncate -s 1M "$probe"
    dev=$(find_loop "$probe" 2>/dev/null) || skip "loop devices do not work here"
    losetup -d "$dev"
    rm -f "$probe"
}

# The directory with images of other tools, which is not part of this tree.
require_shared() {
    SHARED=$EXHIBIT_SOURCE/../shared
    [ -d "$SHARED/images" ] || skip "no ../shared/images beside the source tree"
}

# unless_sanitized SANITIZER REASON: for what a sanitizer's run-time cannot do.
unless_sanitized() {
    case ",$EXHIBIT_SANITIZE," in
    *,"$1",*) skip "not with the $1 sanitizer: $2" ;;
    esac
}

# how_many NAME FEW MANY WHAT: sets NAME to FEW, or to MANY where check-long runs the test, and says so
# in a line that tests/run shows at its end.
how_many() {
    local n=$2
    [ -z "${EXHIBIT_LONG:-}" ] || n=$3
    printf -v "$1" %s "$n"
    echo "COUNT: ${0##*/}: $n $4 (check-long: $3)"
}

# --- devices --------------------------------------------------------------------------------------

# file_of_loop DEVICE: the inode of the file that it shows; nothing where it is free.
file_of_loop() {
    losetup --raw --noheadings --output BACK-INO,BACK-MAJ:MIN "$1" 2>/dev/null | grep "[0-9]" || true
}

# unblock DEVICE: a write block that a job left must not meet the next user of this device; where the
# kernel has BPF LSM, only its release lifts it.
unblock() { blockdev --setrw "$1" 2>/dev/null || exhibit release "$1" || true; }

# detach_loop DEVICE [INODE]: with one, as file_of_loop prints it, only if that is still what it shows:
# once detached, the device is the next one's who asks.
detach_loop() {
    local file i
    file=$(file_of_loop "$1")
    [ -n "$file" ] && [ "$file" = "${2:-$file}" ] || return 0
    unblock "$1"
    partx -d "$1" || true
    losetup -d "$1"
    # Where somebody looks at all the machine's disks just now (another test's), the kernel lets the
    # file go only when he is done; the file system that it lies on is busy until then.
    for ((i = 0; i < 600; i++)); do
        [ "$(file_of_loop "$1")" = "$file" ] || return 0
        sleep 0.05
    done
    return 1
}

# attach FILE [losetup options]: sets DEV; its partitions' nodes appear where the machine makes
# them. Detached at the end, or by detach_loop.
attach() {
    local file=$1 node
    shift
    DEV=$(find_loop "$@" "$file")
    at_exit detach_loop "$DEV" "$(file_of_loop "$DEV")"
    partx -a "$DEV" >/dev/null 2>&1 || true
    # The flag of whoever had this loop device before outlives its detaching.
    for node in "$DEV" "$DEV"p*; do
        [ ! -b "$node" ] || blockdev --setrw "$node"
    done
}

# unmount_fuse FILE PID STARTED: takes away what `serve` shows.
unmount_fuse() {
    local i
    fusermount3 -u "$1" || umount -l "$1" || true
    for ((i = 0; i < 50; i++)); do
        [ "$(started "$2")" = "$3" ] || return 0
        sleep 0.1
    done
    end_process "$2" "$3" TERM
}

# serve FILE [nbdkit arguments]: shows FILE through nbdkit's file plugin (with filters, if any) and
# FUSE; sets SERVED to the path of the file that appears, and SERVER to the process without which it
# fails.
serve() {
    local file=$1 i pid
    shift
    require nbdkit nbdfuse fusermount3
    [ -c /dev/fuse ] || skip "no /dev/fuse on this machine"
    SERVED=$(mktemp "$T/served.XXXXXX")
    nbdfuse "$SERVED" --command nbdkit -s "$@" >"$SERVED.log" 2>&1 &
    pid=$!
    SERVER=$pid
    at_exit unmount_fuse "$SERVED" "$pid" "$(started "$pid")"
    for ((i = 0; i < 600; i++)); do
        [ -s "$SERVED" ] && break
        kill -0 "$pid" 2>/dev/null || skip "FUSE does not work here: $(tail -n 1 "$SERVED.log")"
        sleep 0.1
    done
    [ "$(stat -c %s "$SERVED")" = "$(stat -c %s "$file")" ] || fail "the served file did not appear"
}

# As attach, for a file that is served (`undo 2` takes both away). Direct I/O down to the server keeps the page cache from
# spreading an error over its neighbours.
attach_served() {
    DEV=$(find_loop --read-only --direct-io=on "$@" "$SERVED")
    at_exit detach_served "$DEV"
}
detach_served() {
    unblock "$1"
    losetup -d "$1"
}

# fault_device FILE MAPFILE [losetup options]: sets DEV to a block device with the contents of FILE
# that returns an I/O error exactly where the ddrescue mapfile says '-'. Read-only by nature.
fault_device() {
    local file=$1 map=$2
    shift 2
    require_loop
    require nbdkit
    nbdkit --filter=ddrescue file --help >/dev/null 2>&1 || skip "nbdkit has no ddrescue filter"
    serve "$file" --filter=ddrescue file "$file" ddrescue-mapfile="$map"
    attach_served "$@"
}

# counted_fault_device FILE MAPFILE [losetup options]: the same, and `reads_failed` prints how many
# reads of it have failed since `reads_forget` (or since it is there), as its server counts them.
counted_fault_device() {
    local file=$1 map=$2
    shift 2
    require_loop
    require nbdkit
    nbdkit --filter=ddrescue file --help >/dev/null 2>&1 || skip "nbdkit has no ddrescue filter"
    READS_LOG=$(mktemp "$T/reads.XXXXXX")
    READS_BEFORE=0
    serve "$file" --filter=log --filter=ddrescue file "$file" ddrescue-mapfile="$map" \
        logfile="$READS_LOG"
    attach_served "$@"
}
reads_failed() { echo $(($(grep -c 'Read .* error=EIO' "$READS_LOG") - READS_BEFORE)); }
reads_forget() { READS_BEFORE=$(grep -c 'Read .* error=EIO' "$READS_LOG" || true); }

# slow_device FILE SECONDS [losetup options]: sets DEV to a block device with the contents of FILE
# on which each read takes that long.
slow_device() {
    local file=$1 delay=$2
    shift 2
    require_loop
    serve "$file" --filter=delay file "$file" rdelay="$delay"
    attach_served "$@"
}

# hanging_device FILE SECONDS [losetup options]: sets DEV to a block device with the contents of FILE
# on which each read takes that long, and that stops to answer with `hang_device` and goes on with
# `unhang_device`. What reads it meanwhile waits
# in the kernel, where no signal reaches it.
hanging_device() {
    local file=$1 delay=$2
    shift 2
    require_loop
    require nbdkit perl
    nbdkit --filter=pause null --help >/dev/null 2>&1 || skip "nbdkit has no pause filter"
    HANG_CONTROL=$(mktemp -u "$T/hang.XXXXXX")
    serve "$file" --filter=pause --filter=delay file "$file" rdelay="$delay" \
        pause-control="$HANG_CONTROL"
    attach_served "$@"
    # Whatever still waits must end before the device can be taken down.
    at_exit unhang_device
}

# pause_filter LETTER: tells the server (nbdkit-pause-filter(1)) and waits for its answer.
pause_filter() {
    perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!";
        syswrite($s, $ARGV[1]); sysread($s, $b, 1) or die "no answer"' "$HANG_CONTROL" "$1"
}
hang_device() { pause_filter p; }
unhang_device() { pause_filter r; }

# --- destinations that fail -----------------------------------------------------------------------

# small_filesystem DIR SIZE: a file system of its own, for space that runs out and for failing_writes.
small_filesystem() {
    require_root
    mkdir -p "$1"
    mount -t tmpfs -o "size=$2,mode=755" tmpfs "$1" 2>/dev/null || skip "cannot mount a tmpfs here"
    at_exit umount -l "$1"
}

# failing_writes DIR N ERRNO once|on COMMAND...: runs it with the Nth write below DIR, which must be a
# small_filesystem, failing with that errno: once, or all that follow as well. N 0: none fails.
# `writes_made` prints how many there were (writes, truncations and syncs of all processes).
failing_writes() {
    local dir=$1 n=$2 error=$3 lasting=$4
    shift 4
    printf '\0\0\0\0\0\0\0\0' >"$T/writes"
    LD_PRELOAD=$EXHIBIT_BIN/../tests/failing_writes.so \
        FAILING_WRITES="$T/writes,$dir,$n,$error,$lasting" "$@"
}
writes_made() { od -An -tu8 "$T/writes" | tr -d ' '; }

# --- maps -----------------------------------------------------------------------------------------

# fault_map FILE SIZE OFFSET LENGTH [OFFSET LENGTH...]: a mapfile with those bad ranges (bytes,
# ascending).
fault_map() {
    local file=$1 size=$2 at=0
    shift 2
    {
        echo "# written by a test"
        echo "0x0 + 1"
        while [ $# -gt 0 ]; do
            [ "$1" -gt "$at" ] && printf '0x%X 0x%X +\n' "$at" $(($1 - at))
            printf '0x%X 0x%X -\n' "$1" "$2"
            at=$(($1 + $2))
            shift 2
        done
        if [ "$at" -lt "$size" ]; then
            printf '0x%X 0x%X +\n' "$at" $((size - at))
        fi
    } >"$file"
}

# random_damage SEED SIZE SECTOR: sets BAD to the bad ranges (offset, length, ascending, apart) of a
# disk whose damage is like that of real ones: single sectors, short and long scratches, some of them
# across the borders of chunks and blocks, sectors in turn good and bad, zones, and the disk's edges.
random_damage() {
    require perl
    read -r -a BAD < <(perl - "$@" <<'EOF'
use strict;
my ($seed, $size, $sector) = @ARGV;
srand $seed;
my $n = $size / $sector;
my $bad = "\0" x $n;
sub bad {
    my ($at, $count) = @_;
    for my $s ($at .. $at + $count - 1) { substr($bad, $s, 1) = "x" if $s >= 0 && $s < $n; }
}
for (1 .. 1 + int rand 40) {
    my ($kind, $at) = (rand 100, int rand $n);
    if ($kind < 40) { bad($at, 1); }
    elsif ($kind < 60) { bad($at, 2 + int rand 15); }
    elsif ($kind < 70) { bad($at, 17 + int rand 300); }
    elsif ($kind < 85) {
        my $unit = (32768, 65536, 1048576)[rand 3] / $sector;
        my $border = $unit * int rand($n / $unit + 1);
        bad($border - int rand 3, 1 + int rand 4);
    }
    elsif ($kind < 94) { bad($at + 2 * $_, 1) for 0 .. 1 + int rand 40; }
    elsif ($kind < 96) { bad($at, int rand(1572864 / $sector)); }
    elsif ($kind < 98) { bad(0, 1 + int rand 3); }
    else { bad($n - 1 - int rand 3, 3); }
}
# A map without any damage would prove nothing.
bad(int rand $n, 1) if $bad !~ /x/;
while ($bad =~ /x+/g) { print $-[0] * $sector, " ", ($+[0] - $-[0]) * $sector, " "; }
print "\n";
EOF
    )
}

# blank_damage FILE OFFSET LENGTH [OFFSET LENGTH...]: zeros where the disk has nothing to give.
blank_damage() {
    local file=$1
    shift
    while [ $# -gt 0 ]; do
        dd if=/dev/zero of="$file" bs=512 seek=$(($1 / 512)) count=$(($2 / 512)) conv=notrunc \
            status=none
        shift 2
    done
}

# --- data -----------------------------------------------------------------------------------------

# random_file FILE SIZE [SEED]: bytes that no compressor shrinks; the same for the same seed.
random_file() {
    local key
    key=$(printf '%s' "${3:-exhibit}" | sha256sum | cut -c1-64)
    # The cipher is told to read no more than it needs, so that nothing dies of a closed pipe.
    head -c "$2" /dev/zero |
        openssl enc -aes-256-ctr -nosalt -K "$key" -iv 00000000000000000000000000000000 >"$1"
}

# mixed_file FILE SIZE [SEED]: random data, text and zeros in turn, a third each; SIZE in bytes.
mixed_file() {
    local third=$(($2 / 3))
    random_file "$1" "$third" "${3:-exhibit}"
    seq 1 100000000 2>/dev/null | head -c "$third" >>"$1" || true
    truncate -s "$2" "$1"
}

# sample_disk: sets DISK to a partitioned disk image of 64 MiB with real file systems. One for all
# tests of a build, so it must only be read, and not be attached either: for as long as it is, no test
# could take it for a source.
sample_disk() {
    require sgdisk mkfs.vfat mcopy mkfs.ext4 mkntfs ntfscp openssl flock
    DISK=$EXHIBIT_BIN/../tests/sample-64.img
    mkdir -p "${DISK%/*}"
    (
        flock 9
        [ -e "$DISK" ] || "$EXHIBIT_SOURCE/tests/lib/mk-sample-disk" "$DISK" 64
    ) 9>"$DISK.lock"
}

# own_programs: a copy of the programs that the test may change, or that another user can reach; the
# rest of the test runs these.
own_programs() {
    mkdir "$T/bin"
    cp "$EXHIBIT_BIN"/exhibit* "$T/bin"
    PATH=$T/bin:$PATH
}

# flip_byte FILE OFFSET: changes every bit of one byte.
flip_byte() {
    local old
    old=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $((255 - old)))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

md5_of() {
    md5sum <"$1" | cut -d' ' -f1
}

sha256_of() {
    sha256sum <"$1" | cut -d' ' -f1
}

# --- running and asserting ------------------------------------------------------------------------

# say_where: a sanitizer's report from standard input, with function and line for each place in one of
# our programs: in a sandbox it cannot start the program that would look them up.
say_where() {
    local line place='\((exhibit[a-z-]*)\+(0x[0-9a-f]+)\)'
    while IFS= read -r line; do
        if [[ $line =~ $place ]] && command -v llvm-symbolizer >/dev/null; then
            line+=" $(llvm-symbolizer -s -p -e "$EXHIBIT_BIN/${BASH_REMATCH[1]}" \
                "${BASH_REMATCH[2]}" | head -n 1)"
        fi
        printf '%s\n' "$line"
    done | head -n 200
}

# run COMMAND...: stdout into $T/out, stderr into $T/err, the exit code into $status.
run() {
    status=0
    "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
    if grep -qE '(Address|Leak|Thread|Memory)Sanitizer|runtime error:' "$T/err"; then
        say_where <"$T/err" >&2
        fail "a sanitizer spoke up: $*"
    fi
}

# expect CODE COMMAND...: runs it; any other exit code is a failure.
expect() {
    local wanted=$1
    shift
    run "$@"
    [ "$status" -eq "$wanted" ] || fail "exit code $status, expected $wanted: $*"
}

assert_eq() {
    [ "$1" = "$2" ] || fail "${3:-values differ}: got '$1', expected '$2'"
}

# assert_contains FILE TEXT: somewhere in the file, as it stands.
assert_contains() {
    grep -qF -- "$2" "$1" || fail "'$2' is not in ${1#"$T"/}"
}

assert_lacks() {
    if grep -qF -- "$2" "$1"; then
        fail "'$2' is in ${1#"$T"/}"
    fi
}

assert_exists() {
    local f
    for f; do
        [ -e "$f" ] || fail "'$f' is not there"
    done
}

assert_missing() {
    local f
    for f; do
        if [ -e "$f" ] || [ -L "$f" ]; then
            fail "'$f' is there"
        fi
    done
}

assert_same_bytes() {
    cmp -- "$1" "$2" || fail "'$1' and '$2' differ"
}

# assert_only DIRECTORY NAME...: that directory holds these names and no others.
assert_only() {
    local dir=$1
    shift
    assert_eq "$(find "$dir" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" \
        "$(printf '%s\n' "$@" | grep . | sort | tr '\n' ' ')" "contents of '$dir'"
}

# child_of PID NAME: the pid of the program NAME that PID, or a child of it, has started. By
# descent, never by name alone: other tests run at the same time.
child_of() {
    local child
    for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
        if [ "$({ tr '\0' ' ' <"/proc/$child/cmdline"; } 2>/dev/null | cut -d' ' -f1 | sed 's|.*/||')" = "$2" ]; then
            echo "$child"
            return
        fi
        child_of "$child" "$2"
    done
}

# wait_until SECONDS COMMAND...: until it succeeds; SECONDS is what a slow machine may take, and the
# slowest are given four times that.
wait_until() {
    local i limit=$(($1 * 80))
    shift
    for ((i = 0; i < limit; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    fail "this did not come true in time: $*"
}

# gone PID: the process has ended with all its threads, whoever is to take note of it.
gone() {
    local states
    states=$(cut -d' ' -f3 "/proc/$1/task/"*/stat 2>/dev/null || true)
    ! grep -q '[^ZX]' <<<"$states"
}

# group_gone PID: so have all the processes of the group that PID began (setsid(1)).
group_gone() {
    local pid
    for pid in $(pgrep -g "$1"); do
        gone "$pid" || return 1
    done
}

# catches PID SIGNAL: the program does something of its own with that signal; before that it would be
# lost, as the shell starts what runs in the background deaf to SIGINT, and is itself, with handlers
# of its own, what runs there at first.
catches() {
    local mask number
    number=$(kill -l "$2")
    [ "$(readlink "/proc/$1/exe")" != "$(readlink "/proc/$$/exe")" ] || return 1
    mask=$(awk '$1 == "SigCgt:" { print $2 }' "/proc/$1/status")
    # An empty number would make bash drop all that it is in, and go on with the test.
    [ -n "$mask" ] && [ $(((16#$mask >> (number - 1)) & 1)) -eq 1 ]
}

# hold_job PID LOG: the job of that front pauses as soon as it reads, however little there is to read
# and however late this machine sees that it has begun; LOG is the job's. SIGUSR2 lets it go on.
hold_job() {
    wait_until 60 catches "$1" USR1
    kill -USR1 "$1"
    wait_until 60 grep -q "paused at byte" "$2"
}

# is_free DEVICE: nobody holds it.
is_free() { perl -MFcntl -e 'exit !sysopen(my $f, $ARGV[0], O_RDONLY | O_EXCL)' "$1"; }

# assert_error TEXT: the last command gave one line on stderr, ours, that holds TEXT.
assert_error() {
    local lines
    lines=$(grep -c . "$T/err" || true)
    [ "$lines" -eq 1 ] || fail "$lines lines on stderr, expected one"
    grep -q '^exhibit' "$T/err" || fail "the error does not start with the program's name"
    assert_contains "$T/err" "$1"
}

# json FILE FILTER: the value that jq finds.
json() {
    jq -r "$2" "$1"
}

# assert_best_write_block FILE FILTER: the best level that this machine has, whichever that is.
assert_best_write_block() {
    local got
    got=$(json "$1" "$2")
    case $got in
    bpf-lsm | read-only-flag) ;;
    *) fail "$2 of ${1#"$T"/} is '$got'" ;;
    esac
}

# assert_json FILE FILTER EXPECTED
assert_json() {
    local got
    got=$(jq -r "$2" "$1") || fail "jq cannot read ${1#"$T"/}"
    [ "$got" = "$3" ] || fail "$2 of ${1#"$T"/} is '$got', expected '$3'"
}
