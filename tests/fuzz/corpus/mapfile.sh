#!/bin/bash
# Seeds for fuzz_mapfile: what ddrescue writes, and what its older versions wrote.
# Usage: mapfile.sh DIRECTORY
set -euo pipefail
cat >"$1/whole" <<'END'
# Mapfile. Created by GNU ddrescue
# current_pos  current_status  current_pass
0x00100000     +               1
#      pos        size  status
0x00000000  0x00100000  +
END
cat >"$1/every-status" <<'END'
# a comment
0x00001000     *               2
0x00000000  0x00001000  +
0x00001000  0x00000200  -
0x00001200  0x00000E00  *
0x00002000  0x00001000  /
0x00003000  0x00001000  ?
END
printf '512 F\n0 512 -\n512 01000 +\n' >"$1/old-and-octal"
printf '0 + 1\n0x7ffffffffffffe00 0x1FF +\n' >"$1/at-the-end"
printf '0 ? 1\n' >"$1/no-blocks"
