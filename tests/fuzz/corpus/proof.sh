#!/bin/bash
# Seeds for fuzz_proof: a signature and a time stamp. Usage: proof.sh DIRECTORY
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cd "$dir"
printf 'what was never signed\0' >text
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert \
    -subj /CN=A -addext extendedKeyUsage=critical,timeStamping 2>/dev/null
openssl cms -sign -binary -cades -in text -signer cert -inkey key -outform DER -out "$1/signature"
printf '[tsa]\ndefault_tsa = it\n[it]\nserial = serial\nsigner_cert = cert\nsigner_key = key\n' >cnf
printf 'signer_digest = sha256\ndefault_policy = 1.2.3\ndigests = sha256\n' >>cnf
printf 'ess_cert_id_alg = sha256\n' >>cnf
echo 01 >serial
openssl ts -query -data text -sha256 -cert -out query 2>/dev/null
openssl ts -reply -config cnf -queryfile query -out "$1/stamp" >/dev/null 2>&1
