# What is not an image, or not all of one: one clear line and the right exit code.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire jq

media=$T/media.raw
random_file "$media" 2097152
ewfacquire -u -q -t "$T/ok" -c none -S 1048576 "$media" >"$T/acquire.log" 2>&1 </dev/null
ok=$T/ok.E01

# --- not an image
: >"$T/empty"
: >"$T/empty.raw"
: >"$T/empty.E01"
seq 1 1000 >"$T/notes.txt"
random_file "$T/odd" 1001
cp "$T/odd" "$T/odd.E01"
ln -s nowhere "$T/dangling.E01"
mkfifo "$T/fifo"
for case in \
    'missing.E01|No such file' 'dangling.E01|No such file' '.|is a directory' \
    'empty|is empty' 'empty.raw|is empty' 'empty.E01|is empty' 'notes.txt|it is text' \
    'odd|whole number of sectors' 'odd.E01|signature' 'fifo|not a regular file' \
    'ok.E02|give the first'; do
    expect 1 exhibit-verify "$T/${case%%|*}"
    assert_error "${case##*|}"
    [ ! -s "$T/out" ] || fail "something was printed about ${case%%|*}"
done
expect 1 exhibit-verify /dev/null
assert_error 'not a regular file'
printf '\001[2J' >"$T/esc"
mv "$T/esc" "$T/$(printf 'a\033[2Jb')"
expect 1 exhibit-verify "$T/$(printf 'a\033[2Jb')"
assert_error 'a\x1b[2Jb'

# A manifest that cannot be used.
echo '{' >"$T/bad.manifest.json"
expect 1 exhibit-verify "$T/bad.manifest.json"
assert_error 'is not JSON'
echo '{"schema": "exhibit.manifest/1"}' >"$T/bad.manifest.json"
expect 1 exhibit-verify "$T/bad.manifest.json"
assert_error 'not a usable manifest'

# --- raw media of any size, if the name speaks for it
cp "$T/odd" "$T/odd.raw"
expect 0 exhibit-verify --json "$T/odd.raw"
assert_json "$T/out" .verdict unreferenced
assert_json "$T/out" .media.size 1001
assert_json "$T/out" .media.hashes.sha256 "$(sha256_of "$T/odd")"

