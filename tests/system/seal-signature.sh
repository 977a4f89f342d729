# Signatures: made by Exhibit and accepted by openssl, made by openssl and accepted by Exhibit; keys
# of every usual kind; passphrases; a witness; and every change noticed.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/pki.sh"
require jq

make_authority "$T/pki"
issue examiner "/CN=Jane Examiner/O=Lab"
issue witness "/CN=Will Witness"
random_file "$T/media" 1048576
new_image() {
    rm -f "$T"/EV.*
    expect 0 exhibit acquire "$T/media" "$T/EV" -q "$@"
}
status_of() { jq -r ".checks[] | select(.name == \"$1\") | .status" "$T/out"; }
openssl_accepts() {
    openssl cms -verify -binary -cades -inform DER -in "$1" -content "$T/EV.manifest.json" \
        -CAfile "$PKI/ca.pem" -out /dev/null 2>"$T/openssl" || fail "openssl: $(cat "$T/openssl")"
}

# --- during the acquisition, and later
new_image --sign-key "$PKI/examiner.key" --sign-cert "$PKI/examiner.pem"
openssl_accepts "$T/EV.manifest.json.p7s"
expect 0 exhibit verify "$T/EV.manifest.json" --ca-file "$PKI/ca.pem" --require signature,ledger \
    --json
assert_eq "$(status_of signature)" passed
assert_contains "$T/out" "Jane Examiner"
expect 5 exhibit seal "$T/EV" --sign-key "$PKI/examiner.key" --sign-cert "$PKI/examiner.pem"
assert_error "has signed already"
expect 0 exhibit seal "$T/EV.manifest.json" --sign-key "$PKI/witness.key" \
    --sign-cert "$PKI/witness.pem"
openssl_accepts "$T/EV.manifest.json.2.p7s"
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --require signature --json
assert_contains "$T/out" "Will Witness"

# --- nobody to trust is not "passed"; the wrong authority is a failure; so is absence, on demand
expect 0 exhibit verify "$T/EV.E01" --json
assert_eq "$(status_of signature)" not-run
expect 3 exhibit verify "$T/EV.E01" --require signature
cp -r "$PKI" "$T/other"
(make_authority "$T/other")
expect 3 exhibit verify "$T/EV.E01" --ca-file "$T/other/ca.pem" --json
assert_eq "$(status_of signature)" failed
new_image
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem"
expect 3 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --require signature

# --- a certificate that was revoked
cat >"$PKI/crl.cnf" <<CONFIG
[ca]
default_ca = it
[it]
database = $PKI/index
default_md = sha256
default_crl_days = 20
CONFIG
: >"$PKI/index"
ca() { openssl ca -config "$PKI/crl.cnf" -keyfile "$PKI/ca.key" -cert "$PKI/ca.pem" "$@" 2>/dev/null; }
ca -gencrl -out "$PKI/clean.crl"
ca -revoke "$PKI/examiner.pem"
ca -gencrl -out "$PKI/revoked.crl"
expect 0 exhibit seal "$T/EV" --sign-key "$PKI/examiner.key" --sign-cert "$PKI/examiner.pem"
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --crl-file "$PKI/clean.crl" \
    --require signature
expect 3 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --crl-file "$PKI/revoked.crl"
grep -q "signature *failed.*revoked" "$T/out" || fail "the revoked certificate is not named"

# --- a certificate that is for something else than signatures
issue cipher "/CN=Cipher Only" "keyUsage=critical,keyEncipherment"
new_image
expect 1 exhibit seal "$T/EV" --sign-key "$PKI/cipher.key" --sign-cert "$PKI/cipher.pem"
assert_error "not one for signatures"
openssl cms -sign -binary -cades -in "$T/EV.manifest.json" -signer "$PKI/cipher.pem" \
    -inkey "$PKI/cipher.key" -outform DER -out "$T/EV.manifest.json.p7s"
expect 3 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem"
assert_contains "$T/out" "not one for signatures"

# --- what openssl made
for options in -cades "" "-cades -md sha512" "-keyid"; do
    new_image
    # shellcheck disable=SC2086 # options are words
    openssl cms -sign -binary $options -in "$T/EV.manifest.json" -signer "$PKI/examiner.pem" \
        -inkey "$PKI/examiner.key" -outform DER -out "$T/EV.manifest.json.p7s"
    expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --require signature
done
openssl cms -sign -binary -md sha1 -in "$T/EV.manifest.json" -signer "$PKI/examiner.pem" \
    -inkey "$PKI/examiner.key" -outform DER -out "$T/EV.manifest.json.p7s"
expect 3 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem"

# Two signers in one file: both are named, and each has to stand.
two_signers() {
    openssl cms -sign -binary -cades -in "$T/EV.manifest.json" -signer "$PKI/examiner.pem" \
        -inkey "$PKI/examiner.key" -signer "$1/witness.pem" -inkey "$1/witness.key" \
        -outform DER -out "$T/EV.manifest.json.p7s"
}
new_image
two_signers "$PKI"
openssl_accepts "$T/EV.manifest.json.p7s"
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --require signature
assert_contains "$T/out" "Jane Examiner"
assert_contains "$T/out" "Will Witness"
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --ca-file "$T/other/ca.pem"
(PKI=$T/other && issue witness "/CN=Another Witness" keyUsage=digitalSignature)
two_signers "$T/other"
expect 3 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem"
assert_contains "$T/out" "is not trusted"
expect 0 exhibit verify "$T/EV.E01" --ca-file "$PKI/ca.pem" --ca-file "$T/other/ca.pem" \
    --require signature

