/*
 * What the entries of a partition table say that libtsk does not hand out: flags and names. The
 * places are those of each table's own description: the IBM PC's (also UEFI Specification 2.10,
 * 5.2.1), Apple's Inside Macintosh: Devices, chapter 3, and Sun's volume table of contents as in
 * illumos' <sys/dklabel.h> and <sys/vtoc.h>.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "report/bytes.h"
#include "report/parser.h"
#include "report/parser_emit.h"

#define DOS_ENTRIES_AT 446
#define DOS_ENTRY_SIZE 16
#define DOS_SLOTS 4
#define DOS_ACTIVE 0x80

#define APM_NAME_AT 16
#define APM_NAME_LEN 32
#define APM_STATUS_AT 88

#define SUN_SLOTS 16
#define SUN_SPARC_TAGS_AT 142  /* 2 bytes tag, 2 bytes flags each; sector 0 */
#define SUN_I386_ENTRIES_AT 72 /* the same, then start and length: 12 bytes each; sector 1 */
#define SUN_I386_ENTRY_SIZE 12

struct flag {
    uint32_t bit;
    const char *text;
};

static const struct flag apm_flags[] = {
    {0x2, "allocated"}, {0x4, "in use"},    {0x8, "bootable"},
    {0x10, "readable"}, {0x20, "writable"}, {0x40, "position-independent boot code"},
};

static const struct flag sun_flags[] = {
    {0x01, "not mountable"},
    {0x10, "read-only"},
};

static char *
flags_text(uint32_t value, const struct flag *flags, size_t n)
{
    char *text = NULL;

    for (size_t i = 0; i < n; i++) {
        char *longer;

        if ((value & flags[i].bit) == 0)
            continue;
        longer = text ? xasprintf("%s, %s", text, flags[i].text) : xstrdup(flags[i].text);
        free(text);
        text = longer;
    }
    return text;
}

static bool
read_sector(struct parser_image *p, const TSK_VS_INFO *vs, uint64_t sector, uint8_t out[512])
{
    return sector <= p->length / vs->block_size &&
           parser_image_read(p, out, 512, sector * vs->block_size) == 512;
}

/* libtsk's descriptions of DOS, BSD and Sun entries end with the type: "Linux (0x83)". */
static void
add_type_code(const TSK_VS_PART_INFO *part, json_t *message)
{
    size_t n = part->desc ? strlen(part->desc) : 0;
    const char *open = n > 0 ? strrchr(part->desc, '(') : NULL;

    if (open && part->desc[n - 1] == ')' && strncmp(open, "(0x", 3) == 0) {
        AUTO_FREE char *code = xstrndup(open + 1, n - (size_t)(open - part->desc) - 2);

        emit_text(message, "type_code", code);
    }
}

/* The sector with the table that the row is from: the first one for table 0, else where libtsk
   shows a row for the table itself. */
static bool
dos_table_sector(const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part, uint64_t *sector)
{
    *sector = 0;
    for (const TSK_VS_PART_INFO *t = vs->part_list; t && part->table_num > 0; t = t->next) {
        *sector = t->start;
        if (t->table_num == part->table_num && t->slot_num == -1 &&
            (t->flags & TSK_VS_PART_FLAG_META))
            return true;
    }
    return part->table_num == 0;
}

static void
dos_entry(struct parser_image *p, const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part,
          json_t *message)
{
    uint8_t sector[512];
    uint64_t at;
    uint8_t flag;

    if (part->slot_num < 0 || part->slot_num >= DOS_SLOTS || !dos_table_sector(vs, part, &at) ||
        !read_sector(p, vs, at, sector))
        return;
    flag = sector[DOS_ENTRIES_AT + part->slot_num * DOS_ENTRY_SIZE];
    if (flag == DOS_ACTIVE) {
        emit_text(message, "flags", "active");
    } else if (flag != 0) {
        AUTO_FREE char *odd = xasprintf("boot flag 0x%02x", flag);

        emit_text(message, "flags", odd);
    }
}

static void
apm_entry(struct parser_image *p, const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part,
          json_t *message)
{
    uint8_t sector[512];

    emit_text(message, "type_code", part->desc);
    if (part->slot_num < 0 || !read_sector(p, vs, (uint64_t)part->slot_num + 1, sector))
        return;
    AUTO_FREE char *flags =
        flags_text(be32(sector + APM_STATUS_AT), apm_flags, sizeof apm_flags / sizeof apm_flags[0]);
    AUTO_FREE char *name = xstrndup((const char *)sector + APM_NAME_AT, APM_NAME_LEN);

    emit_text(message, "flags", flags);
    emit_text(message, "label", *name ? name : NULL);
}

static void
sun_entry(struct parser_image *p, const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part,
          json_t *message)
{
    bool little = vs->endian == TSK_LIT_ENDIAN;
    uint8_t sector[512];
    const uint8_t *flags;

    if (part->slot_num < 0 || part->slot_num >= (little ? SUN_SLOTS : SUN_SLOTS / 2) ||
        !read_sector(p, vs, little ? 1 : 0, sector))
        return;
    flags = little ? sector + SUN_I386_ENTRIES_AT + part->slot_num * SUN_I386_ENTRY_SIZE + 2
                   : sector + SUN_SPARC_TAGS_AT + 4 * part->slot_num + 2;
    AUTO_FREE char *text = flags_text(little ? le16(flags) : be16(flags), sun_flags,
                                      sizeof sun_flags / sizeof sun_flags[0]);

    emit_text(message, "flags", text);
}

void
parser_entry(struct parser_image *p, const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part,
             json_t *message)
{
    if (vs->vstype != TSK_VS_TYPE_GPT && vs->vstype != TSK_VS_TYPE_MAC)
        add_type_code(part, message);
    if (part->slot_num == -1)
        return;
    if (vs->vstype == TSK_VS_TYPE_DOS)
        dos_entry(p, vs, part, message);
    else if (vs->vstype == TSK_VS_TYPE_MAC)
        apm_entry(p, vs, part, message);
    else if (vs->vstype == TSK_VS_TYPE_SUN)
        sun_entry(p, vs, part, message);
}
