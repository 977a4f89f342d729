/*
 * What is wrong with the sectors of a DOS, BSD, Sun or Apple partition table itself. What is wrong
 * with where the partitions lie is found from the rows (layout.c).
 */
#include <inttypes.h>

#include "common/text.h"
#include "report/bytes.h"
#include "report/parser.h"
#include "report/parser_emit.h"

/* The IBM PC's table: four entries of 16 bytes at 446, 0x55 0xAA at 510, in sector 0 and in the
   first sector of each logical partition's stretch. */
#define DOS_ENTRIES_AT 446
#define DOS_ENTRY_SIZE 16
#define DOS_SLOTS 4
#define DOS_MARK_AT 510
#define DOS_CHAIN_MAX 256

/* 4.4BSD <sys/disklabel.h>: in sector 1; the checksum makes all 16-bit words up to the last entry
   zero together. */
#define BSD_MAGIC 0x82564557u
#define BSD_MAGIC2_AT 132
#define BSD_COUNT_AT 138
#define BSD_SECTOR_SIZE_AT 40
#define BSD_ENTRIES_AT 148
#define BSD_ENTRY_SIZE 16
#define BSD_SLOTS 22 /* as many as one sector holds */

/* Sun's label: in sector 0 all 16-bit words are zero together. */
#define SUN_MAGIC 0xdabeu
#define SUN_MAGIC_AT 508

/* Inside Macintosh: Devices, chapter 3: the driver descriptor in block 0, then one entry a block,
   each with the number of entries. */
#define APM_BLOCK_SIZE_AT 2
#define APM_BLOCK_COUNT_AT 4
#define APM_COUNT_AT 4
#define APM_START_AT 8
#define APM_LENGTH_AT 12
#define APM_DATA_START_AT 80
#define APM_DATA_LENGTH_AT 84
#define APM_ENTRIES_MAX 256

static bool
read_at(struct parser_image *p, const TSK_VS_INFO *vs, uint64_t sector, uint8_t out[512])
{
    return sector <= p->length / vs->block_size &&
           parser_image_read(p, out, 512, sector * vs->block_size) == 512;
}

static bool
is_extended(uint8_t type)
{
    return type == 0x05 || type == 0x0f || type == 0x85;
}

static const uint8_t *
dos_slot(const uint8_t *sector, size_t i)
{
    return sector + DOS_ENTRIES_AT + i * DOS_ENTRY_SIZE;
}

static void
check_dos_entry(const uint8_t *e, uint64_t sector, size_t slot)
{
    if (e[0] != 0 && e[0] != 0x80)
        emit_finding("dos-entry",
                     "slot %zu of the table in sector %" PRIu64
                     " has the boot flag 0x%02x: only 0x00 and 0x80 have a meaning",
                     slot, sector, e[0]);
    if (e[4] != 0 && le32(e + 12) == 0)
        emit_finding("dos-entry",
                     "slot %zu of the table in sector %" PRIu64
                     " has the type 0x%02x and no sectors",
                     slot, sector, e[4]);
}

/* One table of an extended chain; the place of the next one relative to the first, or 0. */
static uint64_t
check_link(const uint8_t *sector, uint64_t at, uint64_t length)
{
    uint64_t next = 0;
    unsigned logical = 0;
    unsigned links = 0;

    for (size_t i = 0; i < DOS_SLOTS; i++) {
        const uint8_t *e = dos_slot(sector, i);

        check_dos_entry(e, at, i);
        if (is_extended(e[4])) {
            if (links++ == 0)
                next = le32(e + 8);
        } else if (e[4] != 0) {
            logical++;
        }
    }
    if (logical > 1 || links > 1)
        emit_finding("dos-chain",
                     "the extended table in sector %" PRIu64 " has %u partitions and %u links; it "
                     "may have one of each",
                     at, logical, links);
    if (next >= length && next > 0)
        emit_finding("dos-chain",
                     "the extended table in sector %" PRIu64 " points %" PRIu64
                     " sectors past the end of its extended partition",
                     at, next - length);
    return next;
}