# --- keys: PKCS#12, encrypted PEM, elliptic curves; passphrases from a file and a descriptor
openssl pkcs12 -export -inkey "$PKI/examiner.key" -in "$PKI/examiner.pem" \
    -certfile "$PKI/ca.pem" -passout pass:secret -out "$PKI/examiner.p12"
openssl rsa -in "$PKI/examiner.key" -aes256 -passout pass:secret -out "$PKI/locked.key" 2>/dev/null
openssl ecparam -name secp384r1 -genkey -noout -out "$PKI/ec.key"
openssl req -new -key "$PKI/ec.key" -subj "/CN=Eve Curve" -out "$PKI/ec.csr"
openssl x509 -req -in "$PKI/ec.csr" -CA "$PKI/ca.pem" -CAkey "$PKI/ca.key" -CAcreateserial \
    -out "$PKI/ec.pem" -days 20 2>/dev/null
cat "$PKI/ec.key" "$PKI/ec.pem" >"$PKI/both.pem"
echo secret >"$T/pass"
echo wrong >"$T/wrong"
for key in "examiner.p12" "locked.key --sign-cert $PKI/examiner.pem"; do
    new_image
    # shellcheck disable=SC2086 # two words
    expect 0 exhibit seal "$T/EV" --sign-key $PKI/$key --passphrase-file "$T/pass"
    openssl_accepts "$T/EV.manifest.json.p7s"
    rm "$T/EV.manifest.json.p7s"
    # shellcheck disable=SC2086
    expect 1 exhibit seal "$T/EV" --sign-key $PKI/$key --passphrase-file "$T/wrong"
    assert_error "passphrase"
    assert_missing "$T/EV.manifest.json.p7s"
done
new_image
expect 0 exhibit seal "$T/EV" --sign-key "$PKI/both.pem"
openssl_accepts "$T/EV.manifest.json.p7s"
new_image
exec 7<"$T/pass"
expect 0 exhibit acquire "$T/media" "$T/EV2" -q --sign-key "$PKI/examiner.p12" --passphrase-fd 7
exec 7<&-
assert_exists "$T/EV2.manifest.json.p7s"
# What a shell's <(command) makes: names of descriptors, for the program that signs as well.
expect 0 exhibit acquire "$T/media" "$T/EV4" -q --sign-key <(cat "$PKI/locked.key") \
    --sign-cert <(cat "$PKI/examiner.pem") --passphrase-file <(echo secret)
expect 0 exhibit verify "$T/EV4.manifest.json" --ca-file "$PKI/ca.pem" --require signature

# --- a key that is not to be had is found before anything is read
expect 1 exhibit acquire "$T/media" "$T/EV3" --sign-key "$PKI/examiner.p12" \
    --passphrase-file "$T/wrong"
expect 1 exhibit acquire "$T/media" "$T/EV3" --sign-key "$PKI/examiner.key" \
    --sign-cert "$PKI/witness.pem"
assert_error "belongs to the key"
expect 1 exhibit acquire "$T/media" "$T/EV3" --sign-key "$T/none.key"
expect 1 exhibit acquire "$T/media" "$T/EV3" --sign-key "$PKI/examiner.p12" \
    --passphrase-file "$T/none"
assert_error "'$T/none'"
expect 2 exhibit acquire "$T/media" "$T/EV3" --sign-key "$PKI/examiner.p12" --passphrase-fd 99
assert_error "--passphrase-fd"
# Nobody there to ask: said once, with what to do.
expect 1 setsid -w exhibit seal "$T/EV" --sign-key "$PKI/examiner.p12"
assert_contains "$T/err" "--passphrase-file"
assert_eq "$(grep -c 'Passphrase of' "$T/err")" 1 "questions for the passphrase"
expect 2 exhibit acquire "$T/media" "$T/EV3" --sign-cert "$PKI/examiner.pem"
issue expired "/CN=Late" keyUsage=digitalSignature -not_after 20200101000000Z -not_before \
    20190101000000Z 2>/dev/null || true
if openssl x509 -in "$PKI/expired.pem" -noout -checkend 0 >/dev/null 2>&1 ||
    [ ! -s "$PKI/expired.pem" ]; then
    issue expired "/CN=Late" keyUsage=digitalSignature -days -1
fi
expect 1 exhibit acquire "$T/media" "$T/EV3" --sign-key "$PKI/expired.key" \
    --sign-cert "$PKI/expired.pem"
assert_error "has expired"
assert_missing "$T"/EV3*

# --- any change of manifest or signature is noticed
new_image --sign-key "$PKI/examiner.key" --sign-cert "$PKI/examiner.pem"
seed=${EXHIBIT_SEED:-$RANDOM}
echo "seed $seed"
RANDOM=$seed
for file in EV.manifest.json EV.manifest.json.p7s; do
    cp "$T/$file" "$T/kept"
    size=$(stat -c %s "$T/$file")
    for ((i = 0; i < ${EXHIBIT_FLIPS:-25}; i++)); do
        at=$(((RANDOM * 32768 + RANDOM) % size))
        flip_byte "$T/$file" "$at"
        expect 3 exhibit verify "$T/EV.manifest.json" --ca-file "$PKI/ca.pem"
        grep -qE "^  (signature|ledger) *failed" "$T/out" || fail "$file: a flip at $at is not named"
        cp "$T/kept" "$T/$file"
    done
done
