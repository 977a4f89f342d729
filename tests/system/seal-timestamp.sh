# Time stamps: over HTTP from a local authority and by hand; accepted by openssl; authorities that
# are down, slow or lie; an acquisition that is not harmed by any of them.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/pki.sh"
require jq python3

make_authority "$T/pki"
issue examiner "/CN=Jane Examiner"
issue tsa "/CN=Test TSA" "extendedKeyUsage=critical,timeStamping"
issue wrong "/CN=Wrong Usage" "extendedKeyUsage=emailProtection"
issue late "/CN=Late TSA" "extendedKeyUsage=critical,timeStamping" -days -1
for name in tsa wrong late; do tsa_config "$name" "$name"; done
random_file "$T/media" 1048576
new_image() {
    rm -f "$T"/EV.*
    run exhibit acquire "$T/media" "$T/EV" -q "$@"
    [ "$status" -eq 0 ] || fail "acquire: $status: $(cat "$T/err")"
}
openssl_accepts() {
    openssl ts -verify -data "$1" -in "$T/EV.manifest.json.tsr" -CAfile "$PKI/ca.pem" \
        >"$T/openssl" 2>&1 || fail "openssl: $(cat "$T/openssl")"
}
serve_tsa tsa
GOOD=$URL

# --- of the signature where there is one, else of the manifest; the next authority where one fails
new_image --sign-key "$PKI/examiner.key" --sign-cert "$PKI/examiner.pem" \
    --tsa http://127.0.0.1:1/ --tsa "$GOOD"
openssl_accepts "$T/EV.manifest.json.p7s"
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --require signature,timestamp,ledger
assert_contains "$T/out" "Test TSA"
expect 3 exhibit verify "$T/EV.E01" --ca-file "$PKI/examiner.pem"
new_image --tsa "$GOOD"
openssl_accepts "$T/EV.manifest.json"
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --require timestamp
expect 5 exhibit seal "$T/EV" --tsa "$GOOD"

# --- an authority that is not there leaves a whole image, and says what is missing
new_image --sign-key "$PKI/examiner.key" --sign-cert "$PKI/examiner.pem" --tsa http://127.0.0.1:1/
assert_contains "$T/err" "time stamp is missing"
assert_exists "$T/EV.manifest.json" "$T/EV.manifest.json.p7s"
assert_missing "$T/EV.manifest.json.tsr"
expect 3 exhibit verify "$T/EV.E01" --require timestamp
expect 0 exhibit seal "$T/EV" --tsa "$GOOD" --ca-file "$PKI/ca.pem"
openssl_accepts "$T/EV.manifest.json.p7s"

# --- those that lie
new_image
for mode in silent error garbage imprint nonce reject; do
    serve_tsa tsa "$mode"
    expect 1 exhibit seal "$T/EV" --tsa "$URL" --timeout 2
    assert_missing "$T/EV.manifest.json.tsr"
done
for name in wrong late; do
    serve_tsa "$name"
    expect 1 exhibit seal "$T/EV" --tsa "$URL" --timeout 5
    assert_missing "$T/EV.manifest.json.tsr"
done
expect 1 exhibit seal "$T/EV" --tsa "$GOOD" --ca-file "$PKI/examiner.pem"
assert_error "not trusted"
expect 2 exhibit seal "$T/EV" --tsa file:///etc/passwd
expect 2 exhibit seal "$T/EV" --tsa "$GOOD" --tsa-policy nonsense
expect 0 exhibit verify "$T/EV.E01" --require ledger

# --- by hand
expect 1 exhibit seal "$T/EV" --timestamp-response "$T/none.tsr"
expect 0 exhibit seal "$T/EV" --timestamp-request
openssl ts -query -in "$T/EV.manifest.json.tsq" -text >"$T/query" 2>/dev/null
assert_contains "$T/query" "Nonce: 0x"
openssl ts -reply -config "$PKI/tsa.cnf" -queryfile "$T/EV.manifest.json.tsq" \
    -out "$T/brought.tsr" >/dev/null 2>&1
openssl ts -query -data "$T/media" -sha256 -cert -out "$T/other.tsq" 2>/dev/null
openssl ts -reply -config "$PKI/tsa.cnf" -queryfile "$T/other.tsq" \
    -out "$T/other.tsr" >/dev/null 2>&1
expect 1 exhibit seal "$T/EV" --timestamp-response "$T/other.tsr"
expect 0 exhibit seal "$T/EV" --timestamp-response "$T/brought.tsr"
openssl_accepts "$T/EV.manifest.json"

# --- a stamp of the manifest does not say that a signature made since was there
expect 0 exhibit seal "$T/EV" --sign-key "$PKI/examiner.key" --sign-cert "$PKI/examiner.pem"
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --require signature,timestamp
assert_contains "$T/out" "certificates judged at the present time"

# --- what openssl asked for and stamped by itself
new_image
openssl ts -query -data "$T/EV.manifest.json" -sha512 -cert -out "$T/own.tsq" 2>/dev/null
openssl ts -reply -config "$PKI/tsa.cnf" -queryfile "$T/own.tsq" \
    -out "$T/EV.manifest.json.tsr" >/dev/null 2>&1
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --require timestamp

# --- a token of another file, one that was changed, one that was taken away
new_image --tsa "$GOOD"
cp "$T/EV.manifest.json.tsr" "$T/kept"
seed=${EXHIBIT_SEED:-$RANDOM}
echo "seed $seed"
RANDOM=$seed
size=$(stat -c %s "$T/kept")
for ((i = 0; i < ${EXHIBIT_FLIPS:-25}; i++)); do
    at=$(((RANDOM * 32768 + RANDOM) % size))
    flip_byte "$T/EV.manifest.json.tsr" "$at"
    expect 3 exhibit verify "$T/EV.manifest.json" --ca-file "$PKI/ca.pem"
    grep -qE "^  (timestamp|ledger) *failed" "$T/out" || fail "a flip at $at is not named"
    cp "$T/kept" "$T/EV.manifest.json.tsr"
done
rm "$T/EV.manifest.json.tsr"
expect 3 exhibit verify "$T/EV.manifest.json"
assert_contains "$T/out" "'EV.manifest.json.tsr' was written, but it is not there"

# --- certificates are judged at the stamped time: a signer's that has run out since still counts
issue short "/CN=Short Lived"
new_image
expect 0 exhibit seal "$T/EV" --sign-key "$PKI/short.key" --sign-cert "$PKI/short.pem" --tsa "$GOOD"
if command -v faketime >/dev/null; then
    expect 0 faketime '+25 days' exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" \
        --require signature
fi
