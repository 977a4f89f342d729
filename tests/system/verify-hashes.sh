# Hashes that other tools wrote down: found beside the image by name, or given with --hashes. Real
# logs of the tools that are installed, others by hand in the form in which they write them.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire jq md5sum sha256sum b2sum

random_file "$T/src.raw" 3000320 hashes
md5=$(md5_of "$T/src.raw")
sha1=$(sha1sum <"$T/src.raw" | cut -d' ' -f1)
sha256=$(sha256_of "$T/src.raw")

# image: a fresh directory with EV.dd; other files are put beside it.
image() {
    rm -rf "$T/i"
    mkdir "$T/i"
    cp "$T/src.raw" "$T/i/EV.dd"
}

check() {
    jq -r ".checks[] | select(.name == \"$1\") | .status" "$T/out"
}

# holds NAME WHAT: with the log $T/i/NAME beside the image it passes by media-hash; with a byte of
# the media changed it fails; and both again with the log elsewhere, given. (A raw image stores no
# hash, so that nothing else can pass or fail it.)
holds() {
    expect 0 exhibit verify --json "$T/i/EV.dd"
    assert_json "$T/out" .verdict passed
    assert_eq "$(check media-hash)" passed "$2, beside"
    assert_json "$T/out" '.hash_files | length' 1
    assert_json "$T/out" '.hash_files[0].tool' "$2"
    assert_contains "$T/out" "$1"
    mv "$T/i/$1" "$T/given"
    expect 0 exhibit verify --json "$T/i/EV.dd"
    assert_json "$T/out" .verdict unreferenced
    assert_json "$T/out" .media.hashes.sha256 "$sha256"
    expect 0 exhibit verify --json --hashes "$T/given" "$T/i/EV.dd"
    assert_json "$T/out" .verdict passed
    flip_byte "$T/i/EV.dd" 1500000
    expect 3 exhibit verify --json --hashes "$T/given" "$T/i/EV.dd"
    assert_json "$T/out" .verdict failed
    assert_eq "$(check media-hash)" failed "$2, changed"
    mv "$T/given" "$T/i/$1"
    expect 3 exhibit verify "$T/i/EV.dd"
    assert_contains "$T/out" "$1"
}

# --- the tools themselves, where they are installed
tools=0
if command -v dc3dd >/dev/null; then
    image
    (cd "$T" && dc3dd if=src.raw of=dc.dd hash=md5 hash=sha256 log=i/EV.log hlog=EV.hlog) \
        >/dev/null 2>&1
    holds EV.log dc3dd
    # Split: the hashes of the pieces are those of the files as well.
    rm -rf "$T/i"
    mkdir "$T/i"
    (cd "$T/i" && dc3dd if=../src.raw hofs=EV.000 ofsz=1M hash=md5 hash=sha1 hlog=EV.hlog) \
        >/dev/null 2>&1
    expect 0 exhibit verify --json "$T/i/EV.000"
    for name in media-hash piecewise segments; do
        assert_eq "$(check $name)" passed "dc3dd's hash log: $name"
    done
    flip_byte "$T/i/EV.001" 77
    expect 3 exhibit verify --json "$T/i/EV.000"
    assert_json "$T/out" '.checks[] | select(.name == "piecewise").ranges |
        map("\(.offset)+\(.length)") | join(" ")' "1048576+1048576"
    assert_json "$T/out" '.checks[] | select(.name == "segments").target' "$T/i/EV.001"
    # It appends to its log: the run that wrote this image counts, not the last.
    image
    random_file "$T/other.raw" 1048576 other
    (cd "$T/i" && dc3dd if=../src.raw of=../EV.dd hash=md5 log=EV.log &&
        dc3dd if=../other.raw of=../other.dd hash=md5 log=EV.log) >/dev/null 2>&1
    holds EV.log dc3dd
    tools=$((tools + 1))
fi
if command -v dcfldd >/dev/null; then
    image
    dcfldd if="$T/src.raw" of="$T/dcf.dd" bs=512 hash=md5,sha256 hashwindow=1M \
        hashlog="$T/i/EV.txt" 2>/dev/null
    holds EV.txt dcfldd
    expect 3 exhibit verify --json "$T/i/EV.dd"
    assert_json "$T/out" '.checks[] | select(.name == "piecewise").ranges[0].offset' 1048576
    tools=$((tools + 1))
fi
if command -v hashdeep >/dev/null; then
    image
    (cd "$T" && hashdeep -c md5,sha1,sha256 src.raw >i/EV.txt)
    holds EV.txt hashdeep
    image
    (cd "$T/i" && hashdeep -p 1m EV.dd >EV.hash)
    expect 0 exhibit verify --json "$T/i/EV.dd"
    assert_eq "$(check piecewise)" passed "hashdeep's pieces"
    tools=$((tools + 1))
fi
echo "tools that were there: $tools of 3"
image
ewfacquire -u -q -d sha256 -t "$T/ew" -l "$T/i/EV.log" "$T/src.raw" >"$T/ew.out" 2>&1 </dev/null
holds EV.log ewfacquire

