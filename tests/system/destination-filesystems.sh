#!/bin/bash
# Destinations that are other file systems than the usual one: without owners (NTFS, exFAT), with other
# renames, names that differ in case alone, or behind a network protocol (SFTP; the server is a local
# process). A job ends there in order, is continued after a kill and after the destination was full, and
# leaves nothing over. What cannot be mounted here is named.
. "$(dirname "$0")/../lib/system.sh"
require umount jq sha256sum
require_root
require_loop
how_many count 2 5 "file systems; being full, and raw too, in check-long only"
all=(sftp ntfs exfat xfs btrfs)
random_file "$T/src" $((40 * 1048576))
want=$(sha256_of "$T/src")
mkdir "$T/m" "$T/share"
# Slow at first (2 MB a second), so that there is a middle to be killed in.
require nbdkit
nbdkit --filter=rate null --help >/dev/null 2>&1 || skip "nbdkit has no rate filter"
serve "$T/src" --filter=rate file "$T/src" rate=8G rate-file="$T/pace"
source=$SERVED

on_device() {
    attach "$T/fs"
    mount "$@" "$DEV" "$T/m"
}

mount_it() {
    rm -f "$T/fs"
    # xfs takes no less; btrfs frees what was removed only later.
    case $1 in xfs | btrfs) truncate -s 320M "$T/fs" ;; *) truncate -s 128M "$T/fs" ;; esac
    case $1 in
    ntfs) mkfs.ntfs -q -F "$T/fs" && ntfs-3g "$T/fs" "$T/m" ;;
    exfat) mkfs.exfat "$T/fs" && attach "$T/fs" && mount.exfat-fuse "$DEV" "$T/m" ;;
    xfs) mkfs.xfs -q "$T/fs" && on_device -t xfs ;;
    btrfs) mkfs.btrfs -q "$T/fs" && on_device -t btrfs ;;
    sftp) mkfs.ext4 -q -F "$T/fs" && attach "$T/fs" && mount "$DEV" "$T/share" &&
        at_exit umount -l "$T/share" && sftp "$T/share" ;;
    esac
}

# sftp DIR: what the server shows of it; no network, the two talk through a pair of pipes.
sftp() {
    mkfifo "$T/pipe"
    /usr/lib/openssh/sftp-server <"$T/pipe" 2>/dev/null | sshfs -f -o passive,reconnect here:"$1" "$T/m" \
        >"$T/pipe" 2>/dev/null &
    wait_until 10 mountpoint -q "$T/m"
}

is_whole() {
    assert_missing "$T/m/x.partial"
    assert_json "$T/m/x.manifest.json" .media.hashes.sha256 "$want"
    assert_json "$T/m/x.manifest.json" .verification.status passed
    assert_json "$T/m/x.manifest.json" '.acquisition.resumed | length' 1
    (cd "$T/m" && sha256sum --quiet -c x.sha256) || fail "the sums"
}

# tried FORMAT
tried() {
    local front
    echo 16M >"$T/pace"
    exhibit acquire "$source" "$T/m/x" --format "$1" --segment-size 4M --quiet 2>"$T/err" &
    front=$!
    until [ -e "$T/m/x.partial/x.E03" ] || [ -e "$T/m/x.partial/x.003" ]; do
        kill -0 $front || fail "the job has ended before it could be killed"
        sleep 0.05
    done
    kill -9 $front
    wait $front 2>/dev/null || true
    echo 8G >"$T/pace"
    expect 5 exhibit acquire "$source" "$T/m/x" --quiet
    expect 0 exhibit acquire --resume "$source" "$T/m/x" --quiet
    is_whole
    # A name that differs in case alone is taken there, or another: never overwritten.
    run exhibit acquire "$source" "$T/m/X" --format "$1" --quiet
    [ "$status" -eq 5 ] || [ "$status" -eq 0 ] || fail "exit code $status"
    (cd "$T/m" && sha256sum --quiet -c x.sha256) || fail "the sums after a second image"
    rm -r "$T/m"/*
    [ -z "${EXHIBIT_LONG:-}" ] || full "$1"
}

# full FORMAT: in the middle; then there is room again.
full() {
    local left
    # Some free what was removed only later.
    for left in 1 2 3; do
        sync -f "$T/m"
        sleep 0.2
        left=$(($(stat -f -c '%a * %S' "$T/m") - 12 * 1048576))
        [ "$left" -le 0 ] || head -c "$left" /dev/zero >>"$T/m/filler"
    done
    expect 4 exhibit acquire "$source" "$T/m/x" --format "$1" --segment-size 4M --quiet \
        --allow-low-space
    # SFTP has no word for it.
    [ "$fs" = sftp ] || assert_contains "$T/err" "o space left"
    rm "$T/m/filler"
    expect 0 exhibit acquire --resume "$source" "$T/m/x" --quiet
    is_whole
    rm -r "$T/m"/*
}

done_on=
for fs in "${all[@]:0:count}"; do
    before=${#cleanups[@]}
    if ! mount_it $fs >"$T/mount.log" 2>&1; then
        echo "not tried, since it cannot be mounted here: $fs ($(tail -n 1 "$T/mount.log"))"
    else
        at_exit umount -l "$T/m"
        for format in e01 ${EXHIBIT_LONG:+raw}; do
            tried "$format"
        done
        done_on+=" $fs"
    fi
    undo $((${#cleanups[@]} - before))
done
[ -n "$done_on" ] || skip "no other file system can be mounted here"
echo "tried:$done_on"
