# Without root: a file is imaged as oneself; a device is not to be had.
. "$(dirname "$0")/../lib/system.sh"
require_root
require setpriv ewfverify jq
own_programs
random_file "$T/src" 3145728
mkdir "$T/d" "$T/closed"
chown 65534:65534 "$T/d"
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups env -u SUDO_UID -u SUDO_GID "$@"
}

expect 0 as_nobody exhibit acquire "$T/src" "$T/d/x"
expect 0 ewfverify -q "$T/d/x.E01"
assert_json "$T/d/x.manifest.json" .case.user.uid 65534
assert_json "$T/d/x.manifest.json" .acquisition.sandbox.uid 65534
assert_eq "$(stat -c %u "$T/d/x.E01")" 65534 "owner of the image"
assert_eq "$(stat -c %a "$T/d/x.E01")" 644 "mode of the image"

# sudo's word counts only from root.
expect 0 as_nobody env SUDO_UID=0 SUDO_GID=0 exhibit acquire "$T/src" "$T/d/y"
assert_json "$T/d/y.manifest.json" .case.user.uid 65534

expect 1 as_nobody exhibit acquire "$T/src" "$T/closed/x"
assert_error "closed/x"
assert_only "$T/closed"
chmod 600 "$T/src"
expect 1 as_nobody exhibit acquire "$T/src" "$T/d/z"
assert_error "ermission denied"
assert_missing "$T/d/z.partial"

require_loop
attach "$T/src"
expect 1 as_nobody exhibit acquire "$DEV" "$T/d/z"
assert_error "ermission denied"
assert_missing "$T/d/z.partial"
assert_eq "$(blockdev --getro "$DEV")" 0 "read-only flag"
expect 1 as_nobody exhibit release "$DEV"
