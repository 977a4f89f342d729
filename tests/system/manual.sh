# Each program's --help and its manual page name the same options, and the pages are well-formed.
. "$(dirname "$0")/../lib/system.sh"
require mandoc

pages=$EXHIBIT_SOURCE/docs/man

# The long options of a page's lists: ".It Fl q , Fl -quiet".
in_page() {
    grep '^\.It Fl' "$1" | grep -oE 'Fl -[a-z0-9-]+' | sed 's/^Fl /-/' | sort -u
}

# Those of a help text: each stands at the start of its line, after a short form perhaps.
in_help() {
    sed -nE 's/^ +(-[a-zA-Z], +)?(--[a-z0-9-]+).*/\2/p' "$1" | sort -u
}

# compare PAGE COMMAND...: its --help with that page.
compare() {
    local page=$1
    shift
    assert_exists "$page"
    expect 0 "$@" --help
    in_help "$T/out" >"$T/help"
    in_page "$page" >"$T/page"
    [ -s "$T/help" ] || fail "no options found in the help of $*"
    diff "$T/help" "$T/page" >"$T/diff" ||
        fail "$*: --help (<) and manual page (>) differ: $(grep '^[<>]' "$T/diff" | tr '\n' ' ')"
    compared=$((compared + 1))
}

compared=0
expect 0 exhibit --help
for command in $(sed -nE 's/^  ([a-z]+) .*/\1/p' "$T/out"); do
    compare "$pages/exhibit-$command.1" exhibit "$command"
done
compare "$pages/exhibitd.8" exhibitd
[ "$compared" -ge 15 ] || fail "only $compared commands compared"

# Every command of the dispatcher is in exhibit(1), and the other way round.
expect 0 exhibit --help
sed -nE 's/^  ([a-z]+) .*/\1/p' "$T/out" | sort >"$T/help"
sed -nE 's/^\.It Cm ([a-z]+)$/\1/p' "$pages/exhibit.1" | sort >"$T/page"
diff "$T/help" "$T/page" || fail "the commands of --help (<) and exhibit(1) (>) differ"

for page in "$pages"/*.[158]; do
    mandoc -T lint -W warning "$page" >"$T/lint" || fail "${page##*/}: $(cat "$T/lint")"
done
