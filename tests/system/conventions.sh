# What holds for every command: help and version, and what becomes of a standard output that takes
# nothing.
. "$(dirname "$0")/../lib/system.sh"
[ -c /dev/full ] || skip "no /dev/full on this machine"

commands=(acquire submit jobs watch pause resume cancel release devices verify report seal custody copy)
run_command() {
    local program=$1
    shift
    if [ "$program" = exhibitd ]; then
        exhibitd "$@"
    elif [ -z "$program" ]; then
        exhibit "$@"
    else
        exhibit "$program" "$@"
    fi
}
full() { run_command "$@" >/dev/full; }
for command in "" exhibitd "${commands[@]}"; do
    expect 0 run_command "$command" --help
    assert_contains "$T/out" "usage: exhibit"
    expect 0 run_command "$command" -h
    assert_contains "$T/out" "usage: exhibit"
    expect 0 run_command "$command" --version
    assert_contains "$T/out" "$(exhibit --version | cut -d' ' -f2)"
    [ ! -s "$T/err" ] || fail "there is something on stderr"
    expect 1 full "$command" --help
    assert_error "No space left"
    expect 1 full "$command" --version
    expect 2 run_command "$command" --nonsense
    assert_error "--help"
done