static void
check_chain(struct parser_image *p, const TSK_VS_INFO *vs, uint64_t first, uint64_t length)
{
    uint64_t next = 0;

    for (unsigned i = 0; i < DOS_CHAIN_MAX; i++) {
        uint64_t at = first + next;
        uint64_t previous = next;
        uint8_t sector[512];

        if (!read_at(p, vs, at, sector)) {
            emit_finding("dos-chain", "the extended table in sector %" PRIu64 " cannot be read",
                         at);
            return;
        }
        if (sector[DOS_MARK_AT] != 0x55 || sector[DOS_MARK_AT + 1] != 0xaa) {
            emit_finding("dos-chain",
                         "no table stands in sector %" PRIu64
                         ", where the chain of logical partitions goes on",
                         at);
            return;
        }
        next = check_link(sector, at, length);
        if (next == 0)
            return;
        if (next <= previous) {
            emit_finding("dos-chain",
                         "the chain of logical partitions goes back from sector %" PRIu64
                         " to sector %" PRIu64 ": it is out of order, or a loop",
                         at, first + next);
            return;
        }
    }
    emit_finding("dos-chain", "the chain of logical partitions has more than %d links",
                 DOS_CHAIN_MAX);
}

/* Partitions that lie over an extended one; libtsk has no row for it that could be compared. */
static void
check_extended_overlap(const uint8_t *sector, size_t extended)
{
    const uint8_t *x = dos_slot(sector, extended);
    uint64_t from = le32(x + 8);
    uint64_t to = from + le32(x + 12);

    for (size_t i = 0; i < DOS_SLOTS; i++) {
        const uint8_t *e = dos_slot(sector, i);
        uint64_t start = le32(e + 8);
        uint64_t end = start + le32(e + 12);

        if (i != extended && e[4] != 0 && start < to && from < end)
            emit_finding("overlap",
                         "the partition in slot %zu overlaps the extended partition in "
                         "slot %zu",
                         i, extended);
    }
}

static void
check_dos(struct parser_image *p, const TSK_VS_INFO *vs)
{
    uint8_t sector[512];
    unsigned active = 0;
    unsigned extended = 0;

    if (!read_at(p, vs, 0, sector))
        return;
    for (size_t i = 0; i < DOS_SLOTS; i++) {
        const uint8_t *e = dos_slot(sector, i);

        check_dos_entry(e, 0, i);
        active += e[0] == 0x80;
        if (!is_extended(e[4]))
            continue;
        extended++;
        check_extended_overlap(sector, i);
        if ((uint64_t)le32(e + 8) + le32(e + 12) > p->length / vs->block_size)
            emit_finding("past-end",
                         "the extended partition in slot %zu ends past the end of the media", i);
        check_chain(p, vs, le32(e + 8), le32(e + 12));
    }
    if (active > 1)
        emit_finding("dos-entry", "%u partitions are marked active; one may be", active);
    if (extended > 1)
        emit_finding("dos-entry", "the table has %u extended partitions; it may have one",
                     extended);
}

static void
check_bsd(struct parser_image *p, const TSK_VS_INFO *vs)
{
    uint8_t s[512];
    bool big;
    uint32_t n;
    uint32_t size;
    uint32_t sum = 0;

    if (!read_at(p, vs, 1, s))
        return;
    big = be32(s) == BSD_MAGIC;
    n = big ? be16(s + BSD_COUNT_AT) : le16(s + BSD_COUNT_AT);
    size = big ? be32(s + BSD_SECTOR_SIZE_AT) : le32(s + BSD_SECTOR_SIZE_AT);
    if ((big ? be32(s + BSD_MAGIC2_AT) : le32(s + BSD_MAGIC2_AT)) != BSD_MAGIC)
        emit_finding("label-damaged", "the BSD label's second mark is missing");
    if (size != vs->block_size)
        emit_finding("sector-size", "the BSD label is for sectors of %" PRIu32 " bytes", size);
    if (n > BSD_SLOTS) {
        emit_finding("label-damaged", "the BSD label says it has %" PRIu32 " entries", n);
        return;
    }
    for (size_t i = 0; i < BSD_ENTRIES_AT + n * BSD_ENTRY_SIZE; i += 2)
        sum ^= le16(s + i);
    if (sum != 0)
        emit_finding("label-checksum", "the BSD label's checksum does not fit its content");
}

