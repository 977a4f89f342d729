# Under sudo a report is made with the caller's rights, and theirs, where these are enough.
. "$(dirname "$0")/../lib/system.sh"
require_root
require strace
own_programs
random_file "$T/src" 3145728
mkdir "$T/theirs" "$T/roots"
chown 65534:65534 "$T/theirs"
under_sudo() { SUDO_UID=65534 SUDO_GID=65534 "$@"; }
expect 0 exhibit acquire "$T/src" "$T/roots/x" -q

expect 0 under_sudo exhibit report "$T/roots/x.E01" -q --output-dir "$T/theirs"
for f in "$T/theirs"/x.report.*; do
    assert_eq "$(stat -c %u "$f")" 65534 "owner of $f"
done
rm "$T/theirs"/*
# Before anything of the image is parsed, the rights are gone.
if strace -o "$T/probe" true 2>/dev/null; then
    expect 0 under_sudo strace -f -o "$T/trace" "$T/bin/exhibit-report" "$T/roots/x.E01" -q \
        --format text --output-dir "$T/theirs"
    front=$(sed -n '1s/ .*//p' "$T/trace")
    drop=$(grep -n "^$front .*setresuid(65534" "$T/trace" | sed -n '1s/:.*//p')
    parse=$(grep -n "^$front .*open.*x\.E01\"" "$T/trace" | sed -n '1s/:.*//p')
    [ -n "$drop" ] && [ -n "$parse" ] && [ "$drop" -lt "$parse" ] ||
        fail "dropped at line '$drop' of the trace, the image opened at '$parse'"
    rm "$T/theirs"/*
fi

# What only root can write or read is root's to report on.
expect 0 under_sudo exhibit report "$T/roots/x.E01" -q
assert_eq "$(stat -c %u "$T/roots/x.report.html")" 0 "owner of the report"
chmod 600 "$T/roots"/x.manifest.json
expect 0 under_sudo exhibit report "$T/roots/x.E01" -q --output-dir "$T/theirs"
