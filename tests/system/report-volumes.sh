#!/bin/bash
# What a volume says of itself: label, times, whether it was left in order, and whether it is
# encrypted, or looks as if it were.
. "$(dirname "$0")/../lib/system.sh"
require jq perl mkfs.fat mkfs.ext4 debugfs mkntfs fsstat

# poke FILE OFFSET HEX
poke() {
    printf '%s' "$3" | perl -ne 'print pack "H*", $_' |
        dd of="$1" bs=64K seek="$2" oflag=seek_bytes conv=notrunc status=none
}

# state NAME: of the only volume, in one line.
state() {
    expect 0 exhibit-report -q --replace "$T/$1.raw"
    json "$T/$1.report.json" '.volumes[0].file_system | .state + ": " + .state_text'
}

# epoch NAME WHICH: a time of the file system as seconds.
epoch() {
    json "$T/$1.report.json" ".volumes[0].file_system.times[] | select(.name == \"$2\") | .time | fromdate"
}

echo "== ext4: clean, with a journal to be replayed, with errors; times as dumpe2fs has them"
truncate -s 8M "$T/ext4.raw"
mkfs.ext4 -q -F -M /mnt/case "$T/ext4.raw"
assert_contains <(state ext4) "clean: "
assert_json "$T/ext4.report.json" '.volumes[0].file_system.mounted_on' /mnt/case
created=$(dumpe2fs -h "$T/ext4.raw" 2>/dev/null | sed -n 's/^Filesystem created: *//p')
assert_eq "$(epoch ext4 created)" "$(date -d "$created" +%s)"
assert_contains "$T/ext4.report.html" 'mounted on <bdi>/mnt/case</bdi>'
debugfs -w -R "feature needs_recovery" "$T/ext4.raw" >/dev/null 2>&1
assert_contains <(state ext4) "dirty: its journal is to be replayed"
assert_contains "$T/ext4.report.html" '<strong>dirty</strong>'
debugfs -w -R "set_super_value state 2" "$T/ext4.raw" >/dev/null 2>&1
assert_contains <(state ext4) "errors were noted; it is not marked as unmounted"

echo "== NTFS: the volume's flag, and the log"
truncate -s 4M "$T/ntfs.raw"
mkntfs -q -F "$T/ntfs.raw" >/dev/null 2>&1
assert_contains <(state ntfs) "clean: "
assert_json "$T/ntfs.report.json" '.volumes[0].file_system.version' 3.1
# $VOLUME_INFORMATION (type 0x70) of MFT entry 3: its content's flags, 10 bytes in.
perl -e '
    open my $f, "+<:raw", $ARGV[0] or die; read $f, my $boot, 512;
    my ($bps, $spc, $mft) = (unpack("v", substr $boot, 11, 2), ord(substr $boot, 13, 1), unpack "Q<", substr $boot, 48, 8);
    my $at = $mft * $bps * $spc + 3 * 1024; seek $f, $at, 0; read $f, my $e, 1024;
    my $a = unpack "v", substr $e, 20, 2;
    while (unpack("V", substr $e, $a, 4) != 0x70) { $a += unpack "V", substr $e, $a + 4, 4 }
    my $flags = $a + unpack("v", substr $e, $a + 20, 2) + 10;
    seek $f, $at + $flags, 0; print $f "\1"; close $f' "$T/ntfs.raw"
assert_contains <(state ntfs) "dirty: the volume is marked dirty"

echo "== FAT and exFAT: the bits of the table, and of the boot sector"
truncate -s 20M "$T/fat16.raw"
mkfs.fat -F 16 "$T/fat16.raw" >/dev/null
assert_contains <(state fat16) "clean: "
reserved=$(($(od -An -tu2 -j 14 -N 2 "$T/fat16.raw") * 512))
poke "$T/fat16.raw" $((reserved + 2)) ff7f
assert_contains <(state fat16) "dirty: the table is not marked as cleanly unmounted"
truncate -s 140M "$T/fat32.raw"
mkfs.fat -F 32 "$T/fat32.raw" >/dev/null
assert_contains <(state fat32) "clean: "
poke "$T/fat32.raw" 65 01
assert_contains <(state fat32) "dirty: the boot sector is marked dirty"
if command -v mkfs.exfat >/dev/null; then
    truncate -s 8M "$T/exfat.raw"
    mkfs.exfat "$T/exfat.raw" >/dev/null
    assert_contains <(state exfat) "clean: "
    poke "$T/exfat.raw" 106 0200
    assert_contains <(state exfat) "dirty: VolumeDirty is set"
fi

