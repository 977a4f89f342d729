#!/bin/bash
# `exhibit devices` for anyone: one JSON document, an aligned table, escaped names, no device opened.
. "$(dirname "$0")/../lib/system.sh"
require jq

expect 0 exhibit-devices
head -n 1 "$T/out" | grep -q '^DEVICE .*SIZE .*IN USE$' || [ -s "$T/err" ] || fail "no heading"
expect 0 exhibit-devices --json
jq -e 'type == "array" and all(.[]; (.path | startswith("/dev/")) and .size > 0
    and .logical_sector_size > 0 and (.in_use.state | IN("free", "busy", "system")))' \
    "$T/out" >"$T/checked" || fail "the list is not as it should be"
jq -e 'any(.[]; .name | test("^z?ram[0-9]")) | not' "$T/out" >"$T/checked" || fail "memory is listed"
expect 2 exhibit-devices extra
assert_error "'extra'"
expect 2 exhibit-devices --nonsense
expect 0 exhibit-devices -h
assert_contains "$T/out" "--json"
expect 2 exhibit-devices --health --no-ask
assert_error "take one"
expect 0 exhibit-devices --version

# Nothing of /dev is opened but by root to ask a drive, and nothing at all for writing.
if command -v strace >/dev/null && [ -z "$EXHIBIT_SANITIZE" ] && strace -o /dev/null true; then
    run strace -f -e trace=open,openat,openat2,creat -o "$T/trace" exhibit-devices --json --no-ask
    assert_eq "$status" 0
    # (jansson seeds its hash tables)
    grep -v '"/dev/urandom"' "$T/trace" >"$T/opened"
    assert_lacks "$T/opened" '"/dev/'
    if grep -E 'O_WRONLY|O_RDWR|O_CREAT' "$T/trace"; then
        fail "something was opened for writing"
    fi
fi

# Any user may ask.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    cp "$(command -v exhibit-devices)" "$T/"
    expect 0 setpriv --reuid 65534 --regid 65534 --clear-groups "$T/exhibit-devices" --json
    jq -e 'type == "array"' "$T/out" >"$T/checked" || fail "no list for a user without rights"
fi

require_loop
name=$'evil\e[31m\xff.img'
truncate -s 3M "$T/$name"
attach "$T/$name" --read-only
expect 0 exhibit-devices
assert_contains "$T/out" 'evil\x1b[31m\xff.img'
assert_lacks "$T/out" $'\e'
expect 0 exhibit-devices --json
assert_json "$T/out" ".[] | select(.path == \"$DEV\") | [.size, .read_only, .bus] | @csv" \
    '3145728,true,"virtual"'
got=$(jq -r ".[] | select(.path == \"$DEV\") | .backing_file_base64" "$T/out" | base64 -d)
assert_eq "$got" "$T/$name" "the exact bytes of the backing file's name"

# The table keeps within the terminal; what it has no room for stands below.
mkdir -p "$T/a-directory-with-a-long-name/and-another-one-with-a-longer-name"
long=$T/a-directory-with-a-long-name/and-another-one-with-a-longer-name/image
truncate -s 1M "$long"
attach "$long" --read-only
for columns in 80 120; do
    COLUMNS=$columns expect 0 exhibit-devices
    if sed 's/…/./g' "$T/out" | grep -E "^.{$((columns + 1))}" | grep -v "/"; then
        fail "the table is wider than $columns"
    fi
    grep -E "^$DEV " "$T/out" | sed 's/…/./g' | grep -qE "^.{1,$columns}\$" || fail "the row of $DEV is too wide"
    grep -qF "$long" "$T/out" || fail "what was cut is not shown in full"
done
