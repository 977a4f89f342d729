#!/bin/bash
# Jobs that are killed at a random moment each (in the middle, while a segment closes, while the image
# is read back, while files get their names, while they go on after an earlier kill) and then lose what
# a power cut may take: all that the journal does not promise. Each is continued, and its image is that
# of a job that was never interrupted. E01 and raw, with and without damage and a copy, in
# stream and in rescue mode.
. "$(dirname "$0")/../lib/system.sh"
require_loop
require jq ewfverify sha256sum perl
how_many kills 3 100 "kills at random moments, each followed by a resume"
seed=${EXHIBIT_SEED:-$$}
RANDOM=$((seed % 32768))
echo "EXHIBIT_SEED=$seed"
size=$((24 * 1048576))
mixed_file "$T/src" $size "$seed"
random_damage "$seed" $size 512
fault_map "$T/map" $size "${BAD[@]}"
attach "$T/src" --read-only
devices=("$DEV")
fault_device "$T/src" "$T/map"
devices+=("$DEV")
cp "$T/src" "$T/damaged"
blank_damage "$T/damaged" "${BAD[@]}"
want=("$(sha256_of "$T/src")" "$(sha256_of "$T/damaged")")
mkdir "$T/d" "$T/c"

# sum_of DIR FORMAT: of the image's files, in order.
sum_of() {
    if [ "$2" = e01 ]; then cat "$1"/x.E??; else cat "$1"/x.0??; fi | sha256sum
}

# --- what a power cut takes -----------------------------------------------------------------------

# promised DIR FILE: what the journal has promised of a raw file that is open, in bytes of media.
promised() {
    jq -R -s '[split("\n")[] | fromjson? | select(.type == "durable") | .media] | max // 0' "$1/x.journal"
}

# lose FILE KEEP: beyond its first KEEP bytes the file is gone, zeros, or something else.
lose() {
    local now
    now=$(stat -c %s "$1")
    [ "$now" -gt "$2" ] || return 0
    local from=$(($2 + (now - $2) * (RANDOM % 4) / 4))
    case $((RANDOM % 4)) in
    0) truncate -s "$from" "$1" ;;
    1) truncate -s "$from" "$1" && truncate -s "$now" "$1" ;;
    2) truncate -s "$from" "$1" && head -c $((now - from)) /dev/urandom >>"$1" ;;
    3) [ "$2" -gt 0 ] || rm "$1" ;;
    esac
}

# lose_unmapped DIR: of a rescue's staging file all that its map does not promise.
lose_unmapped() {
    [ -e "$1/x.rescue.map" ] || return 0
    perl - "$1/x.rescue.map" "$1/x.rescue.img" <<'EOF'
open my $map, '<', $ARGV[0] or exit 0;
open my $img, '+<', $ARGV[1] or die "$ARGV[1]: $!";
while (<$map>) {
    next unless /^0x([0-9A-F]+)\s+0x([0-9A-F]+)\s+[^+]$/i;
    my $length = hex $2;
    sysseek $img, hex $1, 0;
    while ($length > 0) { $length -= syswrite $img, 'lost' x 16384, $length > 65536 ? 65536 : $length; }
}
EOF
}

