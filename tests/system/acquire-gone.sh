# A disk that goes away answers like a damaged one where the layers above it know no better (here:
# EIO from a loop device whose server was killed). The job must not take that for bad sectors: it
# ends resumable, in both modes, and goes on when the disk is there again.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq
random_file "$T/disk" 25165824
sha256=$(sha256_of "$T/disk")

for mode in stream rescue; do
    slow_device "$T/disk" 100ms
    options=()
    [ $mode = stream ] || options=(--rescue)
    : >"$T/err"
    exhibit acquire "$DEV" "$T/$mode" --progress json "${options[@]}" >"$T/out" 2>"$T/err" &
    job=$!
    # What never gave a byte has not gone away.
    wait_until 20 grep -q '"bytes_done":[1-9]' "$T/err"
    kill -KILL "$SERVER"
    status=0
    wait $job || status=$?
    assert_eq "$status" 4 "exit code with a disk that went away"
    assert_contains "$T/err" "exhibit acquire --resume"
    undo 2
    serve "$T/disk" file "$T/disk"
    attach_served
    expect 0 exhibit acquire --resume "$DEV" "$T/$mode" --quiet
    assert_json "$T/$mode.manifest.json" .media.hashes.sha256 "$sha256"
    assert_json "$T/$mode.manifest.json" .unreadable.sectors 0
    undo 2
done
