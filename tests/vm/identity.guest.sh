# In the virtual machine: what `exhibit devices` and a job's papers say of the drives, and that
# asking them writes nothing.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"

exhibit() { "$EXHIBIT_BIN/exhibit" "$@"; }
field() { jq -c ".[] | select(.path == \"$1\") | .$2" "$T/devices"; }
smart=/usr/sbin/smartctl
# Without smartmontools on the host, what it would say is left out below.
has_smart() { [ -x "$smart" ]; }

# USB is slow to come up, and the kernel numbers disks as they come.
all_there() { [ "$(cat /sys/block/*/size 2>/dev/null | grep -cx 16384)" -eq 6 ]; }
wait_until 60 all_there
disks=$(cd /sys/block && grep -lx 16384 ./*/size | cut -d/ -f2)
written() { for d in $disks; do awk -v d="$d" '{ print d, $5, $7, $12, $14 }' "/sys/block/$d/stat"; done; }
written >"$T/written"

expect 0 exhibit devices --json
cp "$T/out" "$T/devices"
sata=$(jq -r '.[] | select(.bus == "ata") | .path' "$T/devices")

# ATA: the drive's own words, and what it hides.
assert_eq "$(field "$sata" serial)" '"SATA0001"'
assert_eq "$(field "$sata" wwn)" '"naa.5000c50015ea71aa"'
assert_eq "$(field "$sata" 'drive.serial')" '"SATA0001"'
assert_eq "$(field "$sata" 'drive.sectors')" 16384
assert_eq "$(field "$sata" 'hidden.hpa')" 0
assert_eq "$(field "$sata" 'hidden.dco')" 0
assert_eq "$(field "$sata" 'hidden.native_sectors')" 16384
assert_eq "$(field "$sata" bridge)" null

# NVMe: each namespace names the other.
assert_eq "$(field /dev/nvme0n1 'other_areas[0]["name","kind"]')" $'"nvme0n2"\n"NVMe namespace"'
assert_eq "$(field /dev/nvme0n2 'other_areas[0].name')" '"nvme0n1"'
assert_eq "$(field /dev/nvme0n1 hidden.hpa)" null

# USB: one device with two logical units, one with one.
two=$(jq -r '[.[] | select(.usb.port == "2-2") | .name] | join(" ")' "$T/devices")
assert_eq "$(wc -w <<<"$two")" 2
assert_eq "$(field "/dev/${two% *}" 'other_areas[0].name')" "\"${two#* }\""
usb=$(jq -r '.[] | select(.serial == "USB0001") | .path' "$T/devices")
assert_eq "$(field "$usb" usb.id)" '"46f4:0001"'
assert_eq "$(field "$usb" usb.port)" '"2-3"'
assert_eq "$(field "$usb" 'other_areas')" '[]'
assert_eq "$(field "$usb" hidden.hpa)" null

# Who uses them, and a marked one.
mkdir -p /run/udev/data
dev=$(cat "/sys/block/${usb##*/}/dev")
printf 'E:EXHIBIT_EVIDENCE=1\n' >"/run/udev/data/b$dev"
COLUMNS=80 expect 0 exhibit devices
if sed 's/…/./g' "$T/out" | grep -E '^.{81}'; then fail "the table is too wide"; fi
grep -qE "^$usb .*free, evi" "$T/out" || fail "the mark is not shown"
assert_contains "$T/out" "also of this item: nvme0n2 (NVMe namespace, 8.0 MiB)"
assert_contains "$T/out" "HPA: none"

# Nothing was written, to none of them, nor is anything opened for writing.
written | diff "$T/written" - || fail "something was sent that is no read"
if command -v strace >/dev/null; then
    run strace -f -e trace=open,openat,openat2,creat -o "$T/trace" "$EXHIBIT_BIN/exhibit-devices" --health
    assert_eq "$status" 0
    grep -E '"/dev/(sd|nvme|sg|bsg)' "$T/trace" >"$T/opened" || fail "no drive was opened"
    if grep -v 'O_RDONLY' "$T/opened"; then
        fail "a drive was opened for writing"
    fi
    grep -q "\"$sata\", O_RDONLY|O_NONBLOCK" "$T/opened" || fail "'$sata' was opened so that it can wait"
fi
# Commands need root.
expect 0 setpriv --reuid 65534 --regid 65534 --clear-groups "$EXHIBIT_BIN/exhibit-devices" --json
assert_json "$T/out" ".[] | select(.path == \"$sata\") | .drive" null

# A job: the same in its papers, health before and after.
expect 0 exhibit acquire "$sata" "$T/sata"
m=$T/sata.manifest.json
assert_json "$m" '.source.hidden | [.hpa, .dco] | @csv' '0,0'
assert_json "$m" '.source.drive.serial' SATA0001
assert_json "$m" '.write_block.monitor | if .available then .writes else 0 end' 0
assert_contains "$T/sata.log" "hidden, HPA            none"
if has_smart; then
    assert_json "$m" '.source.smart | [.before.passed, .after.passed] | @csv' 'true,true'
    assert_json "$m" '.source.smart.before | [.temperature, .power_on_hours, .reallocated_sectors] | all(type == "number")' true
    assert_contains "$T/sata.log" "health of the drive after the job: passed"
else
    assert_json "$m" .source.smart null
    assert_json "$m" .source.smart_note "smartctl (smartmontools) is not installed"
fi
expect 0 exhibit acquire /dev/nvme0n1 "$T/nvme"
assert_contains "$T/err" "of the same item, and not in this image: nvme0n2"
assert_contains "$T/err" "TRIM"
assert_contains "$T/nvme.log" "also of this item      nvme0n2 (NVMe namespace, 8.0 MiB)"
assert_json "$T/nvme.manifest.json" '.source.other_areas[0].name' nvme0n2
assert_json "$T/nvme.manifest.json" '.source.trim | length > 0' true
if has_smart; then
    assert_json "$T/nvme.manifest.json" '.source.smart.after | [.passed, .media_errors, .percentage_used] | @csv' 'true,0,0'
fi

# A tool that lies, hangs, floods or dies costs its own answer only.
fake() {
    printf '#!/bin/sh\n%s\n' "$1" >"$T/fake"
    chmod 755 "$T/fake"
    umount "$smart" 2>/dev/null || true
    [ -e "$smart" ] || touch "$smart"
    mount --bind "$T/fake" "$smart"
}
health() { # TEXT: the note, or nothing
    expect 0 exhibit devices --health --json
    jq -e --arg n "$1" ".[] | select(.path == \"$sata\") | .smart == null and (.smart_note | contains(\$n))" \
        "$T/out" >"$T/checked" || fail "no '$1' in $(jq -c ".[] | select(.path == \"$sata\") | .smart_note" "$T/out")"
}
fake 'echo "{\"smart_status\":"'
health "no JSON"
fake 'exec /usr/bin/yes'
health "did not come to its end"
fake 'touch /tmp/written; echo x >/tmp/written2; kill -9 $$'
health "no JSON"
[ ! -s /tmp/written2 ] || fail "smartctl can write files"
