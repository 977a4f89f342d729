# The units for systemd: well-formed, and shut off as far as they can be. systemd itself judges.
. "$(dirname "$0")/../lib/system.sh"
require systemd-analyze
units=$T/root/usr/lib/systemd/system
mkdir -p "$units"
cp "$EXHIBIT_BIN"/../system/*.service "$EXHIBIT_BIN"/../system/*.socket "$units"
# The programs that they name stand where they will be installed.
sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$units"/*.service | while read -r program; do
    mkdir -p "$T/root${program%/*}"
    cp "$EXHIBIT_BIN/${program##*/}" "$T/root$program"
done
for unit in "$units"/*; do
    run systemd-analyze verify --man=no --recursive-errors=no --root="$T/root" "$unit"
    # What is missing in this bare root are the units of other packages.
    if grep -vE 'Unit [^ ]+ not found|Failed to (create|add)|to load.*target|^$' "$T/err" | grep -F "${unit##*/}"; then
        fail "${unit##*/} is not well-formed"
    fi
done

# exposure UNIT: ten times systemd's measure, 0 (shut off) to 100.
exposure() {
    systemd-analyze security --offline=yes --root="$T/root" --no-pager "$1" 2>/dev/null |
        sed -n 's/.*exposure level for [^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}
e=$(exposure "$units/exhibitd.service")
[ -n "$e" ] || skip "this systemd-analyze measures no files"
echo "exhibitd.service: $e, exhibit-evidence.service: $(exposure "$units/exhibit-evidence.service")"
[ "$e" -le 60 ] || fail "exhibitd.service is at $e of 100"
[ "$(exposure "$units/exhibit-evidence.service")" -le 30 ] || fail "exhibit-evidence.service is too open"
