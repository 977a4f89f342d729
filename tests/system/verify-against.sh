# --against: the image beside the device that it came from, held as for an acquisition; or a file.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require ewfacquire jq

# source_check FILTER: of the check `source` in $T/out.
source_check() {
    jq -r ".checks[] | select(.name == \"source\") | $1" "$T/out"
}

random_file "$T/src.raw" 4194304 against
expect 0 exhibit acquire "$T/src.raw" "$T/EV"
expect 0 exhibit acquire "$T/src.raw" "$T/part" --offset 1M --length 2M
ewfacquire -u -q -t "$T/foreign" "$T/src.raw" >"$T/log" 2>&1 </dev/null

# --- the same, through the supervisor
attach "$T/src.raw"
for image in EV.manifest.json EV.E01 foreign.E01; do
    expect 0 exhibit verify --json --against "$DEV" "$T/$image"
    assert_json "$T/out" .verdict passed
    assert_eq "$(source_check .status)" passed
    assert_eq "$(source_check .target)" "$DEV"
    assert_best_write_block "$T/out" .against.write_block
    assert_eq "$(blockdev --getro "$DEV")" 1 "the read-only flag afterwards"
done
record=$(json "$T/out" .against.supervisor_record)
assert_json "$record" .purpose compare
assert_json "$record" .read_only_after.read_only 1
expect 0 exhibit verify --json --against "$DEV" "$T/EV.manifest.json"
record=$(json "$T/out" .against.supervisor_record)
assert_json "$record" .manifest_sha256 "$(sha256_of "$T/EV.manifest.json")"
expect 0 exhibit release "$DEV"

# --- in use, or several images: nothing is done
exec 7<>"$DEV"
expect 5 exhibit verify --against "$DEV" "$T/EV.E01"
assert_error busy
exec 7>&-
assert_eq "$(blockdev --getro "$DEV")" 0 "the flag after a refusal"
expect 2 exhibit verify --against "$DEV" "$T/EV.E01" "$T/foreign.E01"
expect 1 exhibit verify --against "$T/none" "$T/EV.E01"
expect 1 exhibit verify --against /dev/null "$T/EV.E01"

# --- what differs is named, to the sector; an image of the right hash is no better for it
cp "$T/src.raw" "$T/changed.raw"
for at in 5 1048575 2097152 4194303; do
    flip_byte "$T/changed.raw" $at
done
attach "$T/changed.raw"
for source in "$DEV" "$T/changed.raw"; do
    expect 3 exhibit verify --json --against "$source" "$T/EV.E01"
    assert_json "$T/out" .verdict failed
    assert_eq "$(source_check .status)" failed
    assert_eq "$(source_check '.ranges | map("\(.offset)+\(.length)") | join(" ")')" \
        "0+512 1048064+512 2097152+512 4193792+512"
    assert_json "$T/out" '.checks[] | select(.name == "media-hash").status' passed
done
# A word on disks that erase by themselves, where the kernel says that it is one.
expect 3 exhibit verify --json --against "$DEV" "$T/EV.E01"
if [ "$(cat "/sys/block/${DEV##*/}/queue/rotational")" = 0 ]; then
    source_check .detail | grep -q TRIM || fail "no word on TRIM: $(source_check .detail)"
fi

# --- another disk than the manifest's source is said
cp "$T/EV.manifest.json" "$T/kept.json"
jq '.source.serial = "WX51A90P4711"' "$T/kept.json" >"$T/EV.manifest.json"
expect 3 exhibit verify --json --against "$DEV" "$T/EV.manifest.json"
source_check .detail | grep -q "the image's source had 'WX51A90P4711'" ||
    fail "the serial number is not named: $(source_check .detail)"
mv "$T/kept.json" "$T/EV.manifest.json"

# --- another size
truncate -s 4193280 "$T/changed.raw"
cp "$T/src.raw" "$T/longer.raw"
truncate -s 4195328 "$T/longer.raw"
for source in changed longer; do
    expect 3 exhibit verify --json --against "$T/$source.raw" "$T/foreign.E01"
    source_check .detail | grep -q "has $(stat -c %s "$T/$source.raw") bytes" ||
        fail "the size is not named: $(source_check .detail)"
done

# --- a part of the source: it is looked for where the manifest says that it was
expect 0 exhibit verify --json --against "$T/src.raw" "$T/part.E01"
assert_eq "$(source_check .status)" passed
expect 3 exhibit verify --json --against "$T/changed.raw" "$T/part.E01"

# --- unreadable on either side: named, never called equal
fault_map "$T/map" 4194304 1048576 1024
fault_device "$T/src.raw" "$T/map"
expect 3 exhibit acquire "$DEV" "$T/bad"
expect 0 exhibit verify --json --against "$DEV" "$T/bad.E01"
assert_eq "$(source_check .status)" passed
source_check .detail | grep -q '4193280 bytes are the same; not compared: 1024 bytes' ||
    fail "the unreadable sectors are not named: $(source_check .detail)"
expect 0 exhibit verify --json --against "$DEV" "$T/EV.E01"
assert_eq "$(source_check '.not_compared.unreadable_now | map("\(.offset)+\(.length)") | join(" ")')" \
    "1048576+1024"
expect 0 exhibit verify --json --against "$T/src.raw" "$T/bad.E01"
assert_eq "$(source_check '.not_compared.unreadable_at_acquisition[0].length')" 1024

# --- without root a device is not to be had, a file is
if id nobody >/dev/null 2>&1 && command -v setpriv >/dev/null; then
    own_programs
    chmod a+r "$T"/*.E01 "$T/src.raw"
    expect 0 setpriv --reuid nobody --clear-groups "$T/bin/exhibit" verify -q \
        --against "$T/src.raw" "$T/foreign.E01"
    run setpriv --reuid nobody --clear-groups "$T/bin/exhibit" verify --against "$DEV" "$T/EV.E01"
    [ "$status" -ne 0 ] && [ "$status" -ne 3 ] || fail "nobody got the device: $status"
fi
