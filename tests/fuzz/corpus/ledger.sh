#!/bin/bash
# Seeds for fuzz_ledger: chains of a few events, whole and torn. Usage: ledger.sh DIRECTORY
set -euo pipefail

# line NUMBER PREVIOUS EXTRA: one line of a ledger, hash and all.
line() {
    local text
    text="{\"schema\":\"exhibit.custody/1\",\"line\":$1,\"action\":\"moved\"$3,\"previous\":$2"
    printf '%s,"hash":"%s"}\n' "$text" "$(printf %s "$text" | sha256sum | cut -c1-64)"
}

line 1 null '' >"$1/one"
cp "$1/one" "$1/three"
for i in 2 3; do
    line $i "\"$(tail -n 1 "$1/three" | sha256sum | cut -c1-64)\"" ',"reason":"x"' >>"$1/three"
done
head -c -9 "$1/three" >"$1/torn"
line 1 null ',"from":"a"' | sed 's/"a"/"b"/' >"$1/changed"
printf '\n' >"$1/empty"
