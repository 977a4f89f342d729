# A destination that fails at any of its writes, with ENOSPC or EIO: the job says so, nothing gets its
# final name, and what lies there is never taken for an image.
. "$(dirname "$0")/../lib/system.sh"
require ewfverify jq
[ -z "$EXHIBIT_SANITIZE" ] || skip "a preloaded library does not go with a sanitizer"
how_many N 12 1000000 "failing writes of each format at most"
small_filesystem "$T/d" 64M
mixed_file "$T/src" 2097152
md5=$(md5_of "$T/src")

# fail_at WRITE ERRNO once|on OPTION...
fail_at() {
    local n=$1 error=$2 how=$3 what="write $1 errno $2 $3"
    shift 3
    rm -rf "$T/d"/*
    run failing_writes "$T/d" "$n" "$error" "$how" \
        exhibit acquire "$T/src" "$T/d/x" --segment-size 1M --quiet "$@"
    if [ "$status" -eq 0 ] && [ "$how" = once ]; then
        # A single failure of what is written again or promises nothing need not end a job; the image
        # must then be right.
        assert_json "$T/d/x.manifest.json" .media.hashes.md5 "$md5"
        expect 0 exhibit verify --quiet "$T/d/x.manifest.json"
        return
    fi
    [ "$status" -eq 1 ] || [ "$status" -eq 4 ] || fail "$what: exit code $status"
    [ -s "$T/err" ] || fail "$what: not a word"
    if [ -e "$T/d/x.manifest.json" ]; then
        # All was in place but for the last step.
        assert_json "$T/d/x.manifest.json" .media.hashes.md5 "$md5"
        expect 0 exhibit verify --quiet "$T/d/x.manifest.json"
        return
    fi
    local first=$T/d/x.partial/x.E01
    if [ -e "$first" ] && ewfverify "$first" >"$T/ewf" 2>&1; then
        # Whole, though its papers are not: then it must be the source's.
        assert_contains "$T/ewf" "$md5"
    fi
}

ran=0
for format in e01 raw; do
    rm -rf "$T/d"/*
    expect 0 failing_writes "$T/d" 0 5 on \
        exhibit acquire "$T/src" "$T/d/x" --segment-size 1M --quiet --format $format
    writes=$(writes_made)
    step=$((writes > N ? writes / N : 1))
    for ((n = 1; n <= writes; n += step)); do
        fail_at "$n" $((ran % 2 ? 28 : 5)) "$([ $((ran % 3)) -gt 0 ] && echo on || echo once)" \
            --format $format
        ran=$((ran + 1))
    done
done
echo "$ran failing writes"
