/*
 * What a volume's header says it is, for volumes that libtsk does not take. Each signature is from
 * its format's own description; the place is in bytes from the start of the volume.
 */
#include "common/text.h"
#include "report/bytes.h"
#include "report/parser.h"

struct signature {
    const char *name;
    uint32_t offset;
    uint8_t length;
    const char *magic;
    enum {
        OTHER,
        KNOWN,     /* a file system that libtsk knows: its refusal is worth a finding */
        ENCRYPTED, /* whatever else stands there */
    } kind;
    char *(*detail)(const uint8_t *head); /* or NULL */
};

#define HEAD (65600 + 8)

/* LUKS1: cipher name 8, mode 40, hash 72, UUID 168 (LUKS On-Disk Format 1.2.3, 2.2). LUKS2: label
   24, UUID 168, subsystem 208 (LUKS2 On-Disk Format 1.1.3, 2.1). */
static char *
luks_detail(const uint8_t *head)
{
    const char *h = (const char *)head;
    uint32_t version = be16(head + 6);

    if (version == 1)
        return xasprintf("version 1, %.32s-%.32s, %.32s, UUID %.40s", h + 8, h + 40, h + 72,
                         h + 168);
    return xasprintf("version %u, label '%.48s', UUID %.40s", (unsigned)version, h + 24, h + 168);
}

/* A container whose key bag is not empty has encrypted volumes (Apple File System Reference,
   nx_keylocker: 1296 address, 1304 blocks). */
static bool
apfs_has_keys(const uint8_t *head)
{
    return le64(head + 1304) != 0;
}

static char *
core_storage_detail(const uint8_t *head)
{
    (void)head;
    return xstrdup("the header of a CoreStorage physical volume, as FileVault 2 makes it");
}

/* The identifier of BitLocker's information offset table, little-endian groups. */
#define BITLOCKER_GUID "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01"

static const struct signature signatures[] = {
    {"BitLocker", 3, 8, "-FVE-FS-", ENCRYPTED, NULL},
    {"BitLocker To Go", 424, 16, BITLOCKER_GUID, ENCRYPTED, NULL},
    {"LUKS", 0, 6, "LUKS\xba\xbe", ENCRYPTED, luks_detail},
    {"NTFS", 3, 8, "NTFS    ", KNOWN, NULL},
    {"exFAT", 3, 8, "EXFAT   ", KNOWN, NULL},
    {"FAT32", 82, 8, "FAT32   ", KNOWN, NULL},
    {"FAT16", 54, 8, "FAT16   ", KNOWN, NULL},
    {"FAT12", 54, 8, "FAT12   ", KNOWN, NULL},
    {"ReFS", 3, 4, "ReFS", OTHER, NULL},
    {"XFS", 0, 4, "XFSB", OTHER, NULL},
    {"APFS container", 32, 4, "NXSB", OTHER, NULL},
    {"HFS+", 1024, 2, "H+", KNOWN, NULL},
    {"HFSX", 1024, 2, "HX", KNOWN, NULL},
    {"ext2/ext3/ext4", 1080, 2, "\x53\xef", KNOWN, NULL},
    {"F2FS", 1024, 4, "\x10\x20\xf5\xf2", OTHER, NULL},
    {"LVM2 physical volume", 512, 8, "LABELONE", OTHER, NULL},
    {"LVM2 physical volume", 0, 8, "LABELONE", OTHER, NULL},
    {"Linux RAID member", 4096, 4, "\xfc\x4e\x2b\xa9", OTHER, NULL},
    {"Linux RAID member", 0, 4, "\xfc\x4e\x2b\xa9", OTHER, NULL},
    {"Linux swap", 4086, 10, "SWAPSPACE2", OTHER, NULL},
    {"UFS1", 8192 + 1372, 4, "\x54\x19\x01\x00", KNOWN, NULL},
    {"UFS1", 8192 + 1372, 4, "\x00\x01\x19\x54", KNOWN, NULL},
    {"ISO 9660", 32769, 5, "CD001", KNOWN, NULL},
    {"Btrfs", 65600, 8, "_BHRfS_M", OTHER, NULL},
    /* Two bytes only, so after all others. */
    {"FileVault 2 (CoreStorage)", 88, 2, "CS", ENCRYPTED, core_storage_detail},
};

static const struct signature *
find(const uint8_t *head, ssize_t n)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        const struct signature *s = &signatures[i];

        if (n >= (ssize_t)(s->offset + s->length) &&
            memcmp(head + s->offset, s->magic, s->length) == 0)
            return s;
    }
    return NULL;
}

bool
parser_signature_at(struct parser_image *p, uint64_t offset)
{
    static uint8_t head[HEAD];

    return find(head, parser_image_read(p, head, sizeof head, offset)) != NULL;
}

bool
parser_signature(struct parser_image *p, struct signature_found *out)
{
    static uint8_t head[HEAD];
    ssize_t n = parser_image_read(p, head, sizeof head, 0);
    const struct signature *s = find(head, n);

    *out = (struct signature_found){0};
    if (!s)
        return false;
    out->name = s->name;
    out->is_fs = s->kind == KNOWN;
    out->encrypted = s->kind == ENCRYPTED;
    if (s->detail && n >= 4096)
        out->detail = s->detail(head);
    if (strcmp(s->name, "APFS container") == 0 && n >= 4096 && apfs_has_keys(head)) {
        out->encrypted = true;
        out->detail = xstrdup("with keys of encrypted volumes (FileVault)");
    }
    return true;
}
