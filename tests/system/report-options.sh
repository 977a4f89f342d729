#!/bin/bash
# What exhibit report takes, refuses and leaves behind.
. "$(dirname "$0")/../lib/system.sh"
require jq mkfs.ext4

truncate -s 4M "$T/EV-01.raw"
mkfs.ext4 -q -F -L sample "$T/EV-01.raw"
mkdir "$T/dir"

echo "== beside the image by default, and nothing else"
expect 0 exhibit-report "$T/EV-01.raw"
assert_exists "$T/EV-01.report.html" "$T/EV-01.report.json"
assert_eq "$(find "$T" -name '*.tmp-*' | wc -l)" 0

echo "== an earlier report is not overwritten unless asked for"
before=$(sha256_of "$T/EV-01.report.html")
expect 5 exhibit-report "$T/EV-01.raw"
assert_error "already"
assert_eq "$(sha256_of "$T/EV-01.report.html")" "$before"
sleep 1
expect 0 exhibit-report --replace "$T/EV-01.raw"
[ "$(sha256_of "$T/EV-01.report.html")" != "$before" ] || fail "the report was not made anew"

echo "== formats"
expect 0 exhibit-report --format json --output-dir "$T/dir" "$T/EV-01.raw"
assert_exists "$T/dir/EV-01.report.json"
assert_missing "$T/dir/EV-01.report.html"
expect 2 exhibit-report --format html,docx --output-dir "$T/dir" "$T/EV-01.raw"
assert_error "'docx'"
assert_contains "$T/err" "html, pdf, json, text, dfxml, case"
expect 2 exhibit-report --format "" --output-dir "$T/dir" "$T/EV-01.raw"
assert_error "format"

echo "== --json prints the document and nothing else"
expect 0 exhibit-report --json --replace --format html --output-dir "$T/dir" "$T/EV-01.raw"
jq -e '.schema == "exhibit.report/1"' "$T/out" >/dev/null || fail "stdout is not one document"

echo "== bad input: one line, the right exit code, no file"
mkdir "$T/none"
expect 1 exhibit-report --output-dir "$T/none" "$T/absent.raw"
assert_error "absent.raw"
expect 1 exhibit-report --output-dir "$T/none" "$T"
assert_error "is a directory"
expect 1 exhibit-report --output-dir "$T/absent" "$T/EV-01.raw"
assert_error "absent"
echo '{"schema": "exhibit.manifest/1"}' >"$T/bad.manifest.json"
expect 1 exhibit-report --output-dir "$T/none" "$T/bad.manifest.json"
assert_error "manifest"
expect 2 exhibit-report
assert_error "no image"
expect 2 exhibit-report --output-dir "$T/none" "$T/EV-01.raw" "$T/EV-01.raw"
assert_error "more than one"
expect 2 exhibit-report --nonsense "$T/EV-01.raw"
assert_error "unknown option"
expect 2 exhibit-report --deadline 0 "$T/EV-01.raw"
assert_error "deadline"
assert_eq "$(ls -A "$T/none")" ""

echo "== a symbolic link where the report will go is not followed"
echo keep >"$T/victim"
ln -s "$T/victim" "$T/none/EV-01.report.html"
expect 5 exhibit-report --output-dir "$T/none" "$T/EV-01.raw"
expect 0 exhibit-report --replace --output-dir "$T/none" "$T/EV-01.raw"
assert_eq "$(cat "$T/victim")" keep
[ ! -L "$T/none/EV-01.report.html" ] || fail "the link is still there"

echo "== with a manifest: its facts, in the page and in the JSON"
BAD=150 CASE='2026-017 <b>' EXAMINER=$'Ä. \u202eelpmaS' "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/EV-01.raw"
expect 0 exhibit-report --replace "$T/EV-01.manifest.json"
json=$T/EV-01.report.json
page=$T/EV-01.report.html
jq -S 'del(.schema)' "$T/EV-01.manifest.json" >"$T/facts"
jq -S --slurpfile m "$T/facts" 'with_entries(select(.key as $k | $m[0] | has($k)))' "$json" >"$T/kept"
assert_same_bytes "$T/facts" "$T/kept"
for fact in "$(json "$json" .media.hashes.sha256)" "$(json "$json" .media.hashes.md5)" WX51A90P4711 \
    read-only-flag '2026-017 &lt;b&gt;' 'Ä. \u{202e}elpmaS' B-004711 'in 150 ranges' \
    "sha256sum -c EV-01.sha256" "ddrescuelog -t EV-01.map"; do
    assert_contains "$page" "$fact"
