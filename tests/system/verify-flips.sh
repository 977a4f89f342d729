# Bytes changed at random in an E01 without a manifest: never a crash, and never "passed" when it
# touches media, tables or stored hashes. (A byte of a chunk may change into another spelling of
# the same data; then the media is the same, which its hash shows.)
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire jq

flips=${EXHIBIT_FLIPS:-120}
media=$T/media.raw
mixed_file "$media" 393216 flips
sha256=$(sha256_of "$media")
ewfacquire -u -q -t "$T/a" -f encase6 -c fast -b 16 -S 1048576 "$media" >"$T/log" 2>&1 </dev/null
ewfacquire -u -q -t "$T/b" -f encase1 -c fast "$media" >"$T/log" 2>&1 </dev/null
ewfacquire -u -q -t "$T/c" -f ewfx -d sha1,sha256 -c none "$media" >"$T/log" 2>&1 </dev/null
ewfacquire -u -q -t "$T/d" -f smart -c best "$media" >"$T/log" 2>&1 </dev/null

seed=${EXHIBIT_SEED:-$RANDOM}
echo "EXHIBIT_SEED=$seed"
RANDOM=$seed
files=("$T"/[a-d].[Ees]0?)
noticed=0
for ((i = 0; i < flips; i++)); do
    f=${files[RANDOM % ${#files[@]}]}
    size=$(stat -c %s "$f")
    case $((i % 3)) in
    0) at=$(((RANDOM * 32768 + RANDOM) % size)) ;;
    1) at=$((RANDOM % 1800)) ;;          # headers, volume
    2) at=$((size - 1 - RANDOM % 2500)) ;; # tables, hashes, the end
    esac
    old=$(od -An -tu1 -j "$at" -N 1 "$f" | tr -d ' ')
    new=$(((old + 1 + RANDOM % 255) % 256))
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x "$new")" | dd of="$f" bs=1 seek="$at" conv=notrunc status=none
    run exhibit-verify --json "${f%??}01"
    case $status in
    1 | 3) noticed=$((noticed + 1)) ;;
    0)
        assert_json "$T/out" .media.hashes.sha256 "$sha256"
        # What is no chunk has a checksum over it: only a chunk can be spelled otherwise.
        hit=$(head -c "$at" "$f" | grep -abo -e 'sectors' -e 'table2*' -e 'hash' -e 'digest' \
            -e 'next' -e 'done' -e 'data' -e 'volume' -e 'header2*' | tail -n 1)
        case ${hit#*:} in
        sectors | table) ;;
        *) fail "byte $at of ${f##*/} ($old to $new, after '$hit') went unnoticed" ;;
        esac
        ;;
    *) fail "exit code $status for byte $at of ${f##*/} ($old to $new)" ;;
    esac
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x "$old")" | dd of="$f" bs=1 seek="$at" conv=notrunc status=none
done
[ "$noticed" -ge $((flips * 9 / 10)) ] || fail "only $noticed of $flips changes were noticed"
expect 0 exhibit-verify -q "$T/a.E01" "$T/b.E01" "$T/c.e01" "$T/d.s01"
