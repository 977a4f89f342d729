#!/bin/bash
# Raw images split by other tools: every usual way to number their files makes one image, a later
# file is refused with the name of the first, and what only looks numbered stays apart.
. "$(dirname "$0")/../lib/system.sh"
require jq split

media=$T/media.raw
mixed_file "$media" 393216 names
sha256=$(sha256_of "$media")

# whole FIRST COUNT: it and those that follow are the media.
whole() {
    expect 0 exhibit-verify --json "$1"
    assert_json "$T/out" .media.hashes.sha256 "$sha256"
    expect 0 exhibit-verify "$1"
    assert_contains "$T/out" " in $2 segment"
}

# parts NAME FIRST COUNT [split options]: split's own names, from the prefix NAME.
parts() {
    local name=$1 first=$2 count=$3 second
    shift 3
    mkdir "$T/p"
    (cd "$T/p" && split "$@" "$media" "$name")
    assert_eq "$(find "$T/p" -type f | wc -l)" "$count"
    whole "$T/p/$first" "$count"
    case $first in
    *_* | *-*) ;;
    *)
        second=$(find "$T/p" -type f -printf '%f\n' | sort | sed -n 2p)
        expect 1 exhibit-verify "$T/p/$second"
        assert_error "is not the first segment of its image"
        ;;
    esac
    rm -r "$T/p"
}

parts d. d.001 4 -b 102400 -d -a 3 --numeric-suffixes=1
parts d. d.000 4 -b 102400 -d -a 3
parts d. d.01 4 -b 102400 -d -a 2 --numeric-suffixes=1
parts d.dd. d.dd.001 4 -b 102400 -d -a 3 --numeric-suffixes=1
parts d. d.1 4 -b 102400 -d -a 1 --numeric-suffixes=1
parts d. d.00000 4 -b 102400 -d -a 5
parts d_ d_1 4 -b 102400 -d -a 1 --numeric-suffixes=1
parts d_ d_001 4 -b 102400 -d -a 3 --numeric-suffixes=1
parts d- d-00 4 -b 102400 -d -a 2
parts d. d.aa 4 -b 102400
parts d. d.aaa 4 -b 102400 -a 3
parts x xaa 4 -b 102400
# split makes its names longer where they would run out.
parts d. d.00 96 -b 4096 -d
parts d. d.aa 768 -b 512

# In capitals; and one that is missing is missed.
mkdir "$T/p"
split -b 102400 "$media" "$T/p/u."
for f in "$T"/p/u.??; do
    mv "$f" "$T/p/u.A$(echo "${f: -1}" | tr a-z A-Z)"
done
whole "$T/p/u.AA" 4
rm "$T/p/u.AB"
expect 3 exhibit-verify --json "$T/p/u.AA"
assert_json "$T/out" .verdict incomplete
assert_contains "$T/out" "'u.AB': the segment is missing"

# Two disks, and files that have nothing to do with each other.
head -c 65536 "$media" >"$T/p/disk_1"
head -c 131072 "$media" >"$T/p/disk_2"
for disk in disk_1 disk_2; do
    expect 0 exhibit-verify "$T/p/$disk"
    assert_contains "$T/out" " in 1 segment"
done
cp "$media" "$T/p/other.dd"
cp "$media" "$T/p/other.dc"
whole "$T/p/other.dd" 1
