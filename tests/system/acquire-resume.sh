#!/bin/bash
# A job that was interrupted is continued with --resume: the image is that of a job that was not, the
# manifest lists the interruptions, nothing is left over. What contradicts its beginning is refused.
. "$(dirname "$0")/../lib/system.sh"
require jq ewfverify sha256sum cmp setsid pgrep
random_file "$T/src" $((96 * 1048576))
mkdir "$T/d"
want=$(sha256sum "$T/src" | cut -c1-64)

# interrupt SIGNAL WHO ARGUMENTS...: starts a job, kills it once it has read something.
interrupt() {
    local signal=$1 who=$2 pid
    shift 2
    setsid "$(command -v exhibit)" acquire "$@" --quiet >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    sleep "0.$((RANDOM % 25))"
    pid=$front
    [ "$who" = front ] || pid=$(child_of "$front" "exhibit-$who" || true)
    [ -z "$pid" ] || kill "-$signal" "$pid" 2>/dev/null || true
    wait "$front" 2>/dev/null || true
    # What it had started goes on for a moment, and may write until then.
    wait_until 20 group_gone "$front"
}

# whole NAME FORMAT: what the finished job must have left.
whole() {
    assert_missing "$T/d/$1.partial"
    assert_json "$T/d/$1.manifest.json" .media.hashes.sha256 "$want"
    assert_json "$T/d/$1.manifest.json" .verification.status passed
    (cd "$T/d" && sha256sum --quiet -c "$1.sha256" && md5sum --quiet -c "$1.md5") || fail "sums of $1"
    expect 0 exhibit verify "$T/d/$1.manifest.json"
    if [ "$2" = e01 ]; then
        ewfverify -q "$T/d/$1.E01" >"$T/ewf" 2>&1 || fail "ewfverify of $1: $(tail -n 3 "$T/ewf")"
    fi
}

RANDOM=${EXHIBIT_SEED:-$$}
how_many rounds 12 100 "kills at random moments"
echo "EXHIBIT_SEED=${EXHIBIT_SEED:-$$}"
formats=(e01 raw)
signals=(KILL INT TERM KILL KILL)
parts=(front front worker supervisor front)
for ((i = 0; i < rounds; i++)); do
    format=${formats[i % 2]}
    k=$((RANDOM % 5))
    args=("$T/src" "$T/d/x" --format "$format" --segment-size 16M)
    interrupt "${signals[k]}" "${parts[k]}" "${args[@]}"
    if [ -d "$T/d/x.partial" ] && [ -e "$T/d/x.manifest.json" ]; then
        expect 0 exhibit acquire --resume "$T/src" "$T/d/x" # killed while it cleared away
    elif [ -s "$T/d/x.partial/x.journal" ]; then
        # As after a power cut: the journal's last bytes were never written, or are zero.
        journal=$T/d/x.partial/x.journal
        if [ $((i % 3)) -eq 1 ] && [ "$(wc -l <"$journal")" -gt 1 ]; then
            truncate -s -7 "$journal"
        elif [ $((i % 3)) -eq 2 ]; then
            head -c 4096 /dev/zero >>"$journal"
        fi
        expect 0 exhibit acquire --resume "$T/src" "$T/d/x"
        assert_json "$T/d/x.manifest.json" '.acquisition.resumed | length' 1
        assert_contains "$T/d/x.log" "resumed by Exhibit"
    fi
    # Else it may have been killed before there was anything.
    [ ! -e "$T/d/x.manifest.json" ] || whole x "$format"
    rm -rf "$T/d"
    mkdir "$T/d"
done

# begun NAME ARGUMENTS...: a job that was interrupted in the middle. Where it is over before we come
# to that, once more.
begun() {
    local name=$1 try
    shift
    for ((try = 0; try < 20; try++)); do
        exhibit acquire "$T/src" "$T/d/$name" --quiet "$@" >"$T/out" 2>"$T/err" </dev/null &
        front=$!
        # Reading takes less time than wait_until sleeps.
        until [ -e "$T/d/$name.partial/$name.E02" ] || ! kill -0 "$front" 2>/dev/null; do :; done
        kill -INT "$front" 2>/dev/null || true
        status=0
        wait "$front" || status=$?
        if [ "$status" -ne 0 ]; then
            assert_eq "$status" 4 "exit code"
            return
        fi
        find "$T/d" -depth -name "$name.*" -exec rm -rf {} +
    done
    fail "the job was always over before it could be interrupted"
}

