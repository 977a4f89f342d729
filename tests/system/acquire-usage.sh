# Bad input gets one clear line and the right exit code, and leaves nothing behind.
. "$(dirname "$0")/../lib/system.sh"
random_file "$T/src" 1048576
mkdir "$T/d"
: >"$T/empty"

# bad CODE TEXT ARGUMENTS...
bad() {
    local code=$1 text=$2
    shift 2
    expect "$code" exhibit acquire "$@"
    assert_error "$text"
    [ ! -s "$T/out" ] || fail "there is output on stdout"
    assert_only "$T/d"
}

# --- usage
bad 2 "SOURCE and DEST"
bad 2 "SOURCE and DEST" "$T/src"
bad 2 "too many" "$T/src" "$T/d/x" more
bad 2 "--nonsense" "$T/src" "$T/d/x" --nonsense
bad 2 "--forma" "$T/src" "$T/d/x" --forma raw
bad 2 "-z" "$T/src" "$T/d/x" -z
bad 2 "--format" "$T/src" "$T/d/x" --format
bad 2 "aff" "$T/src" "$T/d/x" --format aff
bad 2 "zstd" "$T/src" "$T/d/x" --compression zstd
bad 2 "raw" "$T/src" "$T/d/x" --format raw --compression fast
bad 2 "md6" "$T/src" "$T/d/x" --hash md5,md6
bad 2 "hash" "$T/src" "$T/d/x" --hash ""
bad 2 "KEY=VALUE" "$T/src" "$T/d/x" --meta seal
bad 2 "KEY=VALUE" "$T/src" "$T/d/x" --meta =x
bad 2 "--threads" "$T/src" "$T/d/x" --threads 0
bad 2 "--threads" "$T/src" "$T/d/x" --threads 99999999999999999999
bad 2 "--retries" "$T/src" "$T/d/x" --retries -1
bad 2 "progress" "$T/src" "$T/d/x" --progress loud
bad 2 "twice" "$T/src" "$T/d/x" --meta seal=1 --meta seal=2
bad 2 "longer than" "$T/src" "$T/d/x" --notes "$(head -c 10000 /dev/zero | tr "\0" n)"
bad 2 "--hardware-blocker" "$T/src" "$T/d/x" --hardware-blocker "Tableau T35"
bad 2 "--hardware-blocker" "$T/src" "$T/d/x" --write-block hardware
bad 2 "write block" "$T/src" "$T/d/x" --write-block strong
bad 2 "--sign-key" "$T/src" "$T/d/x" --sign-cert c
bad 2 "--tsa" "$T/src" "$T/d/x" --tsa nonsense
bad 1 "No such file" "$T/src" "$T/d/x" --sign-key k
bad 2 "go together" "$T/src" "$T/d/x" --rescue --rescue-map "$T/src"
bad 2 "--resume" "$T/src" "$T/d/x" --segment-dir /tmp

# --- absurd sizes
for size in 0 -1 1k 1.5M 9999999999999999999 8388608T 99999999T x ""; do
    bad 2 "" "$T/src" "$T/d/x" --segment-size "$size"
done
bad 2 "too small" "$T/src" "$T/d/x" --segment-size 1023K
bad 2 "less than a sector" "$T/src" "$T/d/x" --format raw --segment-size 511
bad 2 "piece" "$T/src" "$T/d/x" --piecewise 0
bad 2 "pieces" "$T/src" "$T/d/x" --piecewise 1
bad 2 "past the end" "$T/src" "$T/d/x" --offset 1048576
bad 2 "past the end" "$T/src" "$T/d/x" --offset 8T
bad 2 "length" "$T/src" "$T/d/x" --length 1048577
bad 2 "length" "$T/src" "$T/d/x" --length 0
bad 2 "length" "$T/src" "$T/d/x" --offset 512 --length 1M
for sector in 0 1 511 513 1000 65536 x; do
    bad 2 "sector" "$T/src" "$T/d/x" --sector-size $sector
done

# --- destinations that are no names
bad 2 "extension" "$T/src" "$T/d/x.E01"
bad 2 "extension" "$T/src" "$T/d/x.raw"
bad 2 "file name" "$T/src" "$T/d/"
bad 2 "file name" "$T/src" "$T/d/.."
bad 2 "control character" "$T/src" "$T/d/a"$'\n'"b"
bad 2 "too long" "$T/src" "$T/d/$(printf 'x%.0s' $(seq 240))"
bad 1 "nowhere" "$T/src" "$T/nowhere/x"

# --- sources that are none
bad 1 "absent" "$T/absent" "$T/d/x"
bad 1 "directory" "$T/d" "$T/d/x"
bad 1 "character device" /dev/zero "$T/d/x"
bad 1 "empty" "$T/empty" "$T/d/x"
mkfifo "$T/fifo"
bad 1 "fifo" "$T/fifo" "$T/d/x"
bad 1 "journal" "$T/src" "$T/d/x" --resume

# Escapes in a name do not reach the terminal.
bad 1 '\x1b[2J' "$T/"$'\033'"[2J" "$T/d/x"

expect 2 exhibit
expect 2 exhibit nonsense
assert_error nonsense
expect 2 exhibit release
expect 1 exhibit release "$T/src"
expect 1 exhibit release "$T/absent"
expect 0 exhibit --version
