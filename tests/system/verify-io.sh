# A medium that gives some of the image no more: the chunks that lie there are named, the rest is
# checked all the same.
. "$(dirname "$0")/../lib/system.sh"
require ewfacquire jq

media=$T/media.raw
random_file "$media" 4194304 io
ewfacquire -u -q -c none -t "$T/i" "$media" >"$T/log" 2>&1 </dev/null

# 4 KiB at 1 MiB of the file, and 512 bytes further on, which take their page with them.
fault_map "$T/map" "$(stat -c %s "$T/i.E01")" 1048576 4096 2097152 512
serve "$T/i.E01" --filter=ddrescue file "$T/i.E01" ddrescue-mapfile="$T/map"
expect 3 exhibit-verify --json "$SERVED"
assert_json "$T/out" .verdict failed
assert_json "$T/out" '.checks[] | select(.name == "structure").status' passed
assert_json "$T/out" '.checks[] | select(.name == "chunks").status' failed
assert_contains "$T/out" 'cannot be read'
# Each damaged chunk really touches what cannot be read, and they stand in order.
assert_json "$T/out" '[.checks[] | select(.name == "chunks").damage[] |
    select(.state != "unreadable" or
        ((.file_offset >= 1052672 or .file_offset + 32772 <= 1048576) and
         (.file_offset >= 2101248 or .file_offset + 32772 <= 2097152)))] | length' 0
assert_json "$T/out" '.checks[] | select(.name == "chunks").damage |
    . == sort_by(.offset) and length >= 2 and length <= 4' true

# Where the very beginning is gone there is no image to speak of.
fault_map "$T/map" "$(stat -c %s "$T/i.E01")" 0 4096
serve "$T/i.E01" --filter=ddrescue file "$T/i.E01" ddrescue-mapfile="$T/map"
expect 1 exhibit-verify "$SERVED"
assert_error 'Input/output error'
