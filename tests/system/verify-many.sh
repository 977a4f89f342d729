# Several images in one call: each is checked, the gravest counts, a table at the end, an array in
# JSON; progress runs over all of them.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire jq

random_file "$T/src.raw" 2097152 many
for name in a b c; do
    ewfacquire -u -q -t "$T/$name" "$T/src.raw" >"$T/log" 2>&1 </dev/null
done
flip_byte "$T/b.E01" 1000000

expect 0 exhibit verify "$T/a.E01" "$T/src.raw"
expect 3 exhibit verify "$T/a.E01" "$T/b.E01" "$T/src.raw"
sed -n '/^VERDICT/,$p' "$T/out" >"$T/table"
assert_eq "$(tail -n +2 "$T/table" | cut -d' ' -f1 | tr '\n' ' ')" "passed failed unreferenced "
assert_contains "$T/table" chunks
expect 1 exhibit verify "$T/a.E01" "$T/none.E01" "$T/b.E01"
sed -n '/^VERDICT/,$p' "$T/out" >"$T/table"
assert_eq "$(tail -n +2 "$T/table" | cut -d' ' -f1 | tr '\n' ' ')" "passed error failed "

expect 3 exhibit verify --json "$T/a.E01" "$T/b.E01" "$T/src.raw"
assert_json "$T/out" 'map(.verdict) | join(" ")' "passed failed unreferenced"
expect 1 exhibit verify --json "$T/a.E01" "$T/none.E01"
assert_json "$T/out" '.[1].error != null' true
expect 0 exhibit verify --json "$T/a.E01"
assert_json "$T/out" type object

expect 3 exhibit verify --progress json "$T/a.E01" "$T/b.E01" "$T/c.E01"
grep '^{' "$T/err" | jq -s . >"$T/progress"
assert_json "$T/progress" 'map(.bytes_total) | unique | join(" ")' 6291456
assert_json "$T/progress" 'map(.bytes_done) | . == sort and last == 6291456' true
# One verdict a line, and no table, where only that was asked for.
expect 3 exhibit verify -q "$T/a.E01" "$T/b.E01" "$T/c.E01"
assert_eq "$(grep -c . "$T/out")" 3 "lines with -q"