# --- checksum files, by GNU's form, BSD's and OpenSSL's, and a hash alone
image
(cd "$T/i" && md5sum EV.dd >EV.md5)
holds EV.md5 checksums
image
(cd "$T/i" && sha256sum --tag EV.dd >EV.dd.sha256)
holds EV.dd.sha256 checksums
image
(cd "$T/i" && sha512sum -b EV.dd >EV.sha512)
holds EV.sha512 checksums
image
(cd "$T/i" && openssl dgst -sha256 EV.dd >EV.txt)
holds EV.txt checksums
image
echo "${sha256^^}" >"$T/i/EV.dd.hash"
holds EV.dd.hash checksums
image
md5sum "$T/src.raw" >"$T/i/EV.md5" # the source's own name
holds EV.md5 checksums
assert_contains "$T/out" src.raw

# --- guymager's .info and FTK Imager's .txt (with the line ends and the tabs of each)
image
cat >"$T/i/EV.info" <<END
GUYMAGER ACQUISITION INFO FILE
==============================

Hash calculation        : MD5 and SHA-256
Source verification     : off
Image verification      : on

State: Finished successfully

MD5 hash                   : $md5
MD5 hash verified source   : --
MD5 hash verified image    : $md5
SHA1 hash                  : --
SHA256 hash                : $sha256
SHA256 hash verified source: --
SHA256 hash verified image : $sha256
END
holds EV.info guymager
image
cat >"$T/i/EV.dd.txt" <<END
Created By AccessData® FTK® Imager 4.7.1.2

Case Information:
Evidence Number: 1

Information for D:\\images\\EV.dd:

[Computed Hashes]
 MD5 checksum:    $md5
 SHA1 checksum:   $sha1

Image Information:
 Segment list:
  D:\\images\\EV.dd.001

Image Verification Results:
 MD5 checksum:    $md5 : verified
 SHA1 checksum:   $sha1 : verified
END
sed -i 's/$/\r/' "$T/i/EV.dd.txt"
holds EV.dd.txt "FTK Imager"

# --- half a hash is no hash, and one of several that differs is enough
image
echo "${sha256:0:32}${sha256:0:16}  EV.dd" >"$T/i/EV.sha256"
expect 3 exhibit verify "$T/i/EV.dd"
assert_contains "$T/out" 'not a whole hash'
printf 'MD5 hash    : %s\nSHA256 hash : %s\n' "$md5" "${sha256:0:32}" >"$T/i/EV.sha256"
expect 3 exhibit verify "$T/i/EV.dd"
assert_contains "$T/out" 'not a whole sha256 hash'
printf 'MD5 hash    : %s\nSHA256 hash : %064d\n' "$md5" 0 >"$T/i/EV.sha256"
expect 3 exhibit verify "$T/i/EV.dd"
assert_contains "$T/out" "'EV.sha256' says 0000"

# --- lists of segment files: what is missing or swapped is said
rm -rf "$T/i"
mkdir "$T/i"
ewfacquire -u -q -c none -S 1048576 -t "$T/i/EV" "$T/src.raw" >"$T/log" 2>&1 </dev/null
(cd "$T/i" && sha256sum EV.E0? >EV.sha256)
expect 0 exhibit verify --json "$T/i/EV.E01"
assert_eq "$(check segments)" passed
mv "$T/i/EV.E03" "$T/away"
expect 3 exhibit verify --json "$T/i/EV.E01"
assert_json "$T/out" .verdict incomplete
assert_contains "$T/out" "'EV.E03' is missing"
mv "$T/away" "$T/i/EV.E03"
split -b 1000000 -d -a 3 --numeric-suffixes=1 "$T/src.raw" "$T/i/R."
(cd "$T/i" && md5sum R.00? >R.md5)
expect 0 exhibit verify "$T/i/R.001"
mv "$T/i/R.001" "$T/i/x" && mv "$T/i/R.002" "$T/i/R.001" && mv "$T/i/x" "$T/i/R.002"
expect 3 exhibit verify "$T/i/R.001"
assert_contains "$T/out" "has the content of 'R.002'"

# Nothing but the name tells b2sum's lists from sha512sum's.
image
(cd "$T/i" && b2sum EV.dd >EV.b2)
expect 0 exhibit verify --json "$T/i/EV.dd"
assert_json "$T/out" .verdict passed
assert_contains "$T/out" blake2b512
mv "$T/i/EV.b2" "$T/B2SUMS"
expect 0 exhibit verify --json --hashes "$T/B2SUMS" "$T/i/EV.dd"
assert_json "$T/out" .verdict passed
flip_byte "$T/i/EV.dd" 1500000
expect 3 exhibit verify --json --hashes "$T/B2SUMS" "$T/i/EV.dd"
assert_eq "$(check media-hash)" failed
(cd "$T/i" && sha512sum EV.dd >EV.sha512)
expect 0 exhibit verify --json "$T/i/EV.dd"
assert_json "$T/out" .verdict passed

# --- what says nothing of the image: passed over beside it, an error where it is given
image
echo "the disk was found under the desk" >"$T/i/EV.txt"
printf '%s  a\n%s  b\n' "$md5" "$md5" >"$T/i/EV.md5"
expect 0 exhibit verify --json "$T/i/EV.dd"
assert_json "$T/out" .verdict unreferenced
for log in EV.txt EV.md5; do
    expect 3 exhibit verify --json --hashes "$T/i/$log" "$T/i/EV.dd"
    assert_json "$T/out" .verdict failed
done
expect 3 exhibit verify --hashes "$T/none" "$T/i/EV.dd"
assert_contains "$T/out" 'No such file'
