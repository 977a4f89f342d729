/*
 * What is wrong with a GPT: its checksums, its two copies against each other and against the disk,
 * its entries, and the MBR before it (UEFI Specification 2.10, 5.2.3 and 5.3).
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "report/bytes.h"
#include "report/parser_emit.h"
#include "report/parser_gpt.h"

#define MBR_ENTRIES_AT 446
#define MBR_ENTRIES 4
#define MBR_ENTRY_SIZE 16
#define MBR_TYPE 4
#define MBR_FIRST 8
#define MBR_SECTORS 12
#define MBR_MARK_AT 510 /* 0x55 0xAA */
#define TYPE_PROTECTIVE 0xee

/* Entries that one finding names at most. */
#define NAMED_MAX 8
/* Entries that are called wrong, each by a finding. */
#define WRONG_MAX 100

static void
send_header(const struct gpt *gpt, enum gpt_copy copy)
{
    const struct gpt_header *h = &gpt->header;
    json_t *message = emit_new("gpt");
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"lba", h->lba},
        {"my_lba", h->my_lba},
        {"alternate_lba", h->alternate_lba},
        {"first_usable", h->first_usable},
        {"last_usable", h->last_usable},
        {"entries_lba", h->entries_lba},
        {"entry_count", h->entry_count},
        {"entry_size", h->entry_size},
        {"header_crc", h->header_crc},
        {"header_crc_is", h->header_crc_is},
        {"entries_crc", h->entries_crc},
        {"entries_crc_is", h->entries_crc_is},
    };

    emit_text(message, "copy", gpt_copy_names[copy]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_set_u64(message, numbers[i].key, numbers[i].value);
    json_set_bool(message, "header_crc_ok", h->header_crc_ok);
    json_set_bool(message, "entries_crc_ok", h->entries_crc_ok);
    emit_text(message, "disk_guid", h->disk_guid);
    emit_send(message);
}

/* One copy by itself. */
static void
check_copy(const struct gpt *gpt, enum gpt_copy copy)
{
    const struct gpt_header *h = &gpt->header;
    const char *name = gpt_copy_names[copy];

    if (!h->header_crc_ok)
        emit_finding("gpt-checksum",
                     "the %s GPT header's checksum is 0x%08" PRIx64 ", that of its content is "
                     "0x%08" PRIx64,
                     name, h->header_crc, h->header_crc_is);
    if (gpt->n == 0)
        emit_finding("gpt-entries",
                     "the entries of the %s GPT cannot be read: %" PRIu64 " of %" PRIu64
                     " bytes at sector %" PRIu64,
                     name, h->entry_count, h->entry_size, h->entries_lba);
    else if (!h->entries_crc_ok)
        emit_finding("gpt-checksum",
                     "the checksum of the %s GPT's entries is 0x%08" PRIx64 ", that of their "
                     "content is 0x%08" PRIx64,
                     name, h->entries_crc, h->entries_crc_is);
    if (h->my_lba != h->lba)
        emit_finding("gpt-place",
                     "the %s GPT header stands in sector %" PRIu64 " and says it stands in "
                     "sector %" PRIu64,
                     name, h->lba, h->my_lba);
}

static bool
same_entries(const struct gpt_entry *a, const struct gpt_entry *b)
{
    return a->first == b->first && a->last == b->last && a->attributes == b->attributes &&
           strcmp(a->type_guid, b->type_guid) == 0 && strcmp(a->guid, b->guid) == 0 &&
           strcmp(a->name, b->name) == 0;
}

static void
describe_entry(bool there, const struct gpt_entry *e, char *out, size_t n)
{
    if (there)
        (void)snprintf(out, n, "'%s' in sectors %" PRIu64 " to %" PRIu64, e->name, e->first,
                       e->last);
    else
        (void)snprintf(out, n, "unused");
}

static void
compare_entries(const struct gpt *a, const struct gpt *b)
{
    size_t n = a->n > b->n ? a->n : b->n;
    size_t differing = 0;

    for (size_t i = 0; i < n; i++) {
        struct gpt_entry ea = {0};
        struct gpt_entry eb = {0};
        bool in_a = gpt_entry(a, i, &ea);
        bool in_b = gpt_entry(b, i, &eb);
        char text_a[256];
        char text_b[256];

        if (in_a == in_b && (!in_a || same_entries(&ea, &eb)))
            continue;
        if (differing++ >= NAMED_MAX)
            continue;
        describe_entry(in_a, &ea, text_a, sizeof text_a);
        describe_entry(in_b, &eb, text_b, sizeof text_b);
        emit_finding("gpt-copies",
                     "the two copies of the GPT disagree in slot %zu: the primary says %s, the "
                     "backup %s%s",
                     i, text_a, text_b,
                     in_a && in_b && ea.first == eb.first && ea.last == eb.last &&
                             strcmp(ea.name, eb.name) == 0
                         ? ", with another type, GUID or attributes"
                         : "");
    }
    if (differing > NAMED_MAX)
        emit_finding("gpt-copies", "the two copies of the GPT disagree in %zu slots", differing);
}

