#!/bin/bash
# Seeds for fuzz_reply: a message of each kind, in the order of a run.
# Usage: reply.sh DIRECTORY
set -euo pipefail
cat >"$1/run" <<'END'
{"kind":"sandbox","seccomp":true,"no_new_privs":true,"landlock_abi":3,"missing":""}
{"kind":"table","type":"gpt","description":"GUID Partition Table (EFI)","sector_size":512,"backup":false}
{"kind":"gpt","copy":"primary","lba":1,"my_lba":1,"alternate_lba":9,"first_usable":3,"last_usable":8,"entries_lba":2,"entry_count":4,"entry_size":128,"header_crc":1,"header_crc_is":1,"entries_crc":2,"entries_crc_is":3,"header_crc_ok":true,"entries_crc_ok":false,"disk_guid":"01234567-89ab-cdef-0123-456789abcdef"}
{"kind":"part","index":0,"start":0,"length":3,"slot":"-------","description":"Unallocated","state":"unallocated"}
{"kind":"part","index":1,"start":3,"length":5,"slot":"000","description":"one","state":"allocated","type_guid":"a","type_name":"b","guid":"c","attributes":"0x8000000000000004","type_code":"0x83","label":"one","flags":"active"}
{"kind":"gap","index":0,"tally":{"areas":1,"bytes":1024}}
{"kind":"finding","code":"gpt-copies","text":"the two copies disagree"}
V{"kind":"fs","type":"ext4","label":"x","id":"y","version":"1.0","state":"dirty","state_text":"z","mounted_on":"/","times":[{"name":"created","time":"2026-11-21T00:00:00Z"}],"block_size":4096,"cluster_size":4096,"block_count":9,"first_block":0,"last_block":8,"first_inode":1,"last_inode":9}
V{"kind":"volume-slack","tally":{"areas":1,"bytes":512}}
V{"kind":"top","files":[{"path":"/a","stream":"s","inode":12,"state":"deleted","size":1,"slack":4095,"nonzero":7}]}
V{"kind":"unallocated","blocks":1,"bytes":4096,"tally":{"areas":1,"bytes":4096}}
V{"kind":"progress","done":1,"total":2}
END
printf 'V{"kind":"no-fs","content":"LUKS","content_detail":"version 2","encrypted":true}\n' >"$1/encrypted"
printf 'V{"kind":"no-fs"}\nV{"kind":"sample","tally":{"areas":1,"bytes":512},"looks_encrypted":true}\n' \
    >"$1/sample"
