#include "report/parser_gpt.h"

#include <stdlib.h>

#include "common/text.h"
#include "report/bytes.h"
#include "report/parser.h"

#define HEADER_SIGNATURE "EFI PART"
#define HEADER_MIN 92u
#define HEADER_SIZE 12 /* 4 bytes: of the header */
#define HEADER_CRC 16
#define HEADER_MY_LBA 24
#define HEADER_ALTERNATE_LBA 32
#define HEADER_FIRST_USABLE 40
#define HEADER_LAST_USABLE 48
#define HEADER_DISK_GUID 56
#define HEADER_ENTRIES_AT 72
#define HEADER_ENTRY_COUNT 80
#define HEADER_ENTRY_SIZE 84
#define HEADER_ENTRIES_CRC 88
#define ENTRY_MIN 128
#define ENTRY_TYPE 0
#define ENTRY_GUID 16
#define ENTRY_FIRST 32
#define ENTRY_LAST 40
#define ENTRY_ATTRIBUTES 48
#define ENTRY_NAME 56
#define ENTRY_NAME_UNITS 36

/* Tables have 128 entries; libtsk stops far below this. */
#define ENTRIES_MAX 4096u
#define ENTRY_SIZE_MAX 4096u
#define SECTOR_MAX 65536u

static const struct {
    const char *guid;
    const char *name;
} types[] = {
    {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI System"},
    {"21686148-6449-6e6f-744e-656564454649", "BIOS boot"},
    {"e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved"},
    {"ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "Microsoft basic data"},
    {"de94bba4-06d1-4d40-a16a-bfd50179d6ac", "Windows recovery environment"},
    {"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", "Windows LDM metadata"},
    {"af9b60a0-1431-4f62-bc68-3311714a69ad", "Windows LDM data"},
    {"e75caf8f-f680-4cee-afa3-b001e56efc2d", "Windows Storage Spaces"},
    {"0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux filesystem"},
    {"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap"},
    {"e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM"},
    {"a19d880f-05fc-4d3b-a006-743f0f84911e", "Linux RAID"},
    {"933ac7e1-2eb4-4f13-b844-0e14e2aef915", "Linux home"},
    {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root (x86-64)"},
    {"ca7d7ccb-63ed-4c53-861c-1742536059cc", "Linux LUKS"},
    {"bc13c2ff-59e6-4262-a352-b275fd6f7172", "Linux extended boot"},
    {"48465300-0000-11aa-aa11-00306543ecac", "Apple HFS/HFS+"},
    {"7c3457ef-0000-11aa-aa11-00306543ecac", "Apple APFS"},
    {"53746f72-6167-11aa-aa11-00306543ecac", "Apple Core Storage"},
    {"516e7cb6-6ecf-11d6-8ff8-00022d09712b", "FreeBSD UFS"},
    {"516e7cba-6ecf-11d6-8ff8-00022d09712b", "FreeBSD ZFS"},
};

/* 5.3.3, table 5-8; from bit 48 on each type has its own: here those of Microsoft basic data. */
static const struct {
    unsigned bit;
    bool basic_data;
    const char *text;
} attributes[] = {
    {0, false, "required"},
    {1, false, "no block I/O protocol"},
    {2, false, "legacy BIOS bootable"},
    {60, true, "read-only"},
    {61, true, "shadow copy"},
    {62, true, "hidden"},
    {63, true, "no drive letter"},
};

#define BASIC_DATA "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"

uint32_t
gpt_crc32(const void *data, size_t n)
{
    static uint32_t table[256];
    const uint8_t *p = data;
    uint32_t crc = ~UINT32_C(0);

    for (uint32_t i = 0; table[255] == 0; i++) { /* the last one is the mark that they are made */
        uint32_t v = i;

        for (unsigned k = 0; k < 8; k++)
            v = v >> 1 ^ (v & 1 ? UINT32_C(0xedb88320) : 0);
        table[i] = v;
    }
    while (n-- > 0)
        crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
    return ~crc;
}

/* The first three groups are stored little-endian (UEFI, appendix A). */
static void
guid_text(const uint8_t *p, char out[37])
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    char *o = out;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *o++ = '-';
        hex_encode(&p[order[i]], 1, o);
        o += 2;
    }
}

/* The header's checksum is over its own size, its own field taken as zero. */
static void
check_header(struct gpt *gpt, uint8_t *sector)
{
    uint32_t size = le32(sector + HEADER_SIZE);

    gpt->header.header_crc = le32(sector + HEADER_CRC);
    if (size < HEADER_MIN || size > gpt->sector_size)
        return;
    memset(sector + HEADER_CRC, 0, 4);
    gpt->header.header_crc_is = gpt_crc32(sector, size);
    gpt->header.header_crc_ok = gpt->header.header_crc == gpt->header.header_crc_is;
}

static void
load_entries(struct parser_image *p, struct gpt *gpt)
{
    struct gpt_header *h = &gpt->header;
    size_t size;

    if (h->entry_size < ENTRY_MIN || h->entry_size > ENTRY_SIZE_MAX ||
        h->entry_count > ENTRIES_MAX || h->entries_lba > p->length / gpt->sector_size)
        return;
    gpt->entry_size = h->entry_size;
    size = h->entry_count * gpt->entry_size;
    gpt->entries = xcalloc(size + 1, 1);
    if (parser_image_read(p, gpt->entries, size, h->entries_lba * gpt->sector_size) !=
        (ssize_t)size)
        return;
    gpt->n = h->entry_count;
    h->entries_crc_is = gpt_crc32(gpt->entries, size);
    h->entries_crc_ok = h->entries_crc == h->entries_crc_is;
}

static bool
signature_at(struct parser_image *p, uint32_t sector_size, uint64_t lba)
{
    char mark[8];

    return lba < p->length / sector_size &&
           parser_image_read(p, mark, sizeof mark, lba * sector_size) == sizeof mark &&
           memcmp(mark, HEADER_SIGNATURE, sizeof mark) == 0;
}

struct gpt *
gpt_load(struct parser_image *p, uint32_t sector_size, enum gpt_copy copy,
         const struct gpt *primary)
{
    uint64_t sectors = p->length / sector_size;
    uint64_t at = 1;
    uint8_t sector[SECTOR_MAX];
    struct gpt *gpt;

    if (sectors < 3 || sector_size < 512 || sector_size > SECTOR_MAX)
        return NULL;
    if (copy == GPT_BACKUP) {
        at = primary ? primary->header.alternate_lba : sectors - 1;
        if (at <= 1 || !signature_at(p, sector_size, at))
            at = sectors - 1;
    }
    if (!signature_at(p, sector_size, at) ||
        parser_image_read(p, sector, sector_size, at * sector_size) != (ssize_t)sector_size)
        return NULL;
    gpt = xcalloc(1, sizeof *gpt);
    gpt->sector_size = sector_size;
    gpt->header = (struct gpt_header){
        .present = true,
        .lba = at,
        .my_lba = le64(sector + HEADER_MY_LBA),
        .alternate_lba = le64(sector + HEADER_ALTERNATE_LBA),
        .first_usable = le64(sector + HEADER_FIRST_USABLE),
        .last_usable = le64(sector + HEADER_LAST_USABLE),
        .entries_lba = le64(sector + HEADER_ENTRIES_AT),
        .entry_count = le32(sector + HEADER_ENTRY_COUNT),
        .entry_size = le32(sector + HEADER_ENTRY_SIZE),
        .entries_crc = le32(sector + HEADER_ENTRIES_CRC),
        .disk_guid = gpt->guid,
    };
    guid_text(sector + HEADER_DISK_GUID, gpt->guid);
    check_header(gpt, sector);
    load_entries(p, gpt);
    return gpt;
}

void
gpt_free(struct gpt *gpt)
{
    if (gpt)
        free(gpt->entries);
    free(gpt);
}

static void
set_type_name(struct gpt_entry *e)
{
    e->type_name = NULL;
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        if (strcmp(e->type_guid, types[k].guid) == 0)
            e->type_name = types[k].name;
    }
}

