# exhibit copy: the image and all that belongs to it arrive and are read back; a copy that was
# broken off goes on; nothing that differs is overwritten.
. "$(dirname "$0")/../lib/system.sh"
require jq md5sum sha256sum

# same DIRECTORY: holds what the source holds, byte for byte, a record, and a ledger that goes on
# with the copying.
same() {
    local f
    for f in "$T/src"/*; do
        case ${f##*/} in
        EV.copies.jsonl | EV.custody.jsonl) ;;
        *) assert_same_bytes "$f" "$1/${f##*/}" ;;
        esac
    done
    assert_eq "$(head -n "$(wc -l <"$T/src/EV.custody.jsonl")" "$1/EV.custody.jsonl" | sha256sum)" \
        "$(sha256sum <"$T/src/EV.custody.jsonl")" "the ledger that was copied"
    assert_eq "$(tail -n 1 "$1/EV.custody.jsonl" | jq -r .action)" copied
    assert_missing "$1"/*.partial
    [ -s "$1/EV.copies.jsonl" ] || fail "no record in $1"
}

actions() {
    tail -n 1 "$1/EV.copies.jsonl" | jq -r '[.files[].action] | unique | join(" ")'
}

mixed_file "$T/media.raw" 6291456 copy
mkdir "$T/src" "$T/to"
expect 0 exhibit acquire "$T/media.raw" "$T/src/EV" --segment-size 1M --compression none
expect 0 exhibit report "$T/src/EV.manifest.json" --output-dir "$T/src"
echo "a note" >"$T/src/EV.txt"
echo "of another image" >"$T/other" # not of this one
before=$(cd "$T/src" && sha256sum -- * | sha256sum)

# --- the whole, by either name; DEST is a directory, one to be made, or the name in one
expect 0 exhibit copy "$T/src/EV.manifest.json" "$T/to"
same "$T/to"
assert_eq "$(actions "$T/to")" copied
expect 0 exhibit copy "$T/src/EV.E01" "$T/made"
same "$T/made"
mkdir "$T/named"
expect 0 exhibit copy "$T/src/EV.E01" "$T/named/EV"
same "$T/named"
(cd "$T/to" && md5sum --quiet -c EV.md5 && sha256sum --quiet -c EV.sha256)
expect 0 exhibit verify --json "$T/to/EV.manifest.json"
assert_json "$T/out" .verdict passed
assert_eq "$(cd "$T/src" && sha256sum -- * | sha256sum)" "$before" "the source"

# --- the record
tail -n 1 "$T/to/EV.copies.jsonl" >"$T/record"
assert_json "$T/record" .schema exhibit.copy/1
assert_json "$T/record" .action copy
assert_json "$T/record" '.files[] | select(.file == "EV.E01").sha256' "$(sha256_of "$T/src/EV.E01")"
assert_json "$T/record" '.files[] | select(.file == "EV.E01").as_in_manifest' true
expect 0 exhibit copy --json "$T/to/EV.manifest.json" "$T/second"
assert_json "$T/out" .verified passed
assert_eq "$(grep -c . "$T/second/EV.copies.jsonl")" 2 "the copy of a copy has both lines"

# --- again: all is kept and compared
expect 0 exhibit copy "$T/src/EV.E01" "$T/to"
assert_eq "$(actions "$T/to")" kept
same "$T/to"

# --- the ledger may grow where the copy is; and under sudo the copy is the caller's
echo '{"a": "line"}' >>"$T/to/EV.custody.jsonl"
expect 0 exhibit copy "$T/src/EV.E01" "$T/to"
assert_eq "$(actions "$T/to")" kept
sed -i '1s/^./x/' "$T/to/EV.custody.jsonl"
expect 5 exhibit copy "$T/src/EV.E01" "$T/to"
cp "$T/src/EV.custody.jsonl" "$T/to"
if [ "$(id -u)" -eq 0 ]; then
    expect 0 env SUDO_UID=65534 SUDO_GID=65534 "$(command -v exhibit)" copy "$T/src/EV.E01" "$T/sudo"
    assert_eq "$(stat -c %u "$T/sudo" "$T/sudo"/* | sort -u)" 65534 "owner of the copy"
fi

# --- broken off: what is whole is kept, what is there in part goes on, also if the part is wrong
rm "$T/to"/EV.E0[345] "$T/to/EV.manifest.json"
head -c 700000 "$T/src/EV.E03" >"$T/to/EV.E03.partial"
head -c 900000 /dev/zero >"$T/to/EV.E04.partial"
cp "$T/src/EV.E05" "$T/to/EV.E05.partial"
head -c 4096 /dev/zero >>"$T/to/EV.E05.partial" # longer than the source
expect 0 exhibit copy "$T/src/EV.E01" "$T/to"
same "$T/to"
assert_eq "$(actions "$T/to")" "copied kept resumed"

# --- killed at any moment: the same command ends with a whole copy, and names are never on halves
rm -rf "$T/to"
seed=${EXHIBIT_SEED:-$RANDOM}
echo "EXHIBIT_SEED=$seed"
RANDOM=$seed
for ((i = 0; i < 12; i++)); do
    exhibit copy -q "$T/src/EV.E01" "$T/to" 2>/dev/null &
    pid=$!
    sleep "0.0$((RANDOM % 60 + 10))"
    kill -KILL $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    for f in "$T/to"/EV.*; do
        case $f in
        *.partial | *'*' | *.copies.jsonl | *.custody.jsonl | */.*) ;;
        *) assert_same_bytes "$f" "$T/src/${f##*/}" ;;
        esac
    done
