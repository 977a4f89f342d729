# Images of other tools: every format, compression and chunk size of ewfacquire, whole and in
# segments, and the sample images. ewfverify and we must agree, and on the hash too.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire ewfverify jq

media=$T/media.raw
mixed_file "$media" 3145728 foreign
md5=$(md5_of "$media")
sha256=$(sha256_of "$media")

# agree IMAGE: both say that it is whole, and we compute the hash of the media.
agree() {
    ewfverify -q "$1" >"$T/judge" 2>&1 || fail "ewfverify does not accept ${1##*/}"
    expect 0 exhibit-verify --json "$1"
    assert_json "$T/out" .verdict passed
    assert_json "$T/out" .media.hashes.md5 "$md5"
    assert_json "$T/out" .media.hashes.sha256 "$sha256"
    assert_json "$T/out" '[.checks[] | select(.status == "passed") | .name] | join(" ")' \
        'segments structure chunks stored-hash'
    made=$((made + 1))
}

# acquire NAME [ewfacquire options]
acquire() {
    local name=$1
    shift
    ewfacquire -u -q -t "$T/$name" "$@" "$media" >"$T/acquire.log" 2>&1 </dev/null ||
        fail "ewfacquire $*: $(tail -n 1 "$T/acquire.log")"
    agree "$(echo "$T/$name".[EesS]01)"
    rm -f "$T/$name".*
}

made=0
formats=(ewf smart ftk encase1 encase2 encase3 encase4 encase5 encase6 encase7 linen5 linen6 linen7)
for format in "${formats[@]}"; do
    acquire "$format" -f "$format" -c fast
    acquire "$format-split" -f "$format" -c none -S 1048576
done
for compression in none empty-block fast best; do
    for sectors in 16 64 512 4096; do
        acquire "c-$compression-$sectors" -f encase6 -c "$compression" -b "$sectors"
    done
done
how_many everything 0 672 "more combinations of format, compression and chunk size"
if [ "$everything" -gt 0 ]; then
    for format in "${formats[@]}" ewfx; do
        for compression in none empty-block fast best; do
            for sectors in 16 32 64 128 256 512 1024 2048 4096 8192 16384 32768; do
                acquire "l-$format-$compression-$sectors" -f "$format" -c "$compression" \
                    -b "$sectors" -S 1048576
            done
        done
    done
    for bytes in 1024 2048 4096; do
        acquire "p-$bytes" -f encase6 -c fast -P "$bytes"
    done
fi

# split COUNT: into exactly that many segments of 1 MiB, of data that does not shrink. A segment
# holds 31 chunks of 32 KiB; past .E99 come .EAA and on.
split_into() {
    local n=$1 files
    random_file "$media" $(((n - 1) * 31 * 32768 + 500000 / 512 * 512)) "$n"
    md5=$(md5_of "$media")
    sha256=$(sha256_of "$media")
    ewfacquire -u -q -t "$T/s" -f encase6 -c none -S 1048576 "$media" >"$T/acquire.log" 2>&1 \
        </dev/null
    files=("$T"/s.[E-Z]??)
    assert_eq ${#files[@]} "$n" "segments"
    agree "$T/s.E01"
    rm "$T"/s.[E-Z]??
}
counts=(1 2 99 100)
[ -z "${EXHIBIT_LONG:-}" ] || counts+=(800)
for count in "${counts[@]}"; do
    split_into "$count"
done
mixed_file "$media" 3145728 foreign
md5=$(md5_of "$media")
sha256=$(sha256_of "$media")

# EWF-X keeps SHA-256, which ewfverify compares only on request.
ewfacquire -u -q -t "$T/x" -f ewfx -d sha1,sha256 "$media" >"$T/acquire.log" 2>&1 </dev/null
expect 0 exhibit-verify --json "$T/x.e01"
assert_json "$T/out" '.checks[] | select(.name == "stored-hash").detail' 'md5, sha1, sha256 match'
[ "$made" -ge 40 ] || fail "only $made images were compared"

# The samples, whose hashes are known from their makers.
require_shared
while IFS='|' read -r _ file _ size md5 sha256 _; do
    file=${file// /} size=${size//[ ,]/} md5=${md5// /} sha256=${sha256// /}
    case $file in *.E01 | *.raw | *.dd) ;; *) continue ;; esac
    [ ${#md5} -eq 32 ] || md5=
    expect 0 exhibit-verify --json "$SHARED/images/$file"
    assert_json "$T/out" .media.size "$size"
    [ -z "$md5" ] || assert_json "$T/out" .media.hashes.md5 "$md5"
    [ -z "$md5" ] || assert_json "$T/out" .media.hashes.sha256 "$sha256"
    case $file in
    *.E01) assert_json "$T/out" .verdict passed ;;
    *) assert_json "$T/out" .verdict unreferenced ;;
    esac
done < <(grep '^|' "$SHARED/images/README.md")

# --- a raw image of ddrescue: what its map calls not rescued is named beside the verdict
random_file "$T/rescued.dd" 1048576 rescued
fault_map "$T/rescued.map" 1048576 4096 1024 65536 512
md5sum "$T/rescued.dd" >"$T/rescued.md5"
expect 0 exhibit-verify --json "$T/rescued.dd"
assert_json "$T/out" .verdict passed
assert_json "$T/out" .unreadable.sectors 3
assert_json "$T/out" '.checks[] | select(.name == "map").status' passed
expect 0 exhibit-verify -q "$T/rescued.dd"
assert_contains "$T/out" '3 unreadable sectors'
fault_map "$T/rescued.map" 2097152 4096 1024
expect 3 exhibit-verify "$T/rescued.dd"
echo "a list of symbols" >"$T/rescued.map"
expect 0 exhibit-verify --json "$T/rescued.dd"
assert_json "$T/out" .unreadable.sectors 0
