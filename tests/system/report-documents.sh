#!/bin/bash
# The documents: a certification that claims what is true and no more, the custody form with the
# ledger's entries, a laboratory's own texts, name and logo.
. "$(dirname "$0")/../lib/system.sh"
require jq

make() { # NAME: an image with a manifest; mk-manifest's variables apply
    random_file "$T/$1.raw" 1048576 "$1"
    "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/$1.raw"
}

# certificate NAME [options]: its text in one line, in $T/words.
certificate() {
    local name=$1
    shift
    run exhibit-report -q --replace --format text,html --documents certificate "$@" "$T/$name.manifest.json"
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "exit code $status"
    tr -s ' \n' ' ' <"$T/$name.report.txt" >"$T/words"
}

# mismatches NAME: what the report finds the image to be other than its manifest says, in $T/out.
mismatches() {
    expect 3 exhibit-report -q --replace --format json "$T/$1.manifest.json"
    jq -r '.findings[] | select(.code == "image-mismatch") | .text' "$T/$1.report.json" >"$T/out"
}

identity="identical copy of what the source returned"

echo "== all read and verified: identity is certified"
make whole
certificate whole
assert_contains "$T/words" "$identity"
assert_contains "$T/words" "penalty of perjury"
assert_contains "$T/words" "$(json "$T/whole.manifest.json" .media.hashes.sha256)"
assert_contains "$T/words" "on reading back identical"
assert_contains "$T/whole.report.html" "$identity"

echo "== unreadable sectors: no identity of the whole medium"
BAD=3 make bad
certificate bad
assert_lacks "$T/words" "$identity"
assert_contains "$T/words" "not certified that the image is identical with the medium as a whole"
assert_contains "$T/words" "did not return 6 sectors"

echo "== not verified: nothing is compared"
STATUS=not-run make unverified
certificate unverified
assert_lacks "$T/words" "$identity"
assert_lacks "$T/words" "on reading back identical"
assert_contains "$T/words" "was not read back"
assert_contains "$T/words" "not compared"
STATUS=not-run BAD=2 make worse
certificate worse
assert_lacks "$T/words" "What is certified is that the image holds"

echo "== a failed verification: no certification at all"
STATUS=failed make failed
certificate failed
assert_contains "$T/words" "No certification can be given"
assert_lacks "$T/words" "penalty of perjury"
assert_lacks "$T/words" "$identity"

echo "== no manifest: no statement about the original"
random_file "$T/alone.raw" 1048576
expect 0 exhibit-report -q --format text --documents certificate "$T/alone.raw"
tr -s ' \n' ' ' <"$T/alone.report.txt" >"$T/words"
assert_lacks "$T/words" "$identity"
assert_contains "$T/words" "no comparison with it is certified"

echo "== an image that is no longer whole: the record says passed, the certification does not"
cp "$T/whole.raw" "$T/cut.raw"
jq '.image.segments[0].file = "cut.raw"' "$T/whole.manifest.json" >"$T/cut.manifest.json"
truncate -s 500000 "$T/cut.raw"
certificate cut
assert_contains "$T/words" "found to be damaged or incomplete"
assert_lacks "$T/words" "$identity"

echo "== an E01 of other media in the image's place: its own hash and size tell"
random_file "$T/one.src" 1048576
random_file "$T/two.src" 2000896
expect 0 exhibit acquire "$T/one.src" "$T/one" -q
expect 0 exhibit acquire "$T/two.src" "$T/two" -q
certificate one
assert_contains "$T/words" "$identity"
jq '.image.segments = input.image.segments | .image.segments[0].file = "two.E01"
    | .image.media_size = 2000896 | .source.size = 2000896' \
    "$T/one.manifest.json" "$T/two.manifest.json" >"$T/swapped.manifest.json"
certificate swapped
mismatches swapped
assert_contains "$T/out" "the md5 of the media that the image carries is $(md5_of "$T/two.src")"
assert_contains "$T/words" "not to be what the record says"
assert_lacks "$T/words" "$identity"
jq '.image.segments[0].size += 1' "$T/one.manifest.json" >"$T/longer.manifest.json"
certificate longer
mismatches longer
assert_contains "$T/out" "the manifest says $(($(stat -c %s "$T/one.E01") + 1))"
assert_lacks "$T/words" "$identity"

echo "== nothing recorded of a write block is not the same as none"
jq 'del(.write_block)' "$T/whole.manifest.json" >"$T/silent.manifest.json"
certificate silent
assert_contains "$T/words" "Nothing is recorded of a write block"
assert_contains "$T/words" "Areas that a device can hide"
jq '.write_block.level = "none" | .media.hashes = {}' "$T/whole.manifest.json" >"$T/silent.manifest.json"
certificate silent
assert_contains "$T/words" "No write block was in force"
assert_lacks "$T/words" "$identity"

echo "== a part of the source, a source that changed, hidden areas"
jq '.source.size = 99999744' "$T/whole.manifest.json" >"$T/part.manifest.json"
ln "$T/whole.raw" "$T/part.raw"
jq '.image.segments[0].file = "part.raw" | .source.changed_during_acquisition = true' \
    "$T/part.manifest.json" >"$T/part.new"
mv "$T/part.new" "$T/part.manifest.json"
certificate part
assert_contains "$T/words" "Only a part of the source was copied"
assert_lacks "$T/words" "$identity"
assert_contains "$T/words" "Areas that a device can hide"

echo "== --documents chooses"
expect 0 exhibit-report -q --replace --format html --documents custody "$T/whole.manifest.json"
assert_contains "$T/whole.report.html" 'id="custody"'
assert_lacks "$T/whole.report.html" 'id="certificate"'
assert_lacks "$T/whole.report.html" 'id="source"'
expect 0 exhibit-report -q --replace --format html "$T/whole.manifest.json"
for id in report custody certificate source; do
    assert_contains "$T/whole.report.html" "id=\"$id\""
