# The ledger: begun by the acquisition, added to by hand and by verify; checkable with sha256sum;
# several writers, a torn line, a full disk; and whatever is done to it is noticed.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/pki.sh"
require jq

make_authority "$T/pki"
issue clerk "/CN=Carl Clerk"
random_file "$T/media" 1048576
expect 0 exhibit acquire "$T/media" "$T/EV" -q --evidence "EV 7" --examiner "J. Doe"
ledger=$T/EV.custody.jsonl
status_of() { jq -r ".checks[] | select(.name == \"$1\") | .status" "$T/out"; }

# --- begun, and bound to the manifest
assert_eq "$(jq -r .action "$ledger")" acquired
assert_eq "$(jq -r .manifest.sha256 "$ledger")" "$(sha256_of "$T/EV.manifest.json")"
assert_eq "$(jq -r .previous "$ledger")" null

# --- added to
expect 0 exhibit custody add "$T/EV" --action transferred --from "J. Doe" --to "Evidence Room" \
    --place "Room 5" --reason "storage, \"sealed\""
expect 0 exhibit custody add "$T/EV.manifest.json" --action moved --sign-key "$PKI/clerk.key" \
    --sign-cert "$PKI/clerk.pem"
expect 0 exhibit verify "$T/EV.E01" --record --ca-file "$PKI/ca.pem" --require ledger
assert_eq "$(jq -r .action "$ledger" | tr '\n' ' ')" "acquired transferred moved verified "
assert_eq "$(tail -n 1 "$ledger" | jq -r .verdict)" passed
assert_eq "$(tail -n 1 "$ledger" | jq -r .user.uid)" "$(id -u)"
expect 0 exhibit custody list "$T/EV"
assert_contains "$T/out" "Evidence Room"
expect 0 exhibit custody list "$T/EV" --json
assert_json "$T/out" '.events | length' 4
expect 2 exhibit custody add "$T/EV" --action verified
expect 2 exhibit custody add "$T/EV" --action 'Two Words'
expect 2 exhibit custody add "$T/EV"
expect 2 exhibit custody forget "$T/EV"
expect 1 exhibit custody list "$T/none"

# --- each line names the hash of the line before; the head is that of the last
for ((i = 2; i <= 4; i++)); do
    assert_eq "$(sed -n "${i}p" "$ledger" | jq -r .previous)" \
        "$(sed -n "$((i - 1))p" "$ledger" | sha256sum | cut -c1-64)" "line $i"
done
expect 0 exhibit custody head "$T/EV"
head=$(cat "$T/out")
assert_eq "$head" "$(tail -n 1 "$ledger" | sha256sum | cut -c1-64)"
expect 0 exhibit verify "$T/EV.E01" --ledger-head "$head"
expect 3 exhibit verify "$T/EV.E01" --ledger-head "${head//[0-7]/8}"
expect 2 exhibit verify "$T/EV.E01" --ledger-head abc
# The signature of a line covers what stands before it, and openssl can see that.
sed -n 3p "$ledger" | sed 's/,"signature":".*//' | tr -d '\n' >"$T/line"
sed -n 3p "$ledger" | jq -r .signature | base64 -d >"$T/line.p7s"
openssl cms -verify -binary -cades -inform DER -in "$T/line.p7s" -content "$T/line" \
    -CAfile "$PKI/ca.pem" -out /dev/null 2>/dev/null || fail "openssl refuses the signed line"

# --- what is done to it
cp "$ledger" "$T/kept"
noticed() {
    expect 3 exhibit verify "$T/EV.manifest.json" --json
    assert_eq "$(status_of ledger)" failed "$1"
    cp "$T/kept" "$ledger"
}
mv "$T/EV.manifest.json" "$T/manifest"
expect 3 exhibit verify "$T/EV.E01"
assert_contains "$T/out" "the manifest that it is of is not there"
mv "$T/manifest" "$T/EV.manifest.json"
for i in 1 2 3; do
    sed -i "${i}d" "$ledger"
    noticed "line $i removed"
done
sed -i '2{h;d};3{G}' "$ledger"
noticed "two lines swapped"
sed -i '2p' "$ledger"
noticed "a line repeated"
sed -i 's/Room 5/Room 6/' "$ledger"
noticed "a word changed"
sed -i '1!d' "$ledger"
sed -n 3p "$T/kept" >>"$ledger"
noticed "the middle taken out"
: >"$ledger"
noticed "emptied"
sed -i '$d' "$ledger"
expect 3 exhibit verify "$T/EV.E01" --ledger-head "$head"
cp "$T/kept" "$ledger"
seed=${EXHIBIT_SEED:-$RANDOM}
echo "seed $seed"
RANDOM=$seed
size=$(stat -c %s "$ledger")
for ((i = 0; i < ${EXHIBIT_FLIPS:-25}; i++)); do
    flip_byte "$ledger" $(((RANDOM * 32768 + RANDOM) % size))
    noticed "a byte flipped"
done
# A ledger that is broken is not added to.
sed -i 2d "$ledger"
expect 5 exhibit custody add "$T/EV" --action moved
cp "$T/kept" "$ledger"

# --- a torn last line is cut off by the next event, which says so
truncate -s -7 "$ledger"
expect 3 exhibit custody list "$T/EV"
expect 0 exhibit custody add "$T/EV" --action moved
assert_json "$T/EV.custody.jsonl" 'select(.line == 4) | .discarded_bytes > 0' true
expect 0 exhibit verify "$T/EV.E01" --require ledger

# --- eight writers at once
for i in 1 2 3 4 5 6 7 8; do
    exhibit custody add "$T/EV" --action moved --reason "$i" >/dev/null &
done
wait
assert_eq "$(wc -l <"$ledger")" 12
expect 0 exhibit verify "$T/EV.E01" --require ledger

# --- a full disk leaves it as it was
if [ "$(id -u)" -eq 0 ] && mkdir "$T/small" && mount -t tmpfs -o size=1536k none "$T/small" 2>/dev/null; then
    at_exit umount "$T/small"
    cp "$T"/EV.* "$T/small"
    dd if=/dev/zero of="$T/small/fill" bs=4096 2>/dev/null || true
    before=$(sha256_of "$T/small/EV.custody.jsonl")
    failed=0
    for ((i = 0; i < 20; i++)); do
        exhibit custody add "$T/small/EV" --action moved --reason "$(seq -s, 1 300)" >/dev/null \
            2>"$T/err" || failed=1
        [ "$failed" -eq 0 ] || break
        before=$(sha256_of "$T/small/EV.custody.jsonl")
    done
    assert_eq "$failed" 1 "the disk never was full"
    assert_eq "$(sha256_of "$T/small/EV.custody.jsonl")" "$before"
    rm "$T/small/fill"
    expect 0 exhibit custody add "$T/small/EV" --action moved
    expect 0 exhibit verify "$T/small/EV.E01" --require ledger
fi