# --- usage
for words in '' '--wrong IMAGE' '--threads 0 IMAGE' '--threads x IMAGE' '--progress loud IMAGE' \
    '--require nothing IMAGE' '--hash sha4 IMAGE' '--hash md5,, IMAGE' '--jso IMAGE'; do
    # shellcheck disable=SC2086 # words are words
    expect 2 exhibit-verify ${words//IMAGE/$ok}
    assert_error ''
done

# --- several images in one call: each is looked at
expect 1 exhibit-verify --json "$ok" "$T/notes.txt" "$T/odd.raw"
assert_error 'it is text'
assert_json "$T/out" 'map(.verdict // "error") | join(" ")' 'passed error unreferenced'
expect 0 exhibit-verify -q "$ok" "$T/odd.raw"
assert_eq "$(grep -c 'verdict: ' "$T/out")" 2
assert_contains "$T/out" 'odd.raw: verdict: unreferenced'
expect 0 exhibit-verify "$ok"
grep -qx 'verdict: passed' "$T/out" || fail "no line says the verdict alone"

# --- a check that was not made is never passed, and can be demanded
expect 0 exhibit-verify --json "$ok"
assert_json "$T/out" '.checks | map(select(.status == "not-run") | .name) | join(" ")' \
    'media-hash piecewise map signature timestamp ledger source'
assert_json "$T/out" '.checks | map(select(.detail == null or .detail == "")) | length' 0
expect 3 exhibit-verify --json --require signature,stored-hash "$ok"
assert_json "$T/out" .verdict failed
assert_json "$T/out" '.checks[] | select(.name == "signature").status' failed
assert_json "$T/out" '.checks[] | select(.name == "stored-hash").status' passed

# --- other hashes
expect 0 exhibit-verify --json --hash SHA-512,blake2b512 "$ok"
assert_json "$T/out" .media.hashes.sha512 "$(sha512sum <"$media" | cut -d' ' -f1)"
assert_json "$T/out" '.media.hashes | keys | length' 4

# --- damage to the set as a whole, without a manifest
# verdict_of CODE VERDICT CHECK TEXT: of the set in $T/set
verdict_of() {
    expect "$1" exhibit-verify --json "$T/set/ok.E01"
    assert_json "$T/out" .verdict "$2"
    [ "$1" -eq 0 ] ||
        assert_json "$T/out" ".checks[] | select(.name == \"$3\").status" failed
    assert_contains "$T/out" "$4"
    rm -rf "$T/set"
}
fresh() {
    mkdir "$T/set"
    cp "$T"/ok.E?? "$T/set"
    last=$(find "$T/set" -name 'ok.E*' | sort | tail -n 1)
}
fresh && rm "$T/set/ok.E02"
verdict_of 3 incomplete segments "ok.E02': the segment is missing"
fresh && rm "$last"
verdict_of 3 incomplete segments 'which should follow, is missing'
fresh && truncate -s -100 "$last"
verdict_of 3 incomplete segments 'cut off'
fresh && truncate -s 300000 "$T/set/ok.E02"
verdict_of 3 incomplete segments "ok.E02"
fresh && truncate -s 300 "$T/set/ok.E01"
verdict_of 3 incomplete segments 'cut off'
fresh && truncate -s 20 "$T/set/ok.E01"
verdict_of 3 incomplete segments 'cut off'
fresh && truncate -s 0 "$T/set/ok.E02"
verdict_of 3 incomplete segments 'cut off'
fresh && cp "$T/set/ok.E02" "$T/set/ok.E09"
verdict_of 3 failed segments 'ok.E09'
fresh && mv "$T/set/ok.E02" "$T/set/x" && mv "$T/set/ok.E01" "$T/set/ok.E02" &&
    mv "$T/set/x" "$T/set/ok.E01"
verdict_of 3 failed segments 'holds segment 2'

# Swapped segments are read in their own places all the same: the media is whole.
fresh && mv "$T/set/ok.E02" "$T/set/x" && mv "$T/set/ok.E01" "$T/set/ok.E02" &&
    mv "$T/set/x" "$T/set/ok.E01"
expect 3 exhibit-verify --json "$T/set/ok.E01"
assert_json "$T/out" .media.hashes.md5 "$(md5_of "$media")"

# --- a split raw image
random_file "$T/part.001" 512000 a
random_file "$T/part.002" 512000 b
random_file "$T/part.003" 1000 c
expect 0 exhibit-verify --json "$T/part.001"
assert_json "$T/out" .media.size 1025000
assert_json "$T/out" .media.hashes.md5 "$(cat "$T"/part.00? | md5_of /dev/stdin)"
expect 1 exhibit-verify "$T/part.002"
assert_error 'not the first segment'
rm "$T/part.002"
expect 3 exhibit-verify --json "$T/part.001"
assert_json "$T/out" .verdict incomplete
assert_json "$T/out" '.checks[0].ranges[0] | "\(.offset) \(.length)"' '512000 512000'

# --- more segments than descriptors: the rest are opened from inside the sandbox as they come
random_file "$T/many.raw" 3145728 many
split -b 65536 -d -a 3 --numeric-suffixes=1 "$T/many.raw" "$T/many."
expect 0 bash -c 'ulimit -n 80 && exec exhibit-verify --json "$1"' _ "$T/many.001"
assert_json "$T/out" .media.hashes.md5 "$(md5_of "$T/many.raw")"

# --- the medium itself, and a file system that lives in memory
expect 0 exhibit-verify --json --from-medium "$ok"
case $(json "$T/out" .read_from) in medium | page-cache) ;; *) fail "read_from is wrong" ;; esac
if [ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ]; then
    shm=$(mktemp -d /dev/shm/exhibit-test.XXXXXX)
    at_exit rm -rf "$shm"
    cp "$T"/ok.E?? "$shm"
    expect 0 exhibit-verify --json --from-medium "$shm/ok.E01"
    assert_json "$T/out" .read_from page-cache
fi

# --- interrupted: nothing is concluded
truncate -s 40G "$T/long.raw"
exhibit-verify --json "$T/long.raw" >"$T/out" 2>"$T/err" &
pid=$!
wait_until 20 catches "$pid" INT
sleep 1
kill -INT "$pid"
status=0
wait "$pid" || status=$?
assert_eq "$status" 4 'exit code of an interrupted run'
assert_error 'nothing was concluded'
[ ! -s "$T/out" ] || fail "a result of an interrupted run was printed"