begun y --hash md5 --segment-size 16M
assert_contains "$T/err" "exhibit acquire --resume $T/src $T/d/y"
# Without --resume nothing is touched, and the way on is named.
expect 5 exhibit acquire "$T/src" "$T/d/y"
assert_contains "$T/err" "--resume"
for wrong in "--format raw" "--hash sha256" "--segment-size 17M" "--case 7" "--compression best" \
    "--copy $T/d/z" "--meta a=b" "--no-verify" "--sector-size 4096"; do
    # shellcheck disable=SC2086
    expect 2 exhibit acquire --resume "$T/src" "$T/d/y" $wrong
    assert_contains "$T/err" "conflicts"
done
# Another source: other size, other time.
cp --preserve=timestamps "$T/src" "$T/other"
truncate -s -512 "$T/other"
expect 5 exhibit acquire --resume "$T/other" "$T/d/y"
cp "$T/src" "$T/other"
touch -d '2001-01-01' "$T/other"
expect 5 exhibit acquire --resume "$T/other" "$T/d/y"
# Other bytes under the same size and time: what was imaged does not match.
cp --preserve=timestamps "$T/src" "$T/other"
flip_byte "$T/other" 0
touch -r "$T/src" "$T/other"
expect 5 exhibit acquire --resume "$T/other" "$T/d/y"
# A damaged journal is not believed.
cp "$T/d/y.partial/y.journal" "$T/journal"
sed -i '1s/exhibit.journal/Exhibit.journal/' "$T/d/y.partial/y.journal"
expect 1 exhibit acquire --resume "$T/src" "$T/d/y"
cp "$T/journal" "$T/d/y.partial/y.journal"
# A second run while one has the job.
exec 8<>"$T/d/y.partial/y.journal"
flock 8
expect 5 exhibit acquire --resume "$T/src" "$T/d/y"
assert_contains "$T/err" "running in another process"
exec 8>&-
# The same options given again are none that conflict.
expect 0 exhibit acquire --resume "$T/src" "$T/d/y" --hash md5 --segment-size 16M --threads 1
assert_eq "$(jq -r '.media.hashes.md5' "$T/d/y.manifest.json")" "$(md5sum "$T/src" | cut -c1-32)"
assert_missing "$T/d/y.partial"
expect 1 exhibit acquire --resume "$T/src" "$T/d/y"
assert_contains "$T/err" "no journal"
# Killed when only the empty directory was left: the end that the job came to is its exit code.
mkdir "$T/d/y.partial"
expect 0 exhibit acquire --resume "$T/src" "$T/d/y"
assert_error "had come to its end; nothing is left to resume"
assert_missing "$T/d/y.partial"
jq '.unreadable = {sectors: 1, ranges: [{offset: 512, length: 512}]}' "$T/d/y.manifest.json" >"$T/damaged"
cp "$T/damaged" "$T/d/y.manifest.json"
mkdir "$T/d/y.partial"
expect 3 exhibit acquire --resume "$T/src" "$T/d/y"
assert_missing "$T/d/y.partial"
# With anything in it, it is not known whose it is.
mkdir "$T/d/y.partial"
: >"$T/d/y.partial/z"
expect 1 exhibit acquire --resume "$T/src" "$T/d/y"
assert_exists "$T/d/y.partial/z"
rm -r "$T/d/y.partial"

# A copy is meant where the job was begun, also where its path looks like a URI.
mkdir "$T/d/c:1"
cd "$T/d"
begun z --segment-size 16M --copy c:1/z
cd "$OLDPWD"
expect 0 exhibit acquire --resume "$T/src" "$T/d/z"
assert_json "$T/d/c:1/z.manifest.json" .media.hashes.sha256 "$want"

# Killed before there was anything to go on from: what to do about it is said.
mkdir "$T/d/n.partial"
expect 1 exhibit acquire --resume "$T/src" "$T/d/n"
assert_contains "$T/err" "no journal"
assert_contains "$T/err" "remove '$T/d/n.partial'"
: >"$T/d/n.partial/n.journal"
expect 1 exhibit acquire --resume "$T/src" "$T/d/n"
assert_contains "$T/err" "remove '$T/d/n.partial'"
