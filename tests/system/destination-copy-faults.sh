# With --copy, a destination that fails at any of its writes never harms the other: that one is whole
# and gets its names, the failing one gets none. A resume gives the other what it lacks; one that fails
# again takes nothing away.
. "$(dirname "$0")/../lib/system.sh"
require ewfverify jq
[ -z "$EXHIBIT_SANITIZE" ] || skip "a preloaded library does not go with a sanitizer"
how_many N 6 1000000 "failing writes of each format at most"
mkdir "$T/good"
small_filesystem "$T/bad" 64M
mixed_file "$T/src" 2097152
md5=$(md5_of "$T/src")

# fail_at WRITE ERRNO DEST COPY OPTION...
fail_at() {
    local n=$1 error=$2 dest=$3 copy=$4 what="write $1 errno $2"
    shift 4
    rm -rf "$T/good"/* "$T/bad"/*
    run failing_writes "$T/bad" "$n" "$error" on \
        exhibit acquire "$T/src" "$dest/x" --copy "$copy/x" --segment-size 1M --quiet "$@"
    if [ "$status" -eq 0 ]; then
        # This run needed fewer than the one that was counted, or it was the journal's last line,
        # which would have helped a resume that is not needed.
        right "$T/good"
        right "$T/bad"
        assert_missing "$T/good/x.partial" "$T/bad/x.partial"
        return
    fi
    only_good
    assert_contains "$T/err" "$T/bad/x"
    if ! grep -qs '"begin".*"check"' "$T/bad/x.partial/x.journal"; then
        return # it failed before there was a journal in it
    fi
    if [ "$n" -lt 6 ] && ! grep -qF "exhibit acquire --resume" "$T/err"; then
        return # its first line could be written, but not made durable
    fi
    assert_contains "$T/err" "exhibit acquire --resume"
    if [ $((n % 2)) -eq 0 ]; then
        run failing_writes "$T/bad" $((n / 2)) "$error" on exhibit acquire --resume "$T/src" \
            "$dest/x" --quiet
        [ "$status" -eq 0 ] || only_good
    fi
    if [ -e "$T/bad/x.partial" ]; then
        expect 0 exhibit acquire --resume "$T/src" "$dest/x" --quiet
    fi
    right "$T/good"
    right "$T/bad"
    assert_missing "$T/good/x.partial" "$T/bad/x.partial"
    resumed=$((resumed + 1))
}

# right DIR: the image there is whole.
right() {
    assert_json "$1/x.manifest.json" .media.hashes.md5 "$md5"
    assert_json "$1/x.manifest.json" .verification.status passed
    expect 0 exhibit verify --quiet "$1/x.manifest.json"
}

only_good() {
    [ "$status" -eq 1 ] || [ "$status" -eq 4 ] || fail "$what: exit code $status"
    cp "$T/err" "$T/said"
    # Where a move or the last sync fails, and every rename back, names stay; all is whole then.
    grep -q "cannot publish" "$T/said" || assert_missing "$T/bad/x.E01" "$T/bad/x.001"
    [ ! -e "$T/bad/x.manifest.json" ] || right "$T/bad"
    right "$T/good"
    cp "$T/said" "$T/err"
}

total() {
    rm -rf "$T/good"/* "$T/bad"/*
    expect 0 failing_writes "$T/bad" 0 5 on \
        exhibit acquire "$T/src" "$T/good/x" --copy "$T/bad/x" --segment-size 1M --quiet "$@"
    writes=$(writes_made)
}

ran=0 resumed=0
for format in e01 raw; do
    total --format $format
    step=$((writes > N ? writes / N : 1))
    # The log's first lines are the front's own; the papers come after the media.
    for ((n = 1; n <= writes; n += step)); do
        error=$((n % 2 ? 28 : 5))
        if [ $((ran % 4)) -lt 2 ]; then
            fail_at "$n" "$error" "$T/good" "$T/bad" --format $format
        else
            fail_at "$n" "$error" "$T/bad" "$T/good" --format $format
        fi
        ran=$((ran + 1))
    done
    [ $format = raw ] || expect 0 ewfverify -q "$T/good/x.E01"
done
# What was done with the good image since must not be undone: then nothing is touched.
assert_exists "$T/good/x.manifest.json"
rm -rf "$T/good"/* "$T/bad"/*
run failing_writes "$T/bad" 40 28 on exhibit acquire "$T/src" "$T/good/x" --copy "$T/bad/x" \
    --format raw --quiet
assert_exists "$T/good/x.partial/x.journal"
exhibit custody add "$T/good/x" --action received --to Lab >/dev/null
expect 5 exhibit acquire --resume "$T/src" "$T/good/x"
assert_contains "$T/err" "x.custody.jsonl' has its place already"
expect 0 exhibit verify --quiet "$T/good/x.manifest.json"
echo "$ran failing writes, $resumed jobs continued"
