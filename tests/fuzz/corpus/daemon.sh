#!/bin/bash
# Seeds for fuzz_daemon: the first byte says what the rest is: '0' a body, '1' a line of a job's
# stderr, '2' the file of a job.
# Usage: daemon.sh DIRECTORY
set -euo pipefail
body() { printf '0%s' "$2" >"$1"; }
line() { printf '1%s' "$2" >"$1"; }
body "$1/submit" '{"source":"/dev/sdb","dest":"/cases/1/a","options":["--format","raw","--copy=/b"]}'
body "$1/bytes" '{"source":"?","source_base64":"L/8=","dest":"/d","options":[{"option":"?","option_base64":"LS14Pf8="}]}'
body "$1/refused" '{"source":"/s","dest":"/d","options":["-q","--write-block","none","--"]}'
body "$1/discard" '{"discard":true}'
body "$1/release" '{"device":"/dev/sdb"}'
body "$1/nothing" '{}'
line "$1/progress" '{"phase":"acquire","bytes_done":1,"bytes_total":2,"rate":3,"eta_s":4,"unreadable_sectors":5}'
line "$1/resumable" '{"resumable":true}'
line "$1/message" 'exhibit: warning: the drive is hot'
cat >"$1/file" <<'END'
2{"schema":"exhibit.job/1","id":7,"uid":1000,"gid":1000,"user":"ada","source":"/dev/sdb","dest":"/d",
"options":[{"option":"--format"},{"option":"?","option_base64":"/w=="}],"state":"interrupted","exit":4,
"message":"m","begun":true,"stopping":false,"discard":true,"bytes_done":1,"bytes_total":2,
"unreadable_sectors":0,"submitted":1700000000,"started":1700000001,"finished":1700000002,
"last_event":9,"processes":{"front":{},"supervisor":{"pid":12,"start":34}},"boot":"x"}
END
