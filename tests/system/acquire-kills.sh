#!/bin/bash
# One job, killed whenever its journal has grown, continued each time: a damaged disk, in E01 and raw,
# with a copy. After each kill the end of what was written is destroyed, as a power cut may: what the
# journal has not promised is zeroed or cut, and its last bytes are zeros.
. "$(dirname "$0")/../lib/system.sh"
require jq ewfverify sha256sum ddrescuelog perl
require_root
how_many kills 4 60 "kills of each job, at a journal that has just grown"
seed=${EXHIBIT_SEED:-$$}
RANDOM=$seed
echo "EXHIBIT_SEED=$seed"
size=$((48 * 1048576))
mixed_file "$T/src" $size "$seed"
bad=()
for ((i = 1; i <= 12; i++)); do
    bad+=($((size / 13 * i / 512 * 512)) $((512 * (1 + RANDOM % 3))))
done
fault_map "$T/map" $size "${bad[@]}"
cp "$T/src" "$T/want"
for ((i = 0; i < 24; i += 2)); do
    dd if=/dev/zero of="$T/want" bs=512 seek=$((bad[i] / 512)) count=$((bad[i + 1] / 512)) \
        conv=notrunc status=none
done
want=$(sha256sum "$T/want" | cut -c1-64)
fault_device "$T/src" "$T/map"
mkdir "$T/d" "$T/c"

lines() { { wc -l <"$1"; } 2>/dev/null || echo 0; }

# destroy DIR: the last file of the image is not promised by the journal; nor is the journal's end.
destroy() {
    local last size
    last=$(find "$1" -name 'x.E*' -o -name 'x.0*' | sort | tail -n 1)
    # An E01's last segment is never promised before the end; of a raw one, no more than its journal says.
    if [ -n "$last" ] && [ "${last%.E*}" != "$last" ] && ! grep -q "${last##*/}" "$1/x.journal"; then
        size=$(stat -c %s "$last")
        if [ $((RANDOM % 2)) -eq 0 ]; then
            truncate -s $((size / 2)) "$last"
        else
            truncate -s $((size / 2)) "$last"
            truncate -s "$size" "$last"
        fi
    fi
    head -c $((RANDOM % 5000)) /dev/zero >>"$1/x.journal"
}

# killed COMMAND...: true if the job was killed before its end; some more lines and it dies.
killed() {
    local before journal=$T/d/x.partial/x.journal pids
    before=$(lines "$journal")
    "$@" >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    until [ "$(lines "$journal")" -gt $((before + 2 + RANDOM % 3)) ]; do
        if ! kill -0 $front 2>/dev/null; then
            status=0
            wait $front || status=$?
            [ $status -eq 3 ] || fail "exit code $status: $*"
            return 1
        fi
    done
    pids="$front $(child_of $front exhibit-worker) $(child_of $front exhibit-supervisor)"
    # shellcheck disable=SC2086 # several, or one of them alone
    if [ $((RANDOM % 2)) -eq 0 ]; then
        kill -9 $pids 2>/dev/null || true
    else
        kill -9 $front 2>/dev/null || true
    fi
    wait $front 2>/dev/null || true
    for pid in $pids; do
        wait_until 20 bash -c "! kill -0 $pid 2>/dev/null"
    done
    # A process that had just been started when the others were listed lets go a moment later.
    wait_until 20 is_free "$DEV"
    # So late that the image had its name: it may have been about to clear away.
    if [ -e "$T/d/x.manifest.json" ]; then
        [ ! -d "$T/d/x.partial" ] || expect 3 exhibit acquire --resume "$DEV" "$T/d/x"
        return 1
    fi
}

for format in e01 raw; do
    n=0
    # A job that was over before it could be killed is begun anew.
    for ((try = 0; try < 20 && n == 0; try++)); do
        rm -r "$T/d" "$T/c"
        mkdir "$T/d" "$T/c"
        job=(exhibit acquire "$DEV" "$T/d/x" --copy "$T/c/x" --format $format --segment-size 4M)
        ! killed "${job[@]}" || n=1
    done
    [ $n -eq 1 ] || fail "the job was always over before it could be killed"
    while :; do
        destroy "$T/d/x.partial"
        [ ! -d "$T/c/x.partial" ] || destroy "$T/c/x.partial"
        job=(exhibit acquire --resume "$DEV" "$T/d/x")
        if [ $n -ge "$kills" ]; then
            expect 3 "${job[@]}"
            break
        fi
        killed "${job[@]}" || break
        n=$((n + 1))
    done
    echo "$format: $n kills"
    for dir in "$T/d" "$T/c"; do
        assert_missing "$dir/x.partial"
        assert_json "$dir/x.manifest.json" .media.hashes.sha256 "$want"
        assert_json "$dir/x.manifest.json" .verification.status passed
        assert_json "$dir/x.manifest.json" .unreadable.sectors \
            "$(ddrescuelog --list-blocks=- "$T/map" | wc -l)"
        assert_json "$dir/x.manifest.json" '.acquisition.resumed | length > 0' true
        (cd "$dir" && sha256sum --quiet -c x.sha256) || fail "the sums in $dir"
        expect 0 exhibit verify "$dir/x.manifest.json"
        if [ $format = e01 ]; then
            ewfverify -q "$dir/x.E01" >"$T/ewf" 2>&1 || fail "ewfverify: $(tail -n 3 "$T/ewf")"
        else
            cat "$dir"/x.0* | cmp - "$T/want" || fail "the raw segments in $dir"
        fi
        rm -r "$dir"
        mkdir "$dir"
    done
done