done
expect 2 exhibit-report -q --documents custody,invoice "$T/whole.manifest.json"
assert_error "'invoice'"

echo "== the custody form: the ledger's entries, and empty rows"
expect 0 exhibit-report -q --replace --format text,html,json --documents custody "$T/whole.manifest.json"
assert_eq "$(grep -c 'Released by' "$T/whole.report.txt")" 6
assert_json "$T/whole.report.json" .custody null
cat >"$T/whole.custody.jsonl" <<'END'
{"time":"2026-11-20T08:00:00Z","action":"acquired","user":{"uid":1000,"name":"asample"}}
{"time":"2026-11-20T09:15:00Z","action":"handed over","from":"A. Sample","to":"B. Clerk <b>","place":"Evidence room 3","reason":"storage","user":{"uid":1000,"name":"asample"}}
END
# Its events are shown; that it is no chain is a finding.
expect 3 exhibit-report -q --replace --format text,html,json --documents custody "$T/whole.manifest.json"
for file in "$T/whole.report.txt" "$T/whole.report.html"; do
    for text in 2026-11-20T09:15:00Z "handed over" "A. Sample" "Evidence room 3" storage acquired; do
        assert_contains "$file" "$text"
    done
done
assert_contains "$T/whole.report.html" "B. Clerk &lt;b&gt;"
assert_eq "$(grep -c 'Released by' "$T/whole.report.txt")" 5
assert_json "$T/whole.report.json" '.custody | length' 2
rm "$T/whole.custody.jsonl"

if command -v exhibit-custody >/dev/null; then
    echo "== the ledger that Exhibit keeps"
    random_file "$T/source.img" 1048576
    expect 0 exhibit-acquire -q --progress none --format raw "$T/source.img" "$T/kept"
    expect 0 exhibit-custody add "$T/kept" --action transferred --from "A. Sample" --to "B. Clerk" \
        --place "Evidence room 3" --reason storage
    expect 0 exhibit-report -q --format text --documents custody "$T/kept.manifest.json"
    assert_contains "$T/kept.report.txt" transferred
    assert_contains "$T/kept.report.txt" "B. Clerk"
fi

echo "== the laboratory's own texts"
mkdir "$T/texts"
cat >"$T/texts/certificate.txt" <<'END'
; ours
# Our own words on {evidence_number} {{braces}
{if unreadable}
bad
{else}
good, seal {meta.seal}, {meta.nothing}
{end}
{table hashes}
{sign The director}
END
certificate whole --template-dir "$T/texts"
assert_contains "$T/words" "Our own words on EV-01 {braces}"
assert_contains "$T/words" "good, seal B-004711, not recorded"
assert_contains "$T/words" "The director"
assert_lacks "$T/words" "perjury"
certificate bad --template-dir "$T/texts"
assert_contains "$T/words" " bad "
while IFS='|' read -r line text message; do
    printf "$text" >"$T/texts/certificate.txt"
    expect 2 exhibit-report -q --replace --template-dir "$T/texts" "$T/whole.manifest.json"
    assert_error "line $line"
    assert_contains "$T/err" "certificate.txt"
    assert_contains "$T/err" "$message"
done <<'END'
2|# x\n{examinar}\n|{examinar}
3|\n\n{if nothing-known}\n{end}\n|nothing-known
1|{if unreadable}\ntext\n|{end}
2|text\n{else}\n|{else}
1|{table prices}\n|prices
1|an open {brace\n|brace
END
printf '\377\376' >"$T/texts/certificate.txt"
expect 2 exhibit-report -q --replace --template-dir "$T/texts" "$T/whole.manifest.json"
assert_error "UTF-8"
expect 1 exhibit-report -q --replace --template-dir "$T/nowhere" "$T/whole.manifest.json"

echo "== its name, address and logo"
rm "$T/texts/certificate.txt"
printf '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>' \
    >"$T/logo.svg"
printf 'laboratory = Lab <of> Somewhere\naddress = 1 Street\naddress = Town\nlogo = logo.svg\n' >"$T/lab.conf"
expect 0 exhibit-report -q --replace --config "$T/lab.conf" --format html,json,text "$T/whole.manifest.json"
assert_contains "$T/whole.report.html" "Lab &lt;of&gt; Somewhere"
assert_contains "$T/whole.report.html" "data:image/svg+xml;base64,"
assert_contains "$T/whole.report.html" "img-src data:"
assert_contains "$T/whole.report.txt" "Lab <of> Somewhere"
assert_json "$T/whole.report.json" .laboratory.name "Lab <of> Somewhere"
for bad in '<svg><script>1</script></svg>' '<svg onload="x()"/>' '<svg><a href="http://x"/></svg>' \
    '<!DOCTYPE svg [<!ENTITY a "b">]><svg/>' '<svg><image href="file:///etc/passwd"/></svg>' 'GIF89a'; do
    printf '%s' "$bad" >"$T/logo.svg"
    expect 2 exhibit-report -q --replace --config "$T/lab.conf" "$T/whole.manifest.json"
    assert_error "logo.svg"
done
head -c 1048577 /dev/zero >"$T/logo.svg"
expect 1 exhibit-report -q --replace --config "$T/lab.conf" "$T/whole.manifest.json"
printf 'laboratory = x\ncolour = red\n' >"$T/lab.conf"
expect 2 exhibit-report -q --replace --config "$T/lab.conf" "$T/whole.manifest.json"
assert_error "line 2: unknown setting 'colour'"
expect 1 exhibit-report -q --replace --config "$T/none.conf" "$T/whole.manifest.json"
