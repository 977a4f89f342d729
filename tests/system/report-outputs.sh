#!/bin/bash
# Every output of every image is valid in its schema, and the page, the text and the JSON document
# say the same. EXHIBIT_SHACL names a directory with npm's shacl-engine, jsonld, n3 and rdf-ext, for
# the check of CASE documents against the ontology's shapes.
. "$(dirname "$0")/../lib/system.sh"
require jq xmllint python3 sgdisk mke2fs mkfs.vfat

schemas=$EXHIBIT_SOURCE/../shared/schemas
formats=html,json,text,dfxml,case
bundles=()

# check_outputs STEM: the five files that stand as STEM.report.html and so on.
check_outputs() {
    local stem=$1
    assert_exists "$stem.report.html" "$stem.report.json" "$stem.report.txt" "$stem.dfxml" \
        "$stem.case.jsonld"
    if [ -e "$schemas/dfxml.xsd" ]; then
        xmllint --noout --schema "$schemas/dfxml.xsd" "$stem.dfxml" 2>"$T/err" ||
            fail "${stem##*/}.dfxml is not valid"
    else
        xmllint --noout "$stem.dfxml" 2>"$T/err" || fail "${stem##*/}.dfxml is not well-formed"
    fi
    # Each object that is spoken of is there, once.
    assert_json "$stem.case.jsonld" '
        [."@graph"[]."@id"] as $ids
        | [."@graph"[] | del(."@id") | .. | objects | select(has("@id")) | ."@id"] as $named
        | [($ids | length == (unique | length)), (($named - $ids) | length)] | map(tostring) | join(" ")' \
        "true 0"
    bundles+=("$T/bundle-${#bundles[@]}.jsonld") # node takes no path that is not UTF-8
    cp "$stem.case.jsonld" "${bundles[-1]}"
    # Nothing of the evidence can steer a terminal or reorder a line; nothing is code in the page.
    if LC_ALL=C grep -aqP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]' \
        "$stem.report.html" "$stem.report.txt" "$stem.dfxml"; then
        fail "a control character came through in ${stem##*/}"
    fi
    python3 -c 'import sys; open(sys.argv[1], encoding="utf-8").read()' "$stem.report.txt" ||
        fail "${stem##*/}.report.txt is not UTF-8"
    "$EXHIBIT_SOURCE/tests/lib/same-facts" "$stem.report.json" "$stem.report.html" >"$T/out" ||
        fail "the page of ${stem##*/} lacks facts"
    "$EXHIBIT_SOURCE/tests/lib/same-facts" "$stem.report.json" "$stem.report.txt" >"$T/out" ||
        fail "the text of ${stem##*/} lacks facts"
}

echo "== an acquired disk: all at once, named after the image, nothing overwritten"
sample_disk
expect 0 exhibit-acquire "$DISK" "$T/EV-01" --case 2026-017 --evidence EV-01 --examiner "A. Examiner" \
    --meta seal=S-4711 --meta "authority=Order 12/26" --progress none -q
mkdir "$T/out-dir"
expect 0 exhibit-report -q --format "$formats" --output-dir "$T/out-dir" "$T/EV-01.manifest.json"
assert_only "$T/out-dir" EV-01.report.html EV-01.report.json EV-01.report.txt EV-01.dfxml \
    EV-01.case.jsonld
check_outputs "$T/out-dir/EV-01"
md5=$(json "$T/EV-01.manifest.json" .media.hashes.md5)
for file in EV-01.report.html EV-01.report.txt EV-01.dfxml EV-01.case.jsonld; do
    assert_contains "$T/out-dir/$file" "$md5"
done
for format in dfxml case text; do
    expect 5 exhibit-report -q --format $format --output-dir "$T/out-dir" "$T/EV-01.manifest.json"
done
expect 0 exhibit-report -q --replace --format $formats --output-dir "$T/out-dir" "$T/EV-01.manifest.json"

echo "== what is not recorded says so"
for key in .source.smart .source.hidden.hpa; do
    jq -e "$key == null" "$T/EV-01.manifest.json" >/dev/null || echo "left out: $key is recorded here"
done
jq '.source.smart = null | .source.hidden.hpa = null | .write_block.monitor = {available: false, writes: null}' \
    "$T/EV-01.manifest.json" >"$T/EV-01.none.json"
mkdir "$T/none"
cp "$T/EV-01.none.json" "$T/none/EV-01.manifest.json"
ln "$T"/EV-01.E* "$T/none" # the same image
expect 0 exhibit-report -q --format text,html "$T/none/EV-01.manifest.json"
for label in "SMART health" "Host protected area (HPA)"; do
    grep -A1 -F "$label" "$T/none/EV-01.report.txt" | grep -q "not recorded" ||
        fail "'$label' is not said to be unrecorded"
done

echo "== what the monitor saw, and whom the guard refused"
jq '.write_block.monitor = {available: true, reads: 9, writes: 1, flushes: 0, discards: 3,
    passthrough: 2, refused: 1, attempts: [{time: "2026-11-21T09:00:00Z", pid: 77, uid: 1000,
    name: "a\u001b<b>", what: "open for writing", node: "sda1"}]}' \
    "$T/EV-01.none.json" >"$T/none/EV-01.manifest.json"
expect 0 exhibit-report -q --replace --format text,html "$T/none/EV-01.manifest.json"
text=$T/none/EV-01.report.txt
for line in 'Pass-through +2' 'Attempts to write, refused +1' 'Node +sda1' 'Name +a\\x1b<b>' \
    'the I/O monitor saw 1 writes to the source' 'saw 3 discards on the source' \
    '1 attempts to change the source were refused'; do
    grep -qE -- "$line" "$text" || fail "no '$line' in the text report"
