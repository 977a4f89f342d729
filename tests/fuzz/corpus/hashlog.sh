#!/bin/bash
# Seeds for fuzz_hashlog: a small log of each tool. Usage: hashlog.sh DIRECTORY
set -euo pipefail
md5=fae15c9669bbd18d5dd5d30c11585f12
sha1=22aca2033674592083ebc0a44f3d354293107c8c
sha256=82610d3c109ca3ec09cfaebee4d0b94a79a0b06f20a0462e8f59bb2e389c3dae

printf '%s  EV.E01\n%s *EV.E02\n%s  EV.E03\n' $md5 $md5 $sha256 >"$1/md5sum"
printf '\\%s  a\\nb\n%s  /dev/sdb\n%s\n' $md5 $sha1 $sha256 >"$1/odd-names"
printf 'MD5 (EV.dd) = %s\nSHA2-256(EV.dd)= %s\n' $md5 $sha256 >"$1/tagged"
printf '%s  EV offset 0-1048575\n   3000320  %s  EV\n' $md5 $sha1 >"$1/md5deep"
cat >"$1/hashdeep" <<END
%%%% HASHDEEP-1.0
%%%% size,md5,sha256,filename
## Invoked from: /tmp
3000320,$md5,$sha256,/tmp/EV.dd
1048576,$md5,$sha256,/tmp/EV.dd offset 0-1048575
END
cat >"$1/dc3dd" <<END
dc3dd 7.2.646 started at 2026-11-21 05:13:05 +0000
sector size: 512 bytes (assumed)
input results for file \`src.raw':
   5860 sectors in
   $md5 (md5)
      $md5, sectors 0 - 2047
output results for files \`EV.E01':
   [ok] $md5 (md5)
      [ok] $md5, sectors 0 - 2047, \`EV.E01'
dc3dd completed at 2026-11-21 05:13:06 +0000
END
cat >"$1/dcfldd" <<END
0 - 1048576: $md5
1048576 - 2097152: $md5
Total (md5): $md5
END
cat >"$1/guymager" <<END
GUYMAGER ACQUISITION INFO FILE
MD5 hash                   : $md5
MD5 hash verified source   : --
SHA256 hash                : $sha256
MD5                               Image file name
$md5  EV.E01
END
printf 'Created By AccessData\302\256\r\n[Computed Hashes]\r\n MD5 checksum:    %s : verified\r\n' \
    $md5 >"$1/ftk"
printf '\377\376M\0D\0005\0:\0 \0a\0' >"$1/utf16"
printf 'SHA1 hash calculated over data:\t\t%s\n' $sha1 >"$1/ewfacquire"
