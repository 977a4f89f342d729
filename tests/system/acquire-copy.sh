# A second image in the same pass; one that fails does not take the other with it.
. "$(dirname "$0")/../lib/system.sh"
require ewfverify jq
mixed_file "$T/src" $((24 * 1048576))
mkdir "$T/a" "$T/b"

expect 0 exhibit acquire "$T/src" "$T/a/EV" --copy "$T/b/EV-copy" --segment-size 4M
expect 0 ewfverify -q "$T/b/EV-copy.E01"
for f in "$T"/a/EV.E*; do
    assert_same_bytes "$f" "$T/b/EV-copy.${f##*.}"
done
(cd "$T/b" && sha256sum -c --quiet EV-copy.sha256) || fail "the sums of the copy do not agree"
assert_json "$T/a/EV.manifest.json" '.image.copies[0] | [.path, .status] | join(" ")' \
    "$T/b/EV-copy written"
assert_json "$T/b/EV-copy.manifest.json" '.image.segments[0].file' EV-copy.E01
assert_json "$T/b/EV-copy.manifest.json" .verification.status passed

expect 2 exhibit acquire "$T/src" "$T/x" --copy "$T/../${T##*/}/x"
assert_error "destination itself"
touch "$T/b/there.E01"
expect 5 exhibit acquire "$T/src" "$T/x" --copy "$T/b/there"
assert_missing "$T/x.partial" "$T/x.E01" "$T/b/there.partial"

# A destination that fills up.
require_root
mkdir "$T/small"
mount -t tmpfs -o size=6M tmpfs "$T/small" 2>/dev/null || skip "cannot mount a tmpfs"
at_exit umount "$T/small"
expect 5 exhibit acquire "$T/src" "$T/c" --format raw --copy "$T/small/c"
assert_error "not enough space"
assert_missing "$T/c.partial"
assert_only "$T/small"
expect 1 exhibit acquire "$T/src" "$T/c" --format raw --copy "$T/small/c" --allow-low-space
assert_contains "$T/err" "small/c"
assert_same_bytes "$T/src" "$T/c.raw"
assert_json "$T/c.manifest.json" '.image.copies[0].status' failed
assert_json "$T/c.manifest.json" .verification.status passed
assert_missing "$T/small/c.raw" "$T/small/c.manifest.json"

# Also where the log of many segments no longer fits beside the copy that failed.
rm -r "$T/small/c.partial"
expect 1 exhibit acquire "$T/src" "$T/e" --format raw --segment-size 64K --copy "$T/small/e" \
    --allow-low-space
assert_json "$T/e.manifest.json" .verification.status passed
cat "$T"/e.[0-9]* | cmp - "$T/src" || fail "the image that went on is not the source"