static void
check_sun(struct parser_image *p, const TSK_VS_INFO *vs)
{
    uint8_t s[512];
    uint32_t sum = 0;

    if (!read_at(p, vs, 0, s) || be16(s + SUN_MAGIC_AT) != SUN_MAGIC)
        return; /* the label of Solaris on PCs has its checksum elsewhere */
    for (size_t i = 0; i < sizeof s; i += 2)
        sum ^= be16(s + i);
    if (sum != 0)
        emit_finding("label-checksum", "the Sun label's checksum does not fit its content");
}

static void
check_apm_entry(const uint8_t *s, uint64_t block, uint32_t count)
{
    uint64_t length = be32(s + APM_LENGTH_AT);
    uint64_t data = be32(s + APM_DATA_START_AT);
    uint64_t data_length = be32(s + APM_DATA_LENGTH_AT);

    if (be32(s + APM_COUNT_AT) != count)
        emit_finding("apm-entry",
                     "the entry in block %" PRIu64 " says the map has %" PRIu32
                     " entries, the first one says %" PRIu32,
                     block, be32(s + APM_COUNT_AT), count);
    if (data + data_length > length)
        emit_finding("apm-entry",
                     "the data area of the entry in block %" PRIu64 " ends %" PRIu64
                     " blocks past its partition",
                     block, data + data_length - length);
}

static void
check_apm(struct parser_image *p, const TSK_VS_INFO *vs)
{
    uint8_t s[512];
    uint64_t blocks;
    uint32_t size;
    uint32_t count;

    if (!read_at(p, vs, 0, s))
        return;
    if (memcmp(s, "ER", 2) == 0) {
        size = be16(s + APM_BLOCK_SIZE_AT);
        blocks = (uint64_t)be32(s + APM_BLOCK_COUNT_AT) * size;
        /* Hybrid CDs have blocks of 2,048 bytes and a map in blocks of 512; those that boot on PCs
           have a jump of the x86 where the count should be. */
        if (size != vs->block_size && size != 2048)
            emit_finding("sector-size",
                         "the driver descriptor says that blocks have %" PRIu32
                         " bytes, the map is in blocks of %u",
                         size, vs->block_size);
        if (blocks > p->length && memcmp(s + APM_BLOCK_COUNT_AT, "\xeb\x02\xff\xff", 4) != 0)
            emit_finding("past-end",
                         "the driver descriptor says the disk has %" PRIu64 " bytes, %" PRIu64
                         " more than the media",
                         blocks, blocks - p->length);
    } else {
        emit_finding("apm-entry", "there is no driver descriptor in block 0");
    }
    if (!read_at(p, vs, 1, s))
        return;
    count = be32(s + APM_COUNT_AT);
    for (uint32_t i = 1; i <= count && i <= APM_ENTRIES_MAX; i++) {
        if (!read_at(p, vs, i, s) || memcmp(s, "PM", 2) != 0) {
            emit_finding("apm-entry",
                         "no entry stands in block %" PRIu32 ", of %" PRIu32
                         " that the map should have",
                         i, count);
            return;
        }
        check_apm_entry(s, i, count);
    }
}

void
parser_table_check(struct parser_image *p, const TSK_VS_INFO *vs)
{
    static const struct {
        TSK_VS_TYPE_ENUM type;
        void (*check)(struct parser_image *p, const TSK_VS_INFO *vs);
    } checks[] = {
        {TSK_VS_TYPE_DOS, check_dos},
        {TSK_VS_TYPE_BSD, check_bsd},
        {TSK_VS_TYPE_SUN, check_sun},
        {TSK_VS_TYPE_MAC, check_apm},
    };

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].type == vs->vstype)
            checks[i].check(p, vs);
    }
}
