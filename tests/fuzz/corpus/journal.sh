#!/bin/bash
# Seeds for fuzz_journal: a job begun, interrupted and continued. Usage: journal.sh DIRECTORY
set -euo pipefail

hash=$(printf 'x' | md5sum | cut -c1-32)
sha=$(printf 'x' | sha256sum | cut -c1-64)
{
    printf '{"type":"begin","schema":"exhibit.journal/1","started":1,"length":4096,"destinations":1,'
    printf '"cwd":"/","argv":[{"arg":"a"},{"arg":"s"},{"arg":"d"}]}\n'
    printf '{"type":"unreadable","offset":512,"length":512,"errno":5}\n'
    printf '{"type":"segment","sink":0,"file":"d.001","size":1024,"media_offset":0,'
    printf '"media_length":1024,"md5":"%s","sha256":"%s"}\n' "$hash" "$sha"
    printf '{"type":"durable","sink":0,"media":2048}\n'
    printf '{"type":"ended","time":2,"at":2048,"reason":"interrupted"}\n'
    printf '{"type":"resumed","at":1024,"kept":[{"segments":1,"durable":1024}],"entry":{}}\n'
    printf '{"type":"moving","sink":0,"files":[{"file":"d.001","size":1024}]}\n'
} >"$1/whole"
check=
while IFS= read -r line; do
    line=${line%\}}
    check=$(printf '%s%s' "$check" "$line" | sha256sum | cut -c1-32)
    printf '%s,"check":"%s"}\n' "$line" "$check"
done <"$1/whole" >"$1/chained"
head -c -20 "$1/chained" >"$1/torn"
