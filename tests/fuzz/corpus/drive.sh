# Seeds of fuzz_drive: an identification, all that is asked of a drive, sense data, smartctl's JSON.
set -euo pipefail
out=$1
zeros() { head -c "$1" /dev/zero; }
identify() {
    printf '\100\000'
    zeros 118
    printf '\000\040\000\000' # words 60 and 61
    zeros 40
    printf '\153\164\141\175' # words 82 and 83
    zeros 32
    printf '\000\040\000\000\000\000\000\000' # words 100 to 103
    zeros 304
}
{ printf '\000'; identify; } >"$out/identify"
{
    printf '\001\001\001\001\000'
    zeros 4
    printf '\377\047\000\000\000\000\000\000'
    identify
    printf '\002\000\000\000\000\000\377\057'
    zeros 504
} >"$out/facts"
printf '\002\162\001\000\035\000\000\000\016\011\014\001\000\000\000\000\257\000\155\000\160\100\120' >"$out/descriptor"
printf '\002\160\000\001\120\340\000\000\012\000\057\140\070\000\035\000\000\000\000' >"$out/fixed"
printf '\003{"smart_status":{"passed":true},"smartctl":{"version":[7,3],"messages":[{"string":"x"}]},"ata_smart_attributes":{"table":[{"id":5,"raw":{"value":8}}]},"temperature":{"current":36}}' >"$out/health"
