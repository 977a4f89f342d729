#!/bin/bash
# Seeds for fuzz_size: a size of each kind. Usage: size.sh DIRECTORY
set -euo pipefail
n=0
for text in 0 1 512 1048576 64K 3M 2G 8T 1KB 5MB 4GB 12TB 128s 007 9223372036854775807 \
    9223372036854775808 8388608T 99999999999999999999 -1 1.5G 0x10 1KiB; do
    n=$((n + 1))
    printf %s "$text" >"$1/$n"
done