static bool
is_used(const uint8_t *entry)
{
    static const uint8_t unused[16];

    return memcmp(entry + ENTRY_TYPE, unused, sizeof unused) != 0;
}

bool
gpt_entry(const struct gpt *gpt, size_t slot, struct gpt_entry *out)
{
    const uint8_t *e;
    char *name;

    if (slot >= gpt->n)
        return false;
    e = gpt->entries + slot * gpt->entry_size;
    if (!is_used(e))
        return false;
    *out = (struct gpt_entry){
        .slot = slot,
        .first = le64(e + ENTRY_FIRST),
        .last = le64(e + ENTRY_LAST),
        .attributes = le64(e + ENTRY_ATTRIBUTES),
    };
    guid_text(e + ENTRY_TYPE, out->type_guid);
    guid_text(e + ENTRY_GUID, out->guid);
    set_type_name(out);
    name = utf16le_text(e + ENTRY_NAME, ENTRY_NAME_UNITS);
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    free(name);
    return true;
}

bool
gpt_find(const struct gpt *gpt, uint64_t start, struct gpt_entry *out)
{
    for (size_t i = 0; gpt && i < gpt->n; i++) {
        if (le64(gpt->entries + i * gpt->entry_size + ENTRY_FIRST) == start &&
            gpt_entry(gpt, i, out))
            return true;
    }
    return false;
}

bool
gpt_same_guid(const struct gpt *gpt, size_t a, size_t b)
{
    const uint8_t *x = gpt->entries + a * gpt->entry_size;
    const uint8_t *y = gpt->entries + b * gpt->entry_size;

    return is_used(x) && is_used(y) && memcmp(x + ENTRY_GUID, y + ENTRY_GUID, 16) == 0;
}

char *
gpt_flags(const struct gpt_entry *entry)
{
    bool basic = strcmp(entry->type_guid, BASIC_DATA) == 0;
    char *text = NULL;

    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        char *longer;

        if ((entry->attributes >> attributes[i].bit & 1) == 0 ||
            (attributes[i].basic_data && !basic))
            continue;
        longer = text ? xasprintf("%s, %s", text, attributes[i].text) : xstrdup(attributes[i].text);
        free(text);
        text = longer;
    }
    return text;
}
