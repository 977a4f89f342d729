#!/bin/bash
# The PDF: archival, whole, with the exhibit and the page's number on each page, whatever the names
# and however many rows; and what happens where it cannot be made.
. "$(dirname "$0")/../lib/system.sh"
require jq sgdisk pdftotext pdfinfo pdffonts weasyprint python3

# pages FILE: their number.
pages() {
    pdfinfo "$1" | awk '/^Pages:/ { print $2 }'
}

# check_pages FILE EXHIBIT CASE: each page names them, and its number.
check_pages() {
    local n i
    n=$(pages "$1")
    for ((i = 1; i <= n; i++)); do
        pdftotext -f $i -l $i -layout "$1" "$T/page.txt"
        assert_contains "$T/page.txt" "Page $i of $n"
        assert_contains "$T/page.txt" "Exhibit $2"
        assert_contains "$T/page.txt" "Case $3"
    done
}

# check_archival FILE: PDF/A-3b by its own word, every font inside, nothing active.
check_archival() {
    pdfinfo "$1" >"$T/info"
    assert_contains "$T/info" "JavaScript:      no"
    assert_contains "$T/info" "Encrypted:       no"
    pdfinfo -meta "$1" >"$T/meta"
    python3 - "$T/meta" <<'END' || fail "the PDF does not call itself PDF/A-3b"
import re, sys
meta = open(sys.argv[1], encoding="utf-8").read()
sys.exit(not (re.search(r"pdfaid:part\W+3\b", meta) and re.search(r"pdfaid:conformance\W+B\b", meta)))
END
    assert_eq "$(pdffonts "$1" | awk 'NR > 2 { print $(NF - 4) }' | sort -u)" yes "fonts that are embedded"
}

# check_inside FILE: no word reaches into the margins, and so none is cut off.
check_inside() {
    pdftotext -bbox "$1" "$T/boxes.html"
    python3 - "$T/boxes.html" <<'END' || fail "a word runs out of the page"
import re, sys
bad = 0
for m in re.finditer(r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>',
                     open(sys.argv[1], encoding="utf-8").read()):
    x0, y0, x1, y1 = map(float, m.groups()[:4])
    # A4, margins of 15 mm at the sides
    if x0 < 42 or x1 > 595.3 - 41 or y0 < 10 or y1 > 842 - 10:
        bad += 1
        print(m.group(0))
sys.exit(bad > 0)
END
}

echo "== long names, right-to-left names, 200 unreadable ranges, 130 partitions"
truncate -s 80M "$T/big.raw"
args=(-S 160)
for i in $(seq 1 130); do
    case $((i % 3)) in
    0) name="A very long partition name $i wwwwwwww" ;;
    1) name="שלום עולם $i" ;;
    2) name="مرحبا بالعالم $i" ;;
    esac
    args+=(-n "$i:0:+64K" -c "$i:$name")
done
sgdisk -a 8 "${args[@]}" "$T/big.raw" >/dev/null
long=$(printf 'Averylongnamewithoutanyspace%.0s' $(seq 1 12))
BAD=200 CASE="תיק 17" EVIDENCE=$long DESCRIPTION="$long $(seq -s ' ' 1 400)" EXAMINER="ד״ר כהן" \
    "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/big.raw"
expect 0 exhibit-report -q --format pdf,json "$T/big.manifest.json"
check_archival "$T/big.report.pdf"
check_pages "$T/big.report.pdf" "${long:0:20}" ""
check_inside "$T/big.report.pdf"
pdftotext -layout "$T/big.report.pdf" "$T/big.txt"
assert_eq "$(grep -c 'A very long partition name' "$T/big.txt")" 43
assert_contains "$T/big.txt" "$(json "$T/big.manifest.json" .media.hashes.sha256)"
for i in 0 100 199; do
    offset=$(jq -r ".unreadable.ranges[$i].offset" "$T/big.manifest.json" |
        sed ':a; s/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/; ta')
    assert_contains "$T/big.txt" "$offset"