done
expect 0 exhibit copy "$T/src/EV.E01" "$T/to"
same "$T/to"
# A signal is answered with 4.
rm -rf "$T/to"
random_file "$T/large.raw" 134217728 large
exhibit copy "$T/large.raw" "$T/to" >/dev/null 2>"$T/err" &
pid=$!
# It may be faster than we look.
begun_or_over() { [ -s "$T/to/large.raw.partial" ] || [ -e "$T/to/large.raw" ]; }
wait_until 10 begun_or_over
kill -TERM $pid || true
status=0
wait $pid || status=$?
if [ $status -ne 0 ]; then # it may have been faster
    assert_eq $status 4 "after a signal"
    assert_contains "$T/err" interrupted
fi
expect 0 exhibit copy "$T/large.raw" "$T/to"
assert_same_bytes "$T/large.raw" "$T/to/large.raw"

# --- what differs is not overwritten, and nothing else is written then
rm -rf "$T/to"
mkdir "$T/to"
cp "$T/src/EV.E02" "$T/to"
flip_byte "$T/to/EV.E02" 1000
expect 5 exhibit copy "$T/src/EV.E01" "$T/to"
assert_error "already exists"
assert_only "$T/to" EV.E02
truncate -s 5 "$T/to/EV.E02"
expect 5 exhibit copy "$T/src/EV.E01" "$T/to"
assert_only "$T/to" EV.E02
expect 5 exhibit copy "$T/src/EV.E01" "$T/src"
expect 2 exhibit copy "$T/src/EV.E01"
expect 1 exhibit copy "$T/none.E01" "$T/to"

# --- an image that is not what its manifest says, or lacks a part, is copied as it is
rm -rf "$T/to"
flip_byte "$T/src/EV.E02" 1000
expect 3 exhibit copy "$T/src/EV.E01" "$T/to"
assert_contains "$T/err" "EV.E02' is not what the manifest says"
rm "$T/src/EV.E03"
expect 3 exhibit copy "$T/src/EV.E01" "$T/less"
assert_contains "$T/err" "EV.E03' is missing"

rm -rf "$T/cut" "$T/less"
mkdir "$T/cut"
exhibit acquire -q "$T/media.raw" "$T/cut/EV" --segment-size 1M --compression none
jq 'del(.image.segments[-1])' "$T/cut/EV.manifest.json" >"$T/shorter"
cp "$T/shorter" "$T/cut/EV.manifest.json"
expect 3 exhibit copy "$T/cut/EV.manifest.json" "$T/less"
assert_error "is not a usable manifest"
cmp "$T/shorter" "$T/less/EV.manifest.json"
rm -rf "$T/cut"/*.json* "$T/less"
truncate -s -1000 "$T/cut/EV.E02"
expect 3 exhibit copy "$T/cut/EV.E01" "$T/less"
assert_error "EV.E02': the segment is cut off"

# --- no space: said before anything is written
if mkdir "$T/small" && mount -t tmpfs -o size=1m none "$T/small" 2>/dev/null; then
    at_exit umount "$T/small"
    expect 4 exhibit copy "$T/src/EV.E01" "$T/small"
    assert_error "not enough space"
    assert_only "$T/small" ""
fi
