#!/bin/bash
# A parser that dies, hangs, lies or talks too much costs one volume's figures, never the report.
. "$(dirname "$0")/../lib/system.sh"
require jq sgdisk mkfs.ext4

# A disk of three partitions; the middle one is poisonous to the parsers below.
truncate -s 32M "$T/disk.raw"
sgdisk -n 1:2048:+4M -n 2:0:+4M -n 3:0:+4M "$T/disk.raw" >/dev/null
truncate -s 4M "$T/fs"
mkfs.ext4 -q -F "$T/fs"
for at in 1 5 9; do
    dd if="$T/fs" of="$T/disk.raw" bs=1M seek=$at conv=notrunc status=none
done

# with_parser NAME: programs in $T/NAME, of which the parser is a script (stdin) that stands in for
# the true one; \$REAL runs that.
with_parser() {
    mkdir -p "$T/$1" "$T/$1.out"
    cp "$EXHIBIT_BIN/exhibit-report" "$T/$1/"
    {
        echo '#!/bin/bash'
        echo "real() { exec '$EXHIBIT_BIN/exhibit-parser' \"\$@\"; }"
        # Only the second partition, from byte 5 MiB on.
        echo '[ "$2" = volume ] && [ "$6" = 5242880 ] || real "$@"'
        cat
    } >"$T/$1/exhibit-parser"
    chmod +x "$T/$1/exhibit-parser"
}

# hostile NAME CODE [options]: the report is whole but for that volume, whose finding is CODE.
hostile() {
    local name=$1 code=$2
    shift 2
    echo "== $name"
    expect 3 "$T/$name/exhibit-report" -q --output-dir "$T/$name.out" "$@" "$T/disk.raw"
    local json=$T/$name.out/disk.report.json
    assert_json "$json" '[.findings[].code] | join(" ")' "$code"
    assert_json "$json" '.findings[0].subject' "partition 5 (slot 001)"
    assert_json "$json" '[.volumes[].complete] | map(tostring) | join(" ")' "true false true"
    assert_json "$json" '[.volumes[0, 2].file_system.type] | join(" ")' "ext4 ext4"
    grep -q 'partition 5 (slot 001)' "$T/$name.out/disk.report.html" || fail "not in the page"
}

with_parser crash <<<'kill -SEGV $$'
hostile crash parser-crash

with_parser leaves <<<'exit 0'
hostile leaves parser-crash

with_parser hang <<<'sleep 60'
start=$SECONDS
hostile hang parser-timeout --deadline 6
[ $((SECONDS - start)) -lt 50 ] || fail "the hanging parser was waited for"

echo "== many that hang: after eight, no further one is looked into"
truncate -s 32M "$T/many.raw"
args=()
for i in $(seq 12); do
    args+=(-n "$i:0:+1M")
done
sgdisk "${args[@]}" "$T/many.raw" >/dev/null
mkdir "$T/all" "$T/all.out"
cp "$EXHIBIT_BIN/exhibit-report" "$T/all/"
cat >"$T/all/exhibit-parser" <<END
#!/bin/bash
[ "\$2" = table ] && exec '$EXHIBIT_BIN/exhibit-parser' "\$@"
sleep 60
END
chmod +x "$T/all/exhibit-parser"
expect 3 "$T/all/exhibit-report" -q --output-dir "$T/all.out" --deadline 2 "$T/many.raw"
assert_json "$T/all.out/many.report.json" \
    '[.findings[].code] | group_by(.) | map("\(.[0]) \(length)") | join(", ")' \
    "not-parsed 4, parser-timeout 8"

with_parser chatter <<<'while :; do echo "{\"kind\":\"progress\",\"done\":0,\"total\":0}"; done'
hostile chatter parser-timeout --deadline 6

with_parser flood <<<'yes "{\"kind\":\"finding\",\"code\":\"x\",\"text\":\"y\"}" | head -c 200000000'
expect 3 "$T/flood/exhibit-report" -q --output-dir "$T/flood.out" "$T/disk.raw"
assert_json "$T/flood.out/disk.report.json" '.findings | length <= 1001' true

with_parser long <<<'head -c 1000000 /dev/zero | tr "\0" x; sleep 60'
hostile long parser-nonsense

with_parser nonsense <<<'echo hello; sleep 60'
hostile nonsense parser-nonsense

with_parser huge <<<'echo "{\"kind\":\"unallocated\",\"blocks\":9e99,\"bytes\":-1}"; sleep 60'
hostile huge parser-nonsense

with_parser misplaced <<<'echo "{\"kind\":\"part\",\"index\":0,\"start\":0,\"length\":1}"; sleep 60'
hostile misplaced parser-nonsense

with_parser impossible <<<'echo "{\"kind\":\"volume-slack\",\"tally\":{\"areas\":1,\"bytes\":99999999999}}"'
hostile impossible parser-nonsense

with_parser overflow <<'END'
n=9223372036854775807
hist=$(for i in $(seq 256); do printf '%s,' $n; done)
echo "{\"kind\":\"volume-slack\",\"tally\":{\"areas\":$n,\"bytes\":$n,\"hist\":[${hist%,}]}}"
END
hostile overflow parser-nonsense

echo "== figures so far are kept when the rest never comes"
with_parser partly <<<"(real \"\$@\") | grep '\"slack\":{' |
    sed 's/\"incomplete\":false/\"incomplete\":true/'; sleep 60"
hostile partly parser-timeout --deadline 6
assert_json "$T/partly.out/disk.report.json" '.volumes[1].slack | .incomplete, .allocated.files > 0' \
    $'true\ntrue'
assert_contains "$T/partly.out/disk.report.html" 'could not be read to the end'

echo "== names that would reach out of the page"
cat >"$T/label" <<'END'
{"kind":"fs","type":"ext4","label":"<script>alert(1)</script>\u202egnp.exe\u001b[31m","id":"\"onload=\"x","block_size":1024,"cluster_size":1024,"block_count":1,"first_block":0,"last_block":0,"first_inode":0,"last_inode":0}
{"kind":"end"}
END
with_parser names <<<"cat '$T/label'"
expect 0 "$T/names/exhibit-report" -q --output-dir "$T/names.out" "$T/disk.raw"
page=$T/names.out/disk.report.html
assert_lacks "$page" '<script'
assert_lacks "$page" $'\u202e'
assert_lacks "$page" $'\e'
assert_lacks "$page" '"onload'
assert_contains "$page" '<bdi>&lt;script&gt;alert(1)&lt;/script&gt;\u{202e}gnp.exe\x1b[31m</bdi>'
# The JSON keeps what is there.
assert_json "$T/names.out/disk.report.json" '.volumes[1].file_system.label | contains("\u202e")' true

echo "== interrupted: exit 4, no file"
with_parser slow <<<'sleep 60'
"$T/slow/exhibit-report" -q --output-dir "$T/slow.out" "$T/disk.raw" 2>"$T/err" &
pid=$!
parses() { catches "$pid" INT && [ -n "$(child_of "$pid" sleep)" ]; }
wait_until 20 parses
kill -INT "$pid"
status=0
wait "$pid" || status=$?
assert_eq "$status" 4 "exit code"
assert_eq "$(ls -A "$T/slow.out")" "" "files left behind"

echo "== no parser: one line, exit 1, no file"
mkdir "$T/alone" "$T/alone.out"
cp "$EXHIBIT_BIN/exhibit-report" "$T/alone/"
expect 1 "$T/alone/exhibit-report" -q --output-dir "$T/alone.out" "$T/disk.raw"
assert_error exhibit-parser
assert_eq "$(ls -A "$T/alone.out")" ""