done
assert_json "$json" '.unreadable.ranges | length' 150
assert_json "$json" '.volumes[0].unreadable == ([.unreadable.ranges[].length] | add)' true
# The image itself finds the manifest beside it.
expect 0 exhibit-report --replace "$T/EV-01.raw"
assert_json "$json" .case.examiner $'Ä. \u202eelpmaS'

echo "== a manifest beside it that is another image's, or broken"
cp "$T/EV-01.raw" "$T/other.raw"
cp "$T/EV-01.manifest.json" "$T/other.manifest.json"
expect 0 exhibit-report "$T/other.raw"
assert_json "$T/other.report.json" .report.manifest null
echo '{' >"$T/other.manifest.json"
expect 3 exhibit-report --replace "$T/other.raw"
assert_json "$T/other.report.json" '.findings[0].code' manifest

echo "== the page needs nothing but itself"
for page in "$T"/*.report.html; do
    # Names that stand in the text are no links; attributes that load something are.
    if grep -qiE '<(script|link|img|iframe|object|embed|base|form)|[ "](src|href|style|on[a-z]+)=' "$page"; then
        fail "${page##*/} reaches outside itself"
    fi
    assert_contains "$page" "default-src 'none'"
    hash=$(sed -n '/<style>/,/<\/style>/p' "$page" | sed 's/^<style>//; s/^<\/style>.*//' |
        head -c -1 | openssl dgst -sha256 -binary | base64)
    assert_contains "$page" "sha256-$hash"
done

echo "== images that other tools wrote"
if [ -d "$EXHIBIT_SOURCE/../shared/images" ]; then
    require_shared
    for file in tsk-image.E01 tsk-image.dd ext2.E01 ext2.split.E01 iso9660.raw; do
        mkdir "$T/$file"
        expect 0 exhibit-report -q --output-dir "$T/$file" "$SHARED/images/$file"
    done
    assert_json "$T/ext2.E01/ext2.report.json" .volumes[0].file_system.type ext2
    assert_json "$T/ext2.E01/ext2.report.json" .media.hashes.md5 196066add11fb71c4c49cf1bb50d6d24
    assert_json "$T/iso9660.raw/iso9660.report.json" .volumes[0].file_system.type iso9660
    # The same disk in another format gives the same figures.
    for file in tsk-image.E01 tsk-image.dd; do
        jq -S '[.volumes, .slack]' "$T/$file/tsk-image.report.json" >"$T/$file.figures"
    done
    assert_same_bytes "$T/tsk-image.E01.figures" "$T/tsk-image.dd.figures"
else
    echo "left out: no ../shared/images beside the source tree"
fi

echo "== it gives up writing elsewhere, and the network, before anything of the image is parsed"
mkdir "$T/waits"
cp "$EXHIBIT_BIN/exhibit-report" "$T/waits/"
printf '#!/bin/sh\nexec sleep 60\n' >"$T/waits/exhibit-parser"
chmod +x "$T/waits/exhibit-parser"
"$T/waits/exhibit-report" -q "$T/EV-01.raw" --output-dir "$T/dir" --replace --format json 2>"$T/err" &
pid=$!
parses() { catches "$pid" INT && [ -n "$(child_of "$pid" sleep)" ]; }
wait_until 20 parses
for fact in Seccomp=2 NoNewPrivs=1; do
    assert_eq "$(awk -v key="${fact%=*}:" '$1 == key { print $2 }' "/proc/$pid/status")" "${fact#*=}" \
        "${fact%=*} of a report whose parser has begun"
done
kill -INT "$pid"
wait "$pid" || true
