/*
 * The GUIDs and attributes of a GUID Partition Table, which libtsk does not hand out (UEFI
 * Specification 2.10, sections 5.3.2 and 5.3.3). libtsk has found the table and its sector size.
 */
#include <endian.h>

#include "common/text.h"
#include "report/parser.h"

#define HEADER_SIGNATURE "EFI PART"
#define HEADER_MIN 92
#define HEADER_ENTRIES_AT 72  /* 8 bytes: first sector of the entries */
#define HEADER_ENTRY_COUNT 80 /* 4 bytes */
#define HEADER_ENTRY_SIZE 84  /* 4 bytes */
#define ENTRY_MIN 128
#define ENTRY_TYPE 0
#define ENTRY_GUID 16
#define ENTRY_FIRST 32
#define ENTRY_ATTRIBUTES 48

/* Tables have 128 entries; libtsk stops far below this. */
#define ENTRIES_MAX 4096u
#define ENTRY_SIZE_MAX 4096u

struct gpt {
    uint8_t *entries;
    size_t entry_size;
    size_t n;
};

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

static uint64_t
le64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

static uint32_t
le32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return le32toh(v);
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

struct gpt *
gpt_load(struct parser_image *p, uint32_t sector_size, bool backup)
{
    uint64_t sectors = p->length / sector_size;
    uint64_t header_at = backup && sectors > 0 ? sectors - 1 : 1;
    uint8_t header[HEADER_MIN];
    uint64_t entries_at;
    struct gpt *gpt;
    size_t size;

    if (parser_image_read(p, header, sizeof header, header_at * sector_size) != sizeof header ||
        memcmp(header, HEADER_SIGNATURE, 8) != 0)
        return NULL;
    entries_at = le64(header + HEADER_ENTRIES_AT);
    gpt = xcalloc(1, sizeof *gpt);
    gpt->n = le32(header + HEADER_ENTRY_COUNT);
    gpt->entry_size = le32(header + HEADER_ENTRY_SIZE);
    if (gpt->n > ENTRIES_MAX)
        gpt->n = ENTRIES_MAX;
    if (gpt->entry_size < ENTRY_MIN || gpt->entry_size > ENTRY_SIZE_MAX ||
        entries_at > p->length / sector_size)
        gpt->n = 0;
    size = gpt->n * gpt->entry_size;
    gpt->entries = xcalloc(size + 1, 1);
    if (parser_image_read(p, gpt->entries, size, entries_at * sector_size) != (ssize_t)size)
        gpt->n = 0;
    return gpt;
}

bool
gpt_find(const struct gpt *gpt, uint64_t start, struct gpt_entry *out)
{
    static const uint8_t unused[16];

    for (size_t i = 0; gpt && i < gpt->n; i++) {
        const uint8_t *e = gpt->entries + i * gpt->entry_size;

        if (memcmp(e + ENTRY_TYPE, unused, 16) == 0 || le64(e + ENTRY_FIRST) != start)
            continue;
        out->slot = i;
        guid_text(e + ENTRY_TYPE, out->type_guid);
        guid_text(e + ENTRY_GUID, out->guid);
        out->attributes = le64(e + ENTRY_ATTRIBUTES);
        out->type_name = NULL;
        for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
            if (strcmp(out->type_guid, types[k].guid) == 0)
                out->type_name = types[k].name;
        }
        return true;
    }
    return false;
}
