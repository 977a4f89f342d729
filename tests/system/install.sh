# What `cmake --install` puts in place works from there: programs find each other, pages are read.
. "$(dirname "$0")/../lib/system.sh"
require cmake mandoc jq
expect 0 cmake --install "$EXHIBIT_BIN/.." --prefix "$T/usr"

# The directory of the build must not be what is used.
PATH=$T/usr/bin:${PATH#"$EXHIBIT_BIN":}
random_file "$T/src" 2097152
for program in "$EXHIBIT_BIN"/exhibit*; do
    name=${program##*/}
    [ -x "$T/usr/bin/$name" ] || [ -x "$T/usr/libexec/exhibit/$name" ] ||
        fail "$name is not installed"
done
expect 0 exhibit acquire "$T/src" "$T/x"
assert_json "$T/x.manifest.json" .verification.status passed
expect 0 exhibit verify "$T/x.manifest.json"
mkdir "$T/report"
run exhibit report "$T/x.manifest.json" --format html,json --output-dir "$T/report"
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "report ended with $status"
[ -n "$(find "$T/report" -name '*.html')" ] || fail "there is no HTML page"
expect 0 exhibit devices --json
jq -e . "$T/out" >/dev/null || fail "devices --json is not JSON"
for page in "$EXHIBIT_SOURCE"/docs/man/*.[158]; do
    assert_exists "$T/usr/share/man/man${page##*.}/${page##*/}"
done
assert_exists "$T/usr/share/doc/exhibit/examples/exhibitd.conf"
