/*
 * What a volume's header says it is, for volumes that libtsk does not take. Each signature is from
 * its format's own description; the place is in bytes from the start of the volume.
 */
#include "report/parser.h"

static const struct {
    const char *name;
    uint32_t offset;
    uint8_t length;
    const char *magic;
    bool is_fs; /* a file system that libtsk knows: its refusal is worth a finding */
    bool encrypted;
} signatures[] = {
    {"BitLocker", 3, 8, "-FVE-FS-", false, true},
    {"LUKS", 0, 6, "LUKS\xba\xbe", false, true},
    {"NTFS", 3, 8, "NTFS    ", true, false},
    {"exFAT", 3, 8, "EXFAT   ", true, false},
    {"FAT32", 82, 8, "FAT32   ", true, false},
    {"FAT16", 54, 8, "FAT16   ", true, false},
    {"FAT12", 54, 8, "FAT12   ", true, false},
    {"ReFS", 3, 4, "ReFS", false, false},
    {"XFS", 0, 4, "XFSB", false, false},
    {"APFS container", 32, 4, "NXSB", false, false},
    {"HFS+", 1024, 2, "H+", true, false},
    {"HFSX", 1024, 2, "HX", true, false},
    {"ext2/ext3/ext4", 1080, 2, "\x53\xef", true, false},
    {"F2FS", 1024, 4, "\x10\x20\xf5\xf2", false, false},
    {"LVM2 physical volume", 512, 8, "LABELONE", false, false},
    {"LVM2 physical volume", 0, 8, "LABELONE", false, false},
    {"Linux RAID member", 4096, 4, "\xfc\x4e\x2b\xa9", false, false},
    {"Linux RAID member", 0, 4, "\xfc\x4e\x2b\xa9", false, false},
    {"Linux swap", 4086, 10, "SWAPSPACE2", false, false},
    {"ISO 9660", 32769, 5, "CD001", true, false},
    {"Btrfs", 65600, 8, "_BHRfS_M", false, false},
};

#define HEAD (65600 + 8)

const char *
parser_signature(struct parser_image *p, bool *is_fs, bool *encrypted)
{
    static uint8_t head[HEAD];
    ssize_t n = parser_image_read(p, head, sizeof head, 0);

    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        if (n < (ssize_t)(signatures[i].offset + signatures[i].length) ||
            memcmp(head + signatures[i].offset, signatures[i].magic, signatures[i].length) != 0)
            continue;
        *is_fs = signatures[i].is_fs;
        *encrypted = signatures[i].encrypted;
        return signatures[i].name;
    }
    return NULL;
}