echo "== HFS+, UFS, ISO 9660: labels, states, times"
if command -v xorriso >/dev/null; then
    "$EXHIBIT_SOURCE/tests/lib/mk-slack-volume" hfsp "$T/hfsp.raw" >/dev/null
    assert_contains <(state hfsp) "clean: "
    assert_json "$T/hfsp.report.json" '.volumes[0].file_system.label' SLACK
    written=$(fsstat "$T/hfsp.raw" | sed -n 's/^Last Written Date:[^0-9]*\([0-9: -]*\) (UTC)/\1/p')
    assert_eq "$(epoch hfsp "last written")" "$(date -u -d "$written" +%s)"
    poke "$T/hfsp.raw" $((1024 + 4)) 00002000
    assert_contains <(state hfsp) "dirty: it was not unmounted: its journal is to be replayed"
    "$EXHIBIT_SOURCE/tests/lib/mk-slack-volume" iso9660 "$T/iso9660.raw" >/dev/null
    assert_contains <(state iso9660) "unknown: "
    assert_json "$T/iso9660.report.json" '.volumes[0].file_system.label' SLACK
    assert_json "$T/iso9660.report.json" '[.volumes[0].file_system.times[].name] | join(" ")' \
        "created last written"
fi
if command -v makefs >/dev/null; then
    "$EXHIBIT_SOURCE/tests/lib/mk-slack-volume" ufs1 "$T/ufs1.raw" >/dev/null
    assert_contains <(state ufs1) "clean: "
    poke "$T/ufs1.raw" $((8192 + 209)) 00
    assert_contains <(state ufs1) "dirty: it is not marked clean"
fi

# encrypted NAME: content, whether that is encryption, whether it looks like it.
encrypted() {
    expect 0 exhibit-report -q --replace "$T/$1.raw"
    json "$T/$1.report.json" '.volumes[0] | [.content, .encrypted, .consistent_with_encryption] |
        map(tostring) | join(", ")'
}

echo "== encryption known by its header"
random_file "$T/random" 2097152
for kind in bitlocker togo luks1 luks2 filevault apfs; do
    cp "$T/random" "$T/$kind.raw"
done
poke "$T/bitlocker.raw" 0 eb58902d4656452d46532d00
assert_eq "$(encrypted bitlocker)" "BitLocker, true, false"
# BitLocker To Go: a FAT32 boot sector with BitLocker's identifier.
truncate -s 140M "$T/togo.raw"
mkfs.fat -F 32 "$T/togo.raw" >/dev/null
poke "$T/togo.raw" 424 3bd67649292ed84a8399f6a339e3d001
expect 0 exhibit-report -q "$T/togo.raw"
assert_json "$T/togo.report.json" '.volumes[0].file_system.type' fat32
poke "$T/togo.raw" 424 3bd66749292ed84a8399f6a339e3d001
assert_eq "$(encrypted togo)" "BitLocker To Go, true, false"
perl -e 'print pack "a6nA32A32A32x64A40", "LUKS\xba\xbe", 1, "aes", "xts-plain64", "sha256",
    "6f1c1b1e-0000-4000-8000-123456789abc"' | tr ' ' '\0' |
    dd of="$T/luks1.raw" conv=notrunc status=none
assert_eq "$(encrypted luks1)" "LUKS, true, false"
assert_contains "$T/luks1.report.html" "version 1, aes-xts-plain64, sha256, UUID 6f1c1b1e"
perl -e 'print pack "a6nQ>Q>a48a32a64a40", "LUKS\xba\xbe", 2, 16384, 3, "vault", "sha256", "",
    "6f1c1b1e-0000-4000-8000-123456789abc"' | dd of="$T/luks2.raw" conv=notrunc status=none
assert_eq "$(encrypted luks2)" "LUKS, true, false"
assert_json "$T/luks2.report.json" '.volumes[0].content_detail' \
    "version 2, label 'vault', UUID 6f1c1b1e-0000-4000-8000-123456789abc"
dd if=/dev/zero of="$T/filevault.raw" bs=4096 count=1 conv=notrunc status=none
poke "$T/filevault.raw" 88 4353
assert_eq "$(encrypted filevault)" "FileVault 2 (CoreStorage), true, false"
dd if=/dev/zero of="$T/apfs.raw" bs=4096 count=1 conv=notrunc status=none
poke "$T/apfs.raw" 32 4e585342
assert_eq "$(encrypted apfs)" "APFS container, false, false"
poke "$T/apfs.raw" 1296 64000000000000000100000000000000
assert_eq "$(encrypted apfs)" "APFS container, true, false"

echo "== no header: what the content is consistent with"
cp "$T/random" "$T/container.raw"
assert_eq "$(encrypted container)" "null, false, true"
assert_contains "$T/container.report.html" "consistent with encryption"
# Text, compressed data, and random data with a hole are not.
seq 250000 >"$T/text.raw"
assert_eq "$(encrypted text)" "null, false, false"
seq 900000 | gzip -1 >"$T/gzip.raw"
assert_eq "$(encrypted gzip)" "Gzip Archive, false, false"
tail -c +1000000 "$T/gzip.raw" >"$T/tail.raw"
assert_eq "$(encrypted tail)" "null, false, false"
cp "$T/random" "$T/hole.raw"
dd if=/dev/zero of="$T/hole.raw" bs=64K seek=20 count=2 conv=notrunc status=none
assert_eq "$(encrypted hole)" "null, false, false"
truncate -s 1M "$T/empty.raw"
assert_eq "$(encrypted empty)" "null, false, false"
assert_contains "$T/empty.report.html" "bytes all over it are zero"
