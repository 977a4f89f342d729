# What goes to standard output and standard error: a summary, JSON, progress, nothing.
. "$(dirname "$0")/../lib/system.sh"
require jq
random_file "$T/src" 4194304

expect 0 exhibit acquire "$T/src" "$T/a" --json
jq -e . "$T/out" >/dev/null || fail "standard output is not JSON"
diff <(jq -S . "$T/out") <(jq -S . "$T/a.manifest.json") >/dev/null ||
    fail "--json is not the manifest"
[ ! -s "$T/err" ] || fail "there is something on stderr"

expect 0 exhibit acquire "$T/src" "$T/b" --progress json
jq -e -s 'length > 1 and all(has("phase") and has("bytes_done") and has("bytes_total") and
    has("rate") and has("eta_s") and has("unreadable_sectors"))' "$T/err" >/dev/null ||
    fail "the progress is not a JSON object a line"
assert_eq "$(jq -r .phase "$T/err" | uniq | grep -c acquire)" 1 "runs of the phase acquire"
jq -r .phase "$T/err" | grep -q verify || fail "no phase verify"

expect 0 exhibit acquire "$T/src" "$T/c" --quiet
[ ! -s "$T/out" ] && [ ! -s "$T/err" ] || fail "--quiet says something"
expect 0 exhibit acquire "$T/src" "$T/d" -q --no-verify
assert_json "$T/d.manifest.json" .verification.status not-run
expect 0 exhibit acquire "$T/src" "$T/e" --no-verify
assert_contains "$T/out" "not run"
[ ! -s "$T/err" ] || fail "there is something on stderr"

# The command line is kept as a shell would take it, escapes and bytes that are no UTF-8 included.
evil=$'a\033[31m\xff'
expect 0 exhibit acquire "$T/src" "$T/f" --notes "it's \"quoted\"" --description "$evil"
m=$T/f.manifest.json
jq -e . "$m" >/dev/null || fail "the manifest is not JSON"
assert_json "$m" .case.notes "it's \"quoted\""
assert_json "$m" .case.description_base64 "$(printf %s "$evil" | base64)"
if grep -q $'\033' "$T/f.log" "$T/out"; then
    fail "an escape reached the log or the terminal"
fi
