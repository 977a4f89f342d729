#!/bin/bash
# A destination that runs full ends the job with exit 4, wherever that shows: in the middle, or as
# late as in the last bytes. Nothing gets the image's name, and what is left is named.
. "$(dirname "$0")/../lib/system.sh"
require mount umount
require_root
random_file "$T/src" $((12 * 1048576))
mkdir "$T/small"
mount -t tmpfs -o size=4k none "$T/small" || skip "no tmpfs can be mounted"
umount "$T/small"
at_exit umount -q "$T/small"

# into SIZE FORMAT EXIT
into() {
    mount -t tmpfs -o "size=$1" none "$T/small"
    expect "$3" exhibit acquire "$T/src" "$T/small/EV" --format "$2" --allow-low-space
    if [ "$3" -eq 4 ]; then
        assert_contains "$T/err" "o space left"
        assert_contains "$T/err" "EV.partial"
        assert_missing "$T/small/EV.manifest.json"
        assert_missing "$T/small/EV.E01"
        assert_missing "$T/small/EV.raw"
    fi
    umount "$T/small"
}

for format in e01 raw; do
    into 4M "$format" 4
    into 11M "$format" 4
    into 14M "$format" 0
done
# The image fits to the last chunk, its tables and papers do not.
for size in 12288k 12292k 12296k; do
    into "$size" e01 4
done
# A limit of the process (setrlimit(2)) instead of the disk; without it the job goes on.
for format in e01 raw; do
    (ulimit -f 8192 && expect 4 exhibit acquire "$T/src" "$T/$format" --format "$format") || exit 1
    assert_contains "$T/err" "File too large"
    expect 0 exhibit acquire --resume "$T/src" "$T/$format"
done
