#!/bin/bash
# A destination that is no Linux file system (NTFS through FUSE: no owners, another rename): a job
# ends there in order, is continued there after a kill, and leaves nothing over.
. "$(dirname "$0")/../lib/system.sh"
require mkfs.ntfs ntfs-3g umount jq sha256sum
require_root
[ -c /dev/fuse ] || skip "no /dev/fuse on this machine"
truncate -s 200M "$T/fs"
mkfs.ntfs -q -F "$T/fs" >/dev/null 2>&1 || skip "cannot make an NTFS here"
mkdir "$T/m"
ntfs-3g "$T/fs" "$T/m" 2>/dev/null || skip "ntfs-3g cannot mount here"
at_exit umount -l "$T/m"
random_file "$T/src" $((48 * 1048576))
want=$(sha256sum "$T/src" | cut -c1-64)

for format in e01 raw; do
    exhibit acquire "$T/src" "$T/m/x" --format $format --segment-size 4M --quiet 2>"$T/err" &
    front=$!
    until [ -e "$T/m/x.partial/x.E04" ] || [ -e "$T/m/x.partial/x.004" ]; do
        kill -0 $front || fail "the job has ended before it could be killed"
    done
    kill -9 $front
    wait $front || true
    expect 5 exhibit acquire "$T/src" "$T/m/x" --quiet
    expect 0 exhibit acquire --resume "$T/src" "$T/m/x" --quiet
    assert_missing "$T/m/x.partial"
    assert_json "$T/m/x.manifest.json" .media.hashes.sha256 "$want"
    assert_json "$T/m/x.manifest.json" .verification.status passed
    assert_json "$T/m/x.manifest.json" '.acquisition.resumed | length' 1
    (cd "$T/m" && sha256sum --quiet -c x.sha256) || fail "the sums"
    # A name that differs in case alone is taken there, or another: never overwritten.
    run exhibit acquire "$T/src" "$T/m/X" --format $format --quiet
    [ "$status" -eq 5 ] || [ "$status" -eq 0 ] || fail "exit code $status"
    (cd "$T/m" && sha256sum --quiet -c x.sha256) || fail "the sums after a second image"
    rm -r "$T/m"/*
done
