#!/bin/bash
# A job on a device goes on only with that device: another size, another identity in the journal, or
# other bytes in what is imaged already are refused, and nothing of the job is touched. A promise that the
# disk has broken is noticed.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq perl sha256sum
size=$((24 * 1048576))
random_file "$T/src" "$size"
cp "$T/src" "$T/other"
flip_byte "$T/other" 700
head -c $((size - 4096)) "$T/src" >"$T/short"
mkdir "$T/d" "$T/more"
# Slow, so that there is a middle to end in.
slow_device "$T/src" 100ms
disk=$DEV

# begun ARGUMENTS...: a job that ends in the middle, with parts that its journal promises.
begun() {
    rm -rf "$T/d"/* "$T/more"/*
    exhibit acquire "$disk" "$T/d/x" --quiet "$@" >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    until grep -aqs '"segment"' "$T/d/x.partial/x.journal"; do
        kill -0 $front 2>/dev/null || fail "the job has ended before it could be interrupted"
    done
    kill -INT $front
    status=0
    wait $front || status=$?
    assert_eq $status 4 "exit code"
    rm -rf "$T/kept"
    cp -a "$T/d/x.partial" "$T/kept"
}

# refused TEXT DEVICE
refused() {
    expect 5 exhibit acquire --resume "$2" "$T/d/x"
    assert_contains "$T/err" "$1"
    # The last segment of an E01 is made anew in any case: the first ones are enough here.
    for file in "$T/kept"/x.*0[1-4]; do
        grep -aq "\"segment\".*\"${file##*/}\"" "$T/kept/x.journal" || continue
        assert_same_bytes "$file" "$T/d/x.partial/${file##*/}"
    done
}

# edit_journal FROM TO: as if the job had begun with another device; the lines' checks are made anew.
edit_journal() {
    perl -MDigest::SHA=sha256_hex -i -e 'BEGIN { ($from, $to) = splice @ARGV, 0, 2; $check = "" }
        while (<>) {
            s/\Q$from\E/$to/ if $. == 1;
            s/,"check":"[0-9a-f]*"\}\n$// or die "line $.";
            $check = substr sha256_hex($check . $_), 0, 32;
            print "$_,\"check\":\"$check\"}\n";
        }' "$1" "$2" "$T/d/x.partial/x.journal"
}

attach "$T/other"
other=$DEV
attach "$T/short"
short=$DEV
for format in e01 raw; do
    begun --format $format --segment-size 2M
    refused "size" "$short"
    refused "is not what was imaged before" "$other"
    edit_journal '"serial":""' '"serial":"WD-OTHER"'
    refused "serial" "$disk"
    edit_journal '"serial":"WD-OTHER"' '"serial":""'
    # The same disk under another name is the same disk.
    attach "$T/src"
    expect 0 exhibit acquire --resume "$DEV" "$T/d/x" --quiet
    assert_json "$T/d/x.manifest.json" .media.hashes.sha256 "$(sha256_of "$T/src")"
    # What a closed segment promised is gone, though it has its size.
    begun --format $format --segment-size 2M
    first=$(find "$T/d/x.partial" -name 'x.*01')
    dd if=/dev/zero of="$first" bs=64k seek=5 count=1 conv=notrunc status=none
    run exhibit acquire --resume "$disk" "$T/d/x" --quiet
    [ "$status" -eq 1 ] || [ "$status" -eq 5 ] || fail "a damaged segment: exit $status"
    assert_missing "$T/d/x.manifest.json"
done