# power_cut DIR: what is in DIR/x.partial without a promise.
power_cut() {
    local partial=$1/x.partial journal=$1/x.partial/x.journal file name keep start
    [ -s "$journal" ] || return 0
    for file in "$partial"/x.E?? "$partial"/x.0?? "$partial"/x.m* "$partial"/x.sha256; do
        [ -e "$file" ] || continue
        name=${file##*/}
        ! grep -aq "\"segment\".*\"$name\"" "$journal" || continue
        ! grep -aq '"moving"' "$journal" || continue # all of it has been synced then
        keep=0
        if [ "${name#x.0}" != "$name" ]; then
            start=$(((10#${name#x.} - 1) * 2097152))
            keep=$(promised "$partial")
            keep=$((keep > start ? keep - start : 0))
        fi
        lose "$file" "$keep"
    done
    lose_unmapped "$partial"
    # Names are durable later than files: some that moved last are back where they were.
    if grep -aq '"moving"' "$journal" && ! [ -e "$1/x.manifest.json" ]; then
        for file in "$1"/x.*; do
            [ -f "$file" ] && [ $((RANDOM % 3)) -eq 0 ] && mv "$file" "$partial"
        done
    fi
    case $((RANDOM % 3)) in
    0) head -c $((RANDOM % 5000)) /dev/zero >>"$journal" ;;
    1) head -c $((RANDOM % 90)) /dev/urandom | tr -d '\n' >>"$journal" ;;
    esac
}

# --- killing --------------------------------------------------------------------------------------

tree() { echo "$front $(child_of "$front" exhibit-worker) $(child_of "$front" exhibit-supervisor) $(
    child_of "$front" exhibit-verify
)"; }

# until_there PATTERN: until such a file is there or the job is over; then a moment more.
until_there() {
    while ! compgen -G "$1" >/dev/null && kill -0 "$front" 2>/dev/null; do :; done
    sleep "0.0$((RANDOM % 50 + 10))"
}

moments=(any closing closing read-back publish)

# killed COMMAND...: true if it was killed, and left something to continue.
killed() {
    local moment=${moments[RANDOM % ${#moments[@]}]} pids
    "$@" >"$T/out" 2>"$T/err" </dev/null &
    front=$!
    case $moment in
    any) sleep "0.$((RANDOM % 900 + 100))" ;;
    closing) until_there "$T/d/x.partial/x.[E0]*$((RANDOM % 10))" ;;
    read-back) until_there "$T/d/x.partial/x.manifest.json" ;;
    publish)
        # The files' names come within a moment: the line in the journal that says so comes first.
        while ! grep -aqs '"moving"' "$T/d/x.partial/x.journal" && kill -0 $front 2>/dev/null; do :; done
        ;;
    esac
    pids=$(tree)
    # shellcheck disable=SC2086 # several, or one of them alone
    case $((RANDOM % 3)) in
    0) kill -9 $front 2>/dev/null || true ;;
    1) kill -9 $pids 2>/dev/null || true ;;
    2) kill -9 $(child_of $front exhibit-worker) 2>/dev/null || kill -9 $front 2>/dev/null || true ;;
    esac
    status=0
    wait $front 2>/dev/null || status=$?
    for pid in $pids; do
        wait_until 20 bash -c "! kill -0 $pid 2>/dev/null"
    done
    # A process that had just been started when the others were listed lets go a moment later.
    wait_until 20 is_free "${devices[damaged]}"
    # Too late, or so early that nothing had begun.
    if [ $status -eq 0 ] || [ $status -eq 3 ] || ! [ -s "$T/d/x.partial/x.journal" ] ||
        ! [ -d "$T/d/x.partial" ] || [ -e "$T/d/x.manifest.json" ]; then
        return 1
    fi
    echo "  ${mode:-stream} $moment: $(grep -ao '"type":"[a-z]*"' "$T/d/x.partial/x.journal" | tail -n 1), exit $status" >>"$T/moments"
}

# whole DIR FORMAT DAMAGED: what each job must have left in the end.
whole() {
    assert_missing "$1/x.partial"
    assert_json "$1/x.manifest.json" .media.hashes.sha256 "${want[$3]}"
    assert_json "$1/x.manifest.json" .verification.status passed
    assert_json "$1/x.manifest.json" '.acquisition.resumed | length > 0' true
    (cd "$1" && sha256sum --quiet -c x.sha256) || fail "the sums in $1"
    if [ "$2" = e01 ]; then
        expect 0 ewfverify -q "$1/x.E01"
        assert_contains "$T/out" SUCCESS
    else
        assert_eq "$(sum_of "$1" raw | cut -d' ' -f1)" "${want[$3]}" "the raw files"
    fi
    if [ "$3" -eq 1 ]; then
        assert_json "$1/x.manifest.json" '[.unreadable.ranges[] | .offset, .length] | join(" ")' \
            "${BAD[*]}"
    fi
}

done_kills=0 resumes=0 tries=0 again=0
while [ $done_kills -lt "$kills" ]; do
    format=$([ $((tries % 2)) -eq 0 ] && echo e01 || echo raw)
    damaged=$((tries / 2 % 2))
    mode=()
    [ $damaged -eq 0 ] || [ $((tries % 3)) -ne 0 ] || mode=(--rescue)
    copy=()
    [ $((tries % 5)) -ne 0 ] || copy=(--copy "$T/c/x")
    tries=$((tries + 1))
    if killed exhibit acquire "${devices[damaged]}" "$T/d/x" --format $format --segment-size 2M \
        --retries 0 --quiet "${copy[@]}" "${mode[@]}"; then
        while :; do
            done_kills=$((done_kills + 1))
            power_cut "$T/d"
            [ ! -d "$T/c/x.partial" ] || power_cut "$T/c"
            # A third of the jobs are killed again while they go on.
            if [ $((RANDOM % 3)) -eq 0 ]; then
                killed exhibit acquire --resume "${devices[damaged]}" "$T/d/x" --quiet && again=$((again + 1)) && continue
            fi
            break
        done
        if [ -d "$T/d/x.partial" ]; then
            expect $((damaged * 3)) exhibit acquire --resume "${devices[damaged]}" "$T/d/x" --quiet
            resumes=$((resumes + 1))
        fi
        for dir in "$T/d" ${copy:+"$T/c"}; do
            whole "$dir" $format $damaged
        done
    fi
    rm -r "$T/d" "$T/c"
    mkdir "$T/d" "$T/c"
done
echo "$done_kills kills, $again of them while a job went on; $resumes jobs continued; by moment and what the journal said last:"
sort "$T/moments" | uniq -c
