# In the virtual machine, with a kernel that has no BPF LSM in force: what the levels say then.
. "$EXHIBIT_SOURCE/tests/lib/system.sh"

exhibit() { "$EXHIBIT_BIN/exhibit" "$@"; }

wait_until 60 test -b /dev/sda
expect 5 exhibit acquire /dev/sda "$T/demanded" --write-block bpf-lsm
assert_error "'bpf' is not among the kernel's security modules"
assert_missing "$T"/demanded*
assert_eq "$(blockdev --getro /dev/sda)" 0
assert_missing /sys/fs/bpf/exhibit

expect 0 exhibit acquire /dev/sda "$T/best" -q
assert_eq "$(jq -r .write_block.level "$T/best.manifest.json")" read-only-flag
assert_eq "$(jq -r .write_block.monitor.refused "$T/best.manifest.json")" null
assert_contains "$T/best.log" "read-only-flag"
# Why it is not the best that there could be.
assert_contains "$T/best.log" "none: 'bpf' is not among the kernel's security modules"
assert_contains "$T/best.manifest.json" "\"guard_missing\": \"'bpf' is not among"
expect 0 exhibit release /dev/sda
