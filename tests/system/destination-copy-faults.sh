# With --copy, a destination that fails at any of its writes never harms the other: that one is whole
# and gets its names, the failing one gets none.
. "$(dirname "$0")/../lib/system.sh"
require ewfverify jq
[ -z "$EXHIBIT_SANITIZE" ] || skip "a preloaded library does not go with a sanitizer"
how_many N 10 1000000 "failing writes of each format at most"
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
    [ "$status" -eq 1 ] || [ "$status" -eq 4 ] || fail "$what: exit code $status"
    assert_contains "$T/err" "$T/bad/x"
    assert_missing "$T/bad/x.manifest.json" "$T/bad/x.E01" "$T/bad/x.001"
    assert_json "$T/good/x.manifest.json" .media.hashes.md5 "$md5"
    assert_json "$T/good/x.manifest.json" .verification.status passed
    expect 0 exhibit verify --quiet "$T/good/x.manifest.json"
}

total() {
    rm -rf "$T/good"/* "$T/bad"/*
    expect 0 failing_writes "$T/bad" 0 5 on \
        exhibit acquire "$T/src" "$T/good/x" --copy "$T/bad/x" --segment-size 1M --quiet "$@"
    writes=$(writes_made)
}

ran=0
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
echo "$ran failing writes"
