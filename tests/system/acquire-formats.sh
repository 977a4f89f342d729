# Formats and sizes: one raw file, media that are no multiple of the sector, compressions, digests.
. "$(dirname "$0")/../lib/system.sh"
require ewfverify ewfinfo jq
mixed_file "$T/src" $((6 * 1048576))
md5=$(md5_of "$T/src")

expect 0 exhibit acquire "$T/src" "$T/one" --format raw
assert_same_bytes "$T/src" "$T/one.raw"
assert_json "$T/one.manifest.json" .source.kind file
assert_json "$T/one.manifest.json" .write_block.level none
assert_json "$T/one.manifest.json" .image.segments[0].file one.raw

# Every byte of an odd size, in raw only.
random_file "$T/odd" 5000001
expect 2 exhibit acquire "$T/odd" "$T/o"
assert_error "--format raw"
assert_missing "$T/o.partial" "$T/o.E01" "$T/o.log"
expect 0 exhibit acquire "$T/odd" "$T/o" --format raw
assert_same_bytes "$T/odd" "$T/o.raw"
assert_json "$T/o.manifest.json" .image.media_size 5000001
printf x >"$T/byte"
expect 0 exhibit acquire "$T/byte" "$T/b" --format raw
assert_same_bytes "$T/byte" "$T/b.raw"

# The four compressions hold the same media, and are ordered by size.
for c in none empty fast best; do
    expect 0 exhibit acquire "$T/src" "$T/c-$c" --compression $c
    expect 0 ewfverify "$T/c-$c.E01"
    assert_contains "$T/out" "$md5"
    assert_json "$T/c-$c.manifest.json" .image.compression $c
    eval "size_$c=$(stat -c %s "$T/c-$c.E01")"
done
# shellcheck disable=SC2154 # set by eval
if ! [ "$size_none" -gt "$size_empty" ] || ! [ "$size_empty" -gt "$size_fast" ] ||
    ! [ "$size_fast" -ge "$size_best" ]; then
    fail "sizes: none $size_none, empty $size_empty, fast $size_fast, best $size_best"
fi

# One sector, one chunk, one more, and all zeros.
for sectors in 1 63 64 65 129; do
    random_file "$T/s" $((sectors * 512)) "$sectors"
    expect 0 exhibit acquire "$T/s" "$T/s$sectors"
    expect 0 ewfverify "$T/s$sectors.E01"
    assert_contains "$T/out" "$(md5_of "$T/s")"
done
truncate -s 20M "$T/zero"
expect 0 exhibit acquire "$T/zero" "$T/z"
expect 0 ewfverify "$T/z.E01"
assert_contains "$T/out" "$(md5_of "$T/zero")"

# Any digest that OpenSSL has; each as its own tool gives it.
expect 0 exhibit acquire "$T/src" "$T/h" --format raw --hash SHA-1,sha512,SHA256,blake2b512,sha3-256
m=$T/h.manifest.json
assert_json "$m" .media.hashes.sha1 "$(sha1sum <"$T/src" | cut -d' ' -f1)"
assert_json "$m" .media.hashes.sha512 "$(sha512sum <"$T/src" | cut -d' ' -f1)"
assert_json "$m" .media.hashes.sha256 "$(sha256_of "$T/src")"
assert_json "$m" .media.hashes.blake2b512 "$(b2sum <"$T/src" | cut -d' ' -f1)"
assert_json "$m" '.media.hashes["sha3-256"]' \
    "$(openssl dgst -sha3-256 -r "$T/src" | cut -d' ' -f1)"

# An E01 stores an MD5 of its media whatever was asked for.
expect 0 exhibit acquire "$T/src" "$T/only" --hash sha256
expect 0 ewfinfo "$T/only.E01"
assert_contains "$T/out" "$md5"
