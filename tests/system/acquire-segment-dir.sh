#!/bin/bash
# A destination that runs full: the job ends resumable, and goes on in another directory. The image is
# one image all the same, its manifest says where each segment lies, and other tools can check it.
. "$(dirname "$0")/../lib/system.sh"
require jq sha256sum mkfs.ext4 mount umount
require_root
require_loop
random_file "$T/src" $((40 * 1048576))
want=$(sha256sum "$T/src" | cut -c1-64)
truncate -s 24M "$T/fs"
attach "$T/fs"
fs=$DEV
mkdir "$T/small" "$T/more" "$T/third"
chmod 755 "$T/more" "$T/third"
at_exit umount -q "$T/small"

small() {
    umount -q "$T/small" || true
    mkfs.ext4 -q -F -m 0 -O ^has_journal "$fs"
    mount "$fs" "$T/small" || skip "no ext4 can be mounted"
}

# checked FORMAT: what must hold of the image that lies in two directories.
checked() {
    local n
    assert_missing "$T/small/x.partial" "$T/more/x.partial"
    assert_json "$T/small/x.manifest.json" .media.hashes.sha256 "$want"
    assert_json "$T/small/x.manifest.json" .verification.status passed
    assert_json "$T/small/x.manifest.json" '.acquisition.resumed | length' 1
    (cd "$T/small" && sha256sum --quiet -c x.sha256 && md5sum --quiet -c x.md5) || fail "the sums"
    expect 0 exhibit verify "$T/small/x.manifest.json"
    n=$(jq '[.image.segments[] | select(.directory)] | length' "$T/small/x.manifest.json")
    [ "$n" -gt 0 ] || fail "no segment in the other directory"
    while read -r dir file; do
        [ -f "$dir/$file" ] || fail "'$dir/$file' is not where the manifest says"
    done < <(jq -r '.image.segments[] | select(.directory) | "\(.directory) \(.file)"' "$T/small/x.manifest.json")
}

# A single file is carried over as far as it was promised, and not read from the source again.
mkdir "$T/single"
slow_device "$T/src" 100ms
exhibit acquire "$DEV" "$T/single/x" --format raw --quiet >"$T/out" 2>"$T/err" </dev/null &
front=$!
until [ "$(stat -c %s "$T/single/x.partial/x.raw" 2>/dev/null || echo 0)" -gt 4194304 ]; do
    kill -0 $front 2>/dev/null || fail "the job has ended before it could be interrupted"
done
kill -INT $front
status=0
wait $front || status=$?
assert_eq $status 4 "exit code"
# The same disk, no longer slow.
attach "$T/src" --read-only
expect 0 exhibit acquire --resume "$DEV" "$T/single/x" --segment-dir "$T/more"
assert_missing "$T/single/x.raw" "$T/single/x.partial" "$T/more/x.partial"
assert_same_bytes "$T/more/x.raw" "$T/src"
assert_json "$T/single/x.manifest.json" '.acquisition.resumed[0].at > 4000000' true
expect 0 exhibit verify "$T/single/x.manifest.json"
rm "$T/more"/*

for format in e01 raw; do
    small
    expect 4 exhibit acquire "$T/src" "$T/small/x" --format "$format" --segment-size 4M \
        --compression none --allow-low-space
    assert_contains "$T/err" "exhibit acquire --resume $T/src $T/small/x"
    assert_contains "$T/err" "--segment-dir"
    # There is no more room now than before.
    expect 5 exhibit acquire --resume "$T/src" "$T/small/x" --segment-dir "$T/small"
    expect 1 exhibit acquire --resume "$T/src" "$T/small/x" --segment-dir "$T/absent"
    expect 0 exhibit acquire --resume "$T/src" "$T/small/x" --segment-dir "$T/more"
    checked "$format"
    if [ "$format" = raw ]; then
        jq -r '.image.segments[] | "\(.directory // "'"$T/small"'")/\(.file)"' "$T/small/x.manifest.json" |
            xargs cat | cmp - "$T/src" || fail "the segments do not make up the source"
    fi
    expect 0 exhibit report "$T/small/x.manifest.json" --format json --output-dir "$T/third"
    rm -r "$T/more" "$T/third"
    mkdir -m 755 "$T/more" "$T/third"
done