done
# The heads of the tables stand on each page that they reach over.
[ "$(grep -c 'First sector  *Last sector' "$T/big.txt")" -ge 3 ] ||
    fail "the partition table's head is not repeated"

echo "== an empty case: the same, with 'not recorded'"
truncate -s 1M "$T/empty.raw"
CASE= EVIDENCE= DESCRIPTION= EXAMINER= NOTES= "$EXHIBIT_SOURCE/tests/lib/mk-manifest" "$T/empty.raw"
expect 0 exhibit-report -q --format pdf "$T/empty.manifest.json"
check_archival "$T/empty.report.pdf"
check_pages "$T/empty.report.pdf" "number not recorded" "number not recorded"
check_inside "$T/empty.report.pdf"

echo "== the same page gets the same identifier, another one another"
fake=$T/weasyprint
printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"%s"\nprintf "%%%%PDF-1.7 fake"\n' "$T/args" >"$fake"
chmod +x "$fake"
echo "weasyprint = $fake" >"$T/fake.conf"
for i in 1 2; do
    expect 0 exhibit-report -q --replace --config "$T/fake.conf" --format pdf,html "$T/empty.manifest.json"
    grep -A1 -e --pdf-identifier "$T/args" | tail -n 1 >"$T/id-$i"
    sha256sum <"$T/empty.report.html" >"$T/page-$i"
    grep -qx 'pdf/a-3b' "$T/args" || fail "no PDF/A was asked for"
    [ "$(wc -c <"$T/id-$i")" -eq 33 ] || fail "the identifier is '$(cat "$T/id-$i")'"
done
if cmp -s "$T/page-1" "$T/page-2"; then
    assert_same_bytes "$T/id-1" "$T/id-2"
else # a second passed between them
    ! cmp -s "$T/id-1" "$T/id-2" || fail "two pages have one identifier"
fi

echo "== it runs without a network"
cat >"$fake" <<'END'
#!/usr/bin/python3
import socket, sys
try:
    socket.socket()
except PermissionError:
    sys.stdout.write("%PDF-1.7 offline")
END
expect 0 exhibit-report -q --replace --config "$T/fake.conf" --format pdf "$T/empty.manifest.json"
assert_contains "$T/empty.report.pdf" offline

echo "== where it is missing, fails or writes something else: an error, and the other outputs"
for how in missing failing other; do
    rm -f "$T"/empty.report.*
    case $how in
    missing) echo "weasyprint = $T/none" >"$T/fake.conf" ;;
    failing) printf '#!/bin/sh\nexit 3\n' >"$fake" ;;
    other) printf '#!/bin/sh\necho nothing\n' >"$fake" ;;
    esac
    [ $how = missing ] || echo "weasyprint = $fake" >"$T/fake.conf"
    expect 1 exhibit-report -q --config "$T/fake.conf" --format pdf,html,json,text "$T/empty.manifest.json"
    assert_error "'empty.report.pdf' was not written"
    assert_missing "$T/empty.report.pdf"
    assert_exists "$T/empty.report.html" "$T/empty.report.json" "$T/empty.report.txt"
done
mkdir "$T/no-programs"
rm -f "$T"/empty.report.*
report=$(command -v exhibit-report)
expect 1 env PATH="$T/no-programs" "$report" -q --format html,pdf "$T/empty.manifest.json"
assert_error "not installed"
assert_exists "$T/empty.report.html"

echo "== a signal ends it while the page is being set"
printf '#!/bin/sh\necho >"%s/started"\nexec sleep 60\n' "$T" >"$fake"
rm -f "$T"/empty.report.*
exhibit-report -q --config "$T/fake.conf" --format pdf "$T/empty.manifest.json" 2>"$T/err" &
pid=$!
wait_until 20 test -e "$T/started"
kill -INT $pid
status=0
wait $pid || status=$?
assert_eq "$status" 4
assert_missing "$T/empty.report.pdf"
