# A destination that fails at any of its writes with ENOSPC or EIO, or a process that is killed there:
# the job says so, nothing gets its final name, what lies there is never taken for an image, and the
# job can be continued: then the image is the source's.
. "$(dirname "$0")/../lib/system.sh"
require ewfverify jq
[ -z "$EXHIBIT_SANITIZE" ] || skip "a preloaded library does not go with a sanitizer"
how_many N 6 1000000 "failing writes of each format at most"
small_filesystem "$T/d" 64M
mixed_file "$T/src" 2097152
md5=$(md5_of "$T/src")

# right WHAT: the image that is there.
right() {
    assert_missing "$T/d/x.partial"
    assert_json "$T/d/x.manifest.json" .media.hashes.md5 "$md5"
    assert_json "$T/d/x.manifest.json" .verification.status passed
    expect 0 exhibit verify --quiet "$T/d/x.manifest.json"
    if [ -e "$T/d/x.E01" ]; then
        expect 0 ewfverify -q "$T/d/x.E01"
    else
        cat "$T/d"/x.0?? | cmp - "$T/src" || fail "$1: the raw files are not the source"
    fi
}

# fail_at WRITE ERRNO once|on OPTION...
fail_at() {
    local n=$1 error=$2 how=$3 what="write $1 errno $2 $3 ${*:4}"
    shift 3
    rm -rf "$T/d"/*
    run failing_writes "$T/d" "$n" "$error" "$how" \
        exhibit acquire "$T/src" "$T/d/x" --segment-size 1M --quiet "$@"
    ended["$status"]=$((${ended["$status"]:-0} + 1))
    if [ "$status" -eq 0 ]; then
        # A single failure of what is written again or promises nothing need not end a job.
        [ "$how" = once ] || [ -e "$T/d/x.manifest.json" ] || fail "$what: no failure, and no image"
        rm -rf "$T/d/x.partial"
        right "$what"
        return
    fi
    [ "$error" -eq 0 ] || [ -s "$T/err" ] || fail "$what: not a word"
    if [ -e "$T/d/x.manifest.json" ]; then
        # All was in place but for the last step.
        assert_json "$T/d/x.manifest.json" .media.hashes.md5 "$md5"
        expect 0 exhibit verify --quiet "$T/d/x.manifest.json"
        return
    fi
    if ! grep -qs '"begin".*"check"' "$T/d/x.partial/x.journal"; then
        # Before the journal's first line there is nothing to go on from, and nothing is left.
        [ "$error" -eq 0 ] || assert_missing "$T/d/x.partial"
        return
    fi
    if [ "$error" -ne 0 ]; then
        assert_eq "$status" 4 "$what: exit code"
        assert_contains "$T/err" "--resume"
    fi
    run exhibit acquire --resume "$T/src" "$T/d/x" --quiet
    [ "$status" -eq 0 ] || fail "$what: the resume ended with $status"
    resumed=$((resumed + 1))
    right "$what"
}

declare -A ended=()
ran=0 resumed=0
errors=(28 5 0 28 5 5)
lasting=(on on once once on once)
for format in e01 raw; do
    rm -rf "$T/d"/*
    expect 0 failing_writes "$T/d" 0 5 on \
        exhibit acquire "$T/src" "$T/d/x" --segment-size 1M --quiet --format $format
    writes=$(writes_made)
    step=$((writes > N ? writes / N : 1))
    for ((n = 1; n <= writes; n += step)); do
        if [ -n "${EXHIBIT_LONG:-}" ]; then
            fail_at "$n" 28 on --format $format
            fail_at "$n" 5 on --format $format
            fail_at "$n" 5 once --format $format
            fail_at "$n" 0 once --format $format
            ran=$((ran + 4))
        else
            fail_at "$n" "${errors[ran % 6]}" "${lasting[ran % 6]}" --format $format
            ran=$((ran + 1))
        fi
    done
    echo "$format: $writes writes"
done
echo "$ran failures, $resumed jobs continued; exit codes:$(for s in "${!ended[@]}"; do
    echo -n " $s (${ended[$s]})"
done)"

# Killed at each of the last steps, when files get their names and the journals go: a resume does what
# is left to do, if only to clear away.
both() { exhibit acquire "$T/src" "$T/d/x" --copy "$T/d/y" --segment-size 1M --quiet; }
rm -rf "$T/d"/*
expect 0 failing_writes "$T/d" 0 0 once both
writes=$(writes_made)
cleared=0
for ((n = writes - 20; n <= writes; n++)); do
    rm -rf "$T/d"/*
    run failing_writes "$T/d" "$n" 0 once both
    [ -e "$T/d/x.partial" ] || continue # this run needed fewer than the one that was counted
    expect 0 exhibit acquire --resume "$T/src" "$T/d/x" --quiet
    for name in x y; do
        assert_missing "$T/d/$name.partial"
        assert_json "$T/d/$name.manifest.json" .media.hashes.md5 "$md5"
        expect 0 exhibit verify --quiet "$T/d/$name.manifest.json"
    done
    cleared=$((cleared + 1))
done
[ "$cleared" -ge 5 ] || fail "only $cleared of 21 jobs were killed"
