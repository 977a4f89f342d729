# A partitioned disk goes to an E01, and every judge agrees: ewfverify, ewfinfo, md5sum, sha256sum,
# ddrescuelog, mmls. The write block is set, told truly, stays, and can be lifted.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require ewfverify ewfinfo ddrescuelog mmls jq
sample_disk
cp --sparse=always "$DISK" "$T/disk"
DISK=$T/disk
attach "$DISK"
md5=$(md5_of "$DISK")
sha256=$(sha256_of "$DISK")
mkdir "$T/case"

expect 0 exhibit acquire "$DEV" "$T/case/EV-01" --case 2026-017 --evidence "EV 01" \
    --description "grey disk, Größe unbekannt" --examiner "A. Examiner" --notes "none" \
    --meta seal=S-4711 --meta "place=Room 5"
assert_contains "$T/out" "$md5"
assert_contains "$T/out" "$sha256"
assert_only "$T/case" EV-01.E01 EV-01.custody.jsonl EV-01.manifest.json EV-01.log EV-01.map EV-01.md5 EV-01.sha256

cd "$T/case"
expect 0 ewfverify -q EV-01.E01
expect 0 ewfverify EV-01.E01
assert_contains "$T/out" SUCCESS
[ "$(grep -c "$md5" "$T/out")" -eq 2 ] || fail "ewfverify does not give our MD5 twice"
expect 0 ewfinfo EV-01.E01
for text in "2026-017" "EV 01" "A. Examiner" "grey disk" "EnCase 6" "$md5"; do
    assert_contains "$T/out" "$text"
done
expect 0 md5sum -c --strict EV-01.md5
expect 0 sha256sum -c --strict EV-01.sha256
expect 0 ddrescuelog -D EV-01.map
mmls "$DISK" >"$T/rows"
mmls EV-01.E01 | diff - "$T/rows" || fail "mmls sees another table in the image"
assert_contains EV-01.log "$sha256"
assert_contains EV-01.log "S-4711"

m=EV-01.manifest.json
size=$(stat -c %s "$DISK")
assert_json $m .schema exhibit.manifest/1
assert_json $m .case.case_number 2026-017
assert_json $m .case.description "grey disk, Größe unbekannt"
assert_json $m '.case.meta.seal + .case.meta.place' "S-4711Room 5"
assert_json $m .case.user.uid "${SUDO_UID:-$(id -u)}"
assert_json $m .source.kind device
assert_json $m .source.size "$size"
assert_json $m .source.offset 0
assert_json $m .source.sectors $((size / 512))
assert_json $m .source.logical_sector_size 512
assert_json $m .image.format e01
assert_json $m .image.media_size "$size"
assert_json $m '.image.segments | length' 1
assert_json $m '.image.segments[0].sha256' "$(sha256_of EV-01.E01)"
assert_json $m '.image.segments[0].md5' "$(md5_of EV-01.E01)"
assert_json $m '.image.segments[0].size' "$(stat -c %s EV-01.E01)"
assert_json $m '.image.segments[0].media_length' "$size"
assert_json $m .media.hashes.md5 "$md5"
assert_json $m .media.hashes.sha256 "$sha256"
assert_json $m '.unreadable | [.sectors, (.ranges | length), .fill] | tostring' '[0,0,"zero"]'
assert_json $m .verification.status passed
assert_json $m '.acquisition.sandbox | [.no_new_privs, .seccomp] | all' true
assert_json $m .acquisition.mode stream
assert_json $m .acquisition.direct_io true
assert_json $m '.acquisition | .started <= .finished' true

# The block: not there before, there during and after, on the disk and its partitions.
assert_best_write_block "$m" .write_block.level
assert_json $m '.write_block.read_only_flag | [.before, .during, .after] | tostring' \
    '[false,true,true]'
# Whether the kernel lets it count is the machine's to say; vm/monitor.sh looks at the figures.
assert_json "$m" '.write_block.monitor | if .available then .reads > 0 and .writes == 0
    else .reads == null and (.missing | length) > 0 end' true
for node in "$DEV" "$DEV"p*; do
    [ -b "$node" ] || continue
    assert_eq "$(blockdev --getro "$node")" 1 "read-only flag of $node"
done
if dd if=/dev/zero of="$DEV" bs=512 count=1 conv=notrunc 2>"$T/err"; then
    fail "the device can be written"
fi

# What the supervisor saw itself names the manifest by its hash.
record=$(grep -o '/var/lib/exhibit/records/.*\.json' EV-01.log)
at_exit rm -f "$record"
assert_json "$record" .manifest_sha256 "$(sha256_of $m)"
assert_json "$record" .write_block "$(json "$m" .write_block.level)"

expect 0 exhibit release "$DEV"
for node in "$DEV" "$DEV"p*; do
    [ -b "$node" ] || continue
    assert_eq "$(blockdev --getro "$node")" 0 "read-only flag of $node after the release"
done
assert_eq "$(md5_of "$DISK")" "$md5" "the source itself"
