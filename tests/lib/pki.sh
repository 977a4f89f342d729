# An authority, people who sign, and time stamp authorities, for tests. Sourced after system.sh.
require openssl

# make_authority DIR: DIR/ca.pem and its key; `issue` uses it.
make_authority() {
    PKI=$1
    mkdir -p "$PKI"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$PKI/ca.key" -out "$PKI/ca.pem" \
        -subj "/CN=Test Authority" -days 30 >/dev/null 2>&1
}

# issue NAME SUBJECT [EXTENSIONS [openssl x509 options]]: $PKI/NAME.key and $PKI/NAME.pem.
issue() {
    local name=$1 subject=$2 extensions=${3:-keyUsage=digitalSignature}
    shift 2
    [ $# -eq 0 ] || shift
    openssl req -newkey rsa:2048 -nodes -keyout "$PKI/$name.key" -out "$PKI/$name.csr" \
        -subj "$subject" >/dev/null 2>&1
    printf '%b\n' "$extensions" >"$PKI/$name.ext"
    openssl x509 -req -in "$PKI/$name.csr" -CA "$PKI/ca.pem" -CAkey "$PKI/ca.key" -CAcreateserial \
        -out "$PKI/$name.pem" -extfile "$PKI/$name.ext" -days 20 "$@" >/dev/null 2>&1
}

# tsa_config NAME [CERT]: $PKI/NAME.cnf for an authority that stamps with $PKI/CERT.
tsa_config() {
    local cert=${2:-tsa}
    echo 01 >"$PKI/$1.serial"
    cat >"$PKI/$1.cnf" <<CONFIG
[tsa]
default_tsa = it
[it]
serial = $PKI/$1.serial
signer_cert = $PKI/$cert.pem
signer_key = $PKI/$cert.key
certs = $PKI/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
CONFIG
}

# serve_tsa CONFIG [MODE]: sets URL.
serve_tsa() {
    local port
    require python3
    port=$(mktemp "$T/tsa-port.XXXXXX")
    python3 "$EXHIBIT_SOURCE/tests/lib/tsa-server" "$PKI/$1.cnf" "${2:-good}" >"$port" 2>/dev/null &
    end_at_exit $!
    wait_until 30 test -s "$port"
    URL=http://127.0.0.1:$(cat "$port")/
}
