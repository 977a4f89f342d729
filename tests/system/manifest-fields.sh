# docs/manifest.md names every field that an acquisition writes.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq
random_file "$T/src" 3145728
fault_map "$T/map" 3145728 1048576 512
fault_device "$T/src" "$T/map"
doc=$EXHIBIT_SOURCE/docs/manifest.md

# Every name in the document, but for those that the examiner or the tool's libraries choose.
fields() {
    jq -r 'del(.case.meta[]?, .acquisition.tool.libraries[]?, .media.hashes[]?,
        .media.piecewise[]?["md5", "sha256"], .verification.checks) |
        [paths | map(select(type == "string"))[-1]] | unique[] | select(. != null)' "$1"
}
expect 3 exhibit acquire "$DEV" "$T/a" --copy "$T/b" --piecewise 1M
expect 0 exhibit acquire "$T/src" "$T/c" --format raw --no-verify
fields "$T/a.manifest.json" >"$T/fields"
fields "$T/c.manifest.json" >>"$T/fields"
[ "$(wc -l <"$T/fields")" -gt 80 ] || fail "only $(wc -l <"$T/fields") fields found"
missing=
while read -r field; do
    grep -qE "(^#+ |[\`.])$field([\`.]|\$)" "$doc" || missing+=" $field"
done <"$T/fields"
[ -z "$missing" ] || fail "not in docs/manifest.md:$missing"
