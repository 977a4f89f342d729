# The report says who signed, when it was stamped, and whether the ledger holds, and how anyone can
# check each of them.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/pki.sh"
require jq python3

make_authority "$T/pki"
issue examiner "/CN=Jane <Examiner>"
issue tsa "/CN=Test TSA" "extendedKeyUsage=critical,timeStamping"
tsa_config tsa
serve_tsa tsa
random_file "$T/media" 1048576
expect 0 exhibit acquire "$T/media" "$T/EV" -q --sign-key "$PKI/examiner.key" \
    --sign-cert "$PKI/examiner.pem" --tsa "$URL"
report() {
    local wanted=$1
    shift
    expect "$wanted" exhibit report "$T/EV.manifest.json" -q --replace --format html,text,json "$@"
}
proof() { jq -r ".proof.$1" "$T/EV.report.json"; }

report 0
assert_eq "$(proof 'signatures[0].status')" intact
assert_eq "$(proof timestamp.status)" intact
assert_eq "$(proof ledger.status)" whole
report 0 --ca-file "$PKI/ca.pem"
assert_eq "$(proof 'signatures[0].status')" trusted
assert_eq "$(proof timestamp.status)" trusted
assert_eq "$(proof timestamp.authority)" "CN=Test TSA"
assert_eq "$(proof ledger.head)" "$(tail -n 1 "$T/EV.custody.jsonl" | sha256sum | cut -c1-64)"
for file in html txt; do
    assert_contains "$T/EV.report.$file" "CN=Test TSA"
    assert_contains "$T/EV.report.$file" "$(proof timestamp.time)"
done
assert_lacks "$T/EV.report.html" "<Examiner>"
# The commands that it prints do what it says.
for tool in 'openssl cms' 'openssl ts' 'tail -n 1'; do
    line=$(sed -n "s/.*<code>\($tool[^<]*\)<.*/\1/p" "$T/EV.report.html" | sed -n 1p)
    [ -n "$line" ] || fail "no command with $tool"
    (cd "$T" && cp "$PKI/ca.pem" . && bash -c "$line" >/dev/null 2>&1) || fail "fails: $line"
done

report 3 --ca-file "$PKI/examiner.pem"
assert_eq "$(proof 'signatures[0].status')" failed
flip_byte "$T/EV.manifest.json.p7s" 900
sed -i 2d "$T/EV.custody.jsonl"
report 3
assert_eq "$(proof ledger.status)" broken
assert_eq "$(jq -r '[.findings[].code] | unique | join(" ")' "$T/EV.report.json")" \
    "ledger$([ "$(proof 'signatures[0].status')" = intact ] || echo ' signature') timestamp"

rm "$T"/EV.*
expect 0 exhibit acquire "$T/media" "$T/EV" -q
report 0
assert_eq "$(proof 'signatures | length')" 0
assert_eq "$(proof timestamp)" null