static void
compare_copies(const struct gpt *a, const struct gpt *b)
{
    const struct gpt_header *x = &a->header;
    const struct gpt_header *y = &b->header;

    if (strcmp(a->guid, b->guid) != 0)
        emit_finding("gpt-copies",
                     "the two copies of the GPT disagree: the disk's GUID is %s in the primary, "
                     "%s in the backup",
                     a->guid, b->guid);
    if (x->first_usable != y->first_usable || x->last_usable != y->last_usable)
        emit_finding("gpt-copies",
                     "the two copies of the GPT disagree: usable are sectors %" PRIu64
                     " to %" PRIu64 " in the primary, %" PRIu64 " to %" PRIu64 " in the backup",
                     x->first_usable, x->last_usable, y->first_usable, y->last_usable);
    if (x->entry_count != y->entry_count || x->entry_size != y->entry_size)
        emit_finding("gpt-copies",
                     "the two copies of the GPT disagree: %" PRIu64 " entries of %" PRIu64
                     " bytes in the primary, %" PRIu64 " of %" PRIu64 " in the backup",
                     x->entry_count, x->entry_size, y->entry_count, y->entry_size);
    if (y->alternate_lba != x->lba)
        emit_finding("gpt-place",
                     "the backup GPT header says the primary stands in sector %" PRIu64,
                     y->alternate_lba);
    compare_entries(a, b);
}

/* One entry by itself; true if something is wrong with it. */
static bool
check_place(const struct gpt *gpt, const struct gpt_entry *e)
{
    if (e->last < e->first) {
        emit_finding("gpt-entry", "the entry '%s' in slot %zu ends before it starts", e->name,
                     e->slot);
        return true;
    }
    if (e->first >= gpt->header.first_usable && e->last <= gpt->header.last_usable)
        return false;
    emit_finding(
        "gpt-entry",
        "the entry '%s' in slot %zu (sectors %" PRIu64 " to %" PRIu64
        ") leaves the range that the header gives to partitions (%" PRIu64 " to %" PRIu64 ")",
        e->name, e->slot, e->first, e->last, gpt->header.first_usable, gpt->header.last_usable);
    return true;
}

static bool
check_guid(const struct gpt *gpt, const struct gpt_entry *e)
{
    for (size_t k = 0; k < e->slot; k++) {
        if (gpt_same_guid(gpt, k, e->slot)) {
            emit_finding("gpt-entry", "the entries in slots %zu and %zu have the same GUID %s", k,
                         e->slot, e->guid);
            return true;
        }
    }
    return false;
}

static void
check_entries(const struct gpt *gpt)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < gpt->n; i++) {
        struct gpt_entry e;

        if (!gpt_entry(gpt, i, &e))
            continue;
        wrong += check_place(gpt, &e);
        wrong += check_guid(gpt, &e);
        if (wrong > WRONG_MAX) { /* a table made to fill pages */
            emit_finding("gpt-entry", "the entries after slot %zu were not checked further", i);
            return;
        }
    }
}

/* Where the backup should be, and where the disk ends. */
static void
check_end(const struct parser_image *p, const struct gpt *primary, const struct gpt *backup)
{
    uint64_t last = p->length / primary->sector_size - 1;

    if (!backup) {
        emit_finding("gpt-backup",
                     "the GPT has no backup: none stands in sector %" PRIu64 ", where the primary "
                     "says it is, nor in the last sector (%" PRIu64 ")",
                     primary->header.alternate_lba, last);
        return;
    }
    if (primary->header.alternate_lba != backup->header.lba)
        emit_finding("gpt-place",
                     "the primary GPT header says the backup stands in sector %" PRIu64
                     "; it stands in sector %" PRIu64,
                     primary->header.alternate_lba, backup->header.lba);
    if (backup->header.lba < last)
        emit_finding("gpt-place",
                     "the backup GPT stands %" PRIu64 " sectors before the end of the media: it "
                     "was written when the disk, or what was copied onto it, was smaller",
                     last - backup->header.lba);
}

struct mbr {
    unsigned protective; /* entries of type 0xee */
    unsigned others;     /* further entries in use */
    char named[256];     /* those */
    uint64_t first;      /* of the first protective entry, sectors */
    uint64_t sectors;
};

static void
read_mbr(const uint8_t *sector, struct mbr *mbr)
{
    size_t used = 0;

    *mbr = (struct mbr){0};
    for (size_t i = 0; i < MBR_ENTRIES; i++) {
        const uint8_t *e = sector + MBR_ENTRIES_AT + i * MBR_ENTRY_SIZE;

        if (e[MBR_TYPE] == TYPE_PROTECTIVE) {
            if (mbr->protective++ == 0) {
                mbr->first = le32(e + MBR_FIRST);
                mbr->sectors = le32(e + MBR_SECTORS);
            }
        } else if (e[MBR_TYPE] != 0) {
            mbr->others++;
            used += (size_t)snprintf(mbr->named + used, sizeof mbr->named - used,
                                     "%stype 0x%02x in sectors %" PRIu32 " to %" PRIu64,
                                     used > 0 ? ", " : "", e[MBR_TYPE], le32(e + MBR_FIRST),
                                     (uint64_t)le32(e + MBR_FIRST) + le32(e + MBR_SECTORS) - 1);
        }
    }
}

