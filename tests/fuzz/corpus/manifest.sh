#!/bin/bash
# Seeds for fuzz_manifest: small manifests of both formats. Usage: manifest.sh DIRECTORY
set -euo pipefail
md5=d41d8cd98f00b204e9800998ecf8427e
sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# segment FILE OFFSET LENGTH
segment() {
    printf '{"file":"%s","size":1,"md5":"%s","sha256":"%s","media_offset":%d,"media_length":%d}' \
        "$1" $md5 $sha256 "$2" "$3"
}

# manifest FORMAT CHUNK SEGMENTS PIECES RANGES
manifest() {
    printf '{"schema":"exhibit.manifest/1","image":{"format":"%s","media_size":3000,' "$1"
    printf '"bytes_per_sector":512%s,"segments":[%s]},' "$2" "$3"
    printf '"media":{"hashes":{"md5":"%s","sha256":"%s"}%s},' $md5 $sha256 "$4"
    printf '"unreadable":{"sectors":1,"ranges":[%s],"fill":"zero"}}\n' "$5"
}

manifest raw '' "$(segment EV.raw 0 3000)" '' '' >"$1/raw"
manifest e01 ',"sectors_per_chunk":64' "$(segment EV.E01 0 2000),$(segment EV.E02 2000 1000)" \
    ',"piecewise":[{"offset":0,"length":3000,"md5":"'$md5'"}]' \
    '{"offset":512,"length":512},{"offset":2048,"length":512}' >"$1/e01"
