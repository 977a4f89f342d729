#!/bin/bash
# Seeds for fuzz_config: a line of every kind.
# Usage: config.sh DIRECTORY
set -euo pipefail
cat >"$1/whole" <<'END'
# a laboratory
socket = /run/exhibit/exhibitd.sock
group = exhibit
state-dir = /var/lib/exhibit
parallel = 2
evidence = serial=WD-1
evidence = wwn=0x5000c500
evidence = path=/dev/disk/by-id/ata-X
spare = serial=ARCHIVE-1
default.examiner = A. Examiner
default.meta = place=Room 4
default.option = --no-verify
END
printf 'parallel=2\r\n\r\n\t# x\nparallel=3' >"$1/twice"
printf 'default.notes = a\ndefault.option = --notes=b\n' >"$1/option"