/* The MBR of a disk with a GPT: one entry over everything, so that old tools leave it alone. */
static void
check_mbr(struct parser_image *p, uint32_t sector_size)
{
    uint8_t sector[512];
    uint64_t last = p->length / sector_size - 1;
    uint64_t wanted = last < UINT32_MAX ? last : UINT32_MAX;
    struct mbr mbr;

    if (parser_image_read(p, sector, sizeof sector, 0) != (ssize_t)sizeof sector)
        return;
    read_mbr(sector, &mbr);
    if (sector[MBR_MARK_AT] != 0x55 || sector[MBR_MARK_AT + 1] != 0xaa || mbr.protective == 0) {
        emit_finding("protective-mbr", "the disk has a GPT without a protective MBR%s%s",
                     mbr.others > 0 ? "; its MBR holds " : "", mbr.named);
        return;
    }
    if (mbr.others > 0)
        emit_finding("hybrid-mbr",
                     "the MBR is a hybrid: beside the protective entry it holds %s, which systems "
                     "without GPT see instead of the GPT's partitions",
                     mbr.named);
    else if (mbr.first != 1)
        emit_finding("protective-mbr",
                     "the protective MBR entry starts in sector %" PRIu64 ", not in sector 1",
                     mbr.first);
    else if (mbr.sectors != wanted && mbr.sectors != UINT32_MAX)
        emit_finding("protective-mbr",
                     "the protective MBR entry covers %" PRIu64 " sectors, the disk has %" PRIu64
                     " after the first",
                     mbr.sectors, last);
    if (mbr.protective > 1)
        emit_finding("protective-mbr", "the MBR has %u protective entries", mbr.protective);
}

/* A second table for another sector size, as a disk has that was moved between enclosures. */
static void
check_other_sizes(struct parser_image *p, uint32_t sector_size)
{
    static const uint32_t sizes[] = {512, 1024, 2048, 4096};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct gpt *other =
            sizes[i] != sector_size ? gpt_load(p, sizes[i], GPT_PRIMARY, NULL) : NULL;

        if (other && other->header.header_crc_ok)
            emit_finding("sector-size",
                         "beside the GPT for sectors of %" PRIu32 " bytes there is one for sectors "
                         "of %" PRIu32 " bytes",
                         sector_size, sizes[i]);
        gpt_free(other);
    }
}

/* libtsk takes the protective MBR of a GPT disk for a DOS table where the GPT itself is damaged. */
static void
tell_of_backup(const struct gpt *primary, const struct gpt *backup)
{
    char *named = xstrdup("");
    struct gpt_entry e;
    size_t n = 0;

    for (size_t i = 0; backup && i < backup->n; i++) {
        if (!gpt_entry(backup, i, &e) || n++ >= NAMED_MAX)
            continue;
        char *longer = xasprintf("%s%s'%s' in sectors %" PRIu64 " to %" PRIu64, named,
                                 n > 1 ? ", " : "", e.name, e.first, e.last);

        free(named);
        named = longer;
    }
    if (backup)
        emit_finding("gpt-damaged",
                     "the disk has a protective MBR but no usable primary GPT%s; its backup stands "
                     "at the end of the disk and names %zu partitions: %s%s",
                     primary ? ", only a damaged one" : "", n, named, n > NAMED_MAX ? ", …" : "");
    else
        emit_finding("gpt-damaged",
                     "the disk has a protective MBR but no usable primary GPT%s; no backup stands "
                     "at the end of the disk",
                     primary ? ", only a damaged one" : "");
    free(named);
}

static bool
is_protected(struct parser_image *p)
{
    uint8_t sector[512];
    struct mbr mbr;

    if (parser_image_read(p, sector, sizeof sector, 0) != (ssize_t)sizeof sector)
        return false;
    read_mbr(sector, &mbr);
    return mbr.protective > 0;
}

void
gpt_check(struct parser_image *p, const TSK_VS_INFO *found, const struct gpt *primary,
          const struct gpt *backup)
{
    bool is_gpt = found->vstype == TSK_VS_TYPE_GPT;

    if (!is_gpt && !is_protected(p))
        return;
    if (primary)
        send_header(primary, GPT_PRIMARY);
    if (backup)
        send_header(backup, GPT_BACKUP);
    if (!is_gpt || found->is_backup)
        tell_of_backup(primary, backup);
    if (primary)
        check_copy(primary, GPT_PRIMARY);
    if (backup)
        check_copy(backup, GPT_BACKUP);
    if (primary)
        check_end(p, primary, backup);
    if (primary && backup)
        compare_copies(primary, backup);
    if (primary || backup)
        check_entries(primary && primary->n > 0 ? primary : backup ? backup : primary);
    check_mbr(p, found->block_size);
    check_other_sizes(p, found->block_size);
}