done
assert_contains "$T/none/EV-01.report.html" 'a\x1b&lt;b&gt;'

echo "== what the drive hides, and what else belongs to the item"
jq '.source.kind = "device" | .source.hidden = {hpa: 1000, dco: 0, native_sectors: 9000, hpa_note: null}
    | .source.other_areas = [{name: "mmcblk0boot0", kind: "eMMC boot area", size: 4194304}]
    | .source.smart = {before: {passed: true, reallocated_sectors: 8}, after: null}' \
    "$T/EV-01.none.json" >"$T/none/EV-01.manifest.json"
expect 0 exhibit-report -q --replace --format text,html "$T/none/EV-01.manifest.json"
for line in '1000 sectors are hidden by a host protected area' 'Reallocated sectors +8' 'mmcblk0boot0' \
    'The device hides sectors from the computer'; do
    grep -qE -- "$line" "$text" || fail "no '$line' in the text report"
done

echo "== hostile texts: markup, control characters, overrides, what XML cannot say, bad UTF-8"
truncate -s 8M "$T/hostile.raw"
name=$(printf '<b>&"\\x27]]>\u202e\ufffe\uffff\u0007;--')
sgdisk -n 1:0:+2M -c "1:$name" "$T/hostile.raw" >/dev/null
mke2fs -q -F -t ext2 "$T/label.fs" 1M 2>/dev/null
# The label, in the superblock at byte 1024: markup, bytes that are no UTF-8, an escape sequence.
printf '<i>\377\376\033[31m' | dd of="$T/label.fs" bs=1 seek=$((1024 + 120)) conv=notrunc status=none
dd if="$T/label.fs" of="$T/hostile.raw" bs=1M seek=1 conv=notrunc status=none
CASE='</title><script>alert(1)</script>' EVIDENCE="$name" \
    DESCRIPTION="$(printf '\u2066"}],"@id":"x"\u0001')" EXAMINER='{{7*7}} {evidence_number} %s%n' \
    NOTES="$(printf 'one\r\ntwo\ttab ]]><!--')" \
    "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/hostile.raw"
jq -nc --arg n "$name" '{action: "moved", from: $n, to: "<td>", place: "\u202e", reason: "\u0000x"}' \
    >"$T/hostile.custody.jsonl"
echo '{"action":"received","from":["a",{"b":1}],"to":17}' >>"$T/hostile.custody.jsonl"
echo 'not JSON' >>"$T/hostile.custody.jsonl"
run exhibit-report -q --format $formats "$T/hostile.manifest.json"
assert_eq "$status" 3
assert_json "$T/hostile.report.json" '[.findings[].code] | index("custody") != null' true
check_outputs "$T/hostile"
assert_lacks "$T/hostile.report.html" "<script"
assert_lacks "$T/hostile.report.html" "<b>&"
assert_contains "$T/hostile.report.html" '&lt;i&gt;\xff\xfe\x1b[31m'
assert_contains "$T/hostile.report.html" "{{7*7}} {evidence_number} %s%n"

echo "== names that are not UTF-8 have their bytes beside them"
bytes=$(printf 'b\351\377')
cp "$T/label.fs" "$T/$bytes.raw"
run exhibit-report -q --format $formats "$T/$bytes.raw"
check_outputs "$T/$bytes"
assert_json "$T/$bytes.report.json" '.report.name_base64' "$(printf '%s' "$bytes" | base64)"
assert_json "$T/$bytes.case.jsonld" '[."@graph"[].name_base64 | strings][0]' \
    "$(printf '%s' "$bytes" | base64)"

echo "== an empty case, and 200 unreadable ranges"
cp "$T/hostile.raw" "$T/empty.raw"
CASE= EVIDENCE= DESCRIPTION= EXAMINER= NOTES= BAD=200 "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/empty.raw"
run exhibit-report -q --format $formats "$T/empty.manifest.json"
check_outputs "$T/empty"
assert_eq "$(grep -c 'type="unreadable"' "$T/empty.dfxml")" 200
assert_eq "$(jq '[."@graph"[] | select(."uco-core:name" == "unreadable range")] | length' \
    "$T/empty.case.jsonld")" 200

if [ -d "$EXHIBIT_SOURCE/../shared/images" ]; then
    echo "== images of other tools, without a manifest"
    require_shared
    for file in "$SHARED"/images/*.E01 "$SHARED"/images/*.dd "$SHARED"/images/*.raw; do
        dir=$T/foreign-${file##*/}
        mkdir "$dir"
        expect 0 exhibit-report -q --format $formats --output-dir "$dir" "$file"
        base=${file##*/}
        check_outputs "$dir/${base%.*}"
    done
else
    echo "left out: no ../shared/images beside the source tree"
fi

if [ -n "${EXHIBIT_SHACL:-}" ] && [ -e "$schemas/case-1.4.0.ttl.gz" ]; then
    echo "== CASE documents against the shapes of the ontology"
    require node
    NODE_PATH=$EXHIBIT_SHACL node "$EXHIBIT_SOURCE/tests/lib/check-case.cjs" \
        "$schemas/case-1.4.0.ttl.gz" "${bundles[@]}" || fail "a CASE document does not conform"
else
    echo "left out: the SHACL shapes (EXHIBIT_SHACL is not set, or no ../shared/schemas)"
fi
