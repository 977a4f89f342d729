#include "acquire/device/ata_identify.h"

#include <string.h>

/* Words of IDENTIFY DEVICE (ACS-3, table 45); their bytes are little-endian. */
enum {
    WORD_GENERAL = 0, /* bit 15: not an ATA device */
    WORD_SERIAL = 10,
    WORD_FIRMWARE = 23,
    WORD_MODEL = 27,
    WORD_SECTORS_28 = 60,
    WORD_ADDITIONAL =
        69,            /* bit 3: words 230 to 233 hold; bits 5 and 14: what trimmed sectors are */
    WORD_SETS_82 = 82, /* bit 10: HPA */
    WORD_SETS_83 = 83, /* bit 10: 48-bit addresses, bit 11: DCO */
    WORD_SECTORS_48 = 100,
    WORD_SECTOR_SIZE = 106,   /* bit 12: words 117 and 118 hold; bit 13: bits 3 to 0 hold */
    WORD_LOGICAL_WORDS = 117, /* of a logical sector */
    WORD_SETS_119 = 119,      /* bit 8: Accessible Max Address */
    WORD_SECURITY = 128,      /* bit 2: locked, bit 3: frozen */
    WORD_TRIM = 169,          /* bit 0 */
    WORD_ROTATION = 217,      /* 1: does not rotate */
    WORD_SECTORS_EXT = 230,
};

#define WORD_INTEGRITY 255u
#define INTEGRITY_SIGNATURE 0xA5
#define ROTATION_NONE 1
#define ROTATION_LEAST 0x0401
#define ROTATION_MOST 0xFFFE
/* No sector is as large; what says so is no sector size. */
#define SECTOR_SIZE_MOST (1u << 20)

/* Words of DEVICE CONFIGURATION IDENTIFY (ATA8-ACS, 7.11.4). */
#define DCO_MAX_LBA 3

#define LBA_48_MOST ((UINT64_C(1) << 48) - 1)

static uint16_t
word(const unsigned char *block, size_t i)
{
    return (uint16_t)(block[2 * i] | block[2 * i + 1] << 8);
}

static uint64_t
words(const unsigned char *block, size_t first, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 16 | word(block, first + n);
    return v;
}

/* Words 83 and 119 (and 106) say in their two top bits that they mean something. */
static bool
is_valid(uint16_t v)
{
    return (v & 0xC000) == 0x4000;
}

static bool
bit(const unsigned char *block, size_t i, unsigned n)
{
    return (word(block, i) >> n & 1) != 0;
}

/* A word of all ones is none. */
static bool
security_says(const unsigned char *block, unsigned n)
{
    return word(block, WORD_SECURITY) != 0xFFFF && bit(block, WORD_SECURITY, n);
}

/* A checksum is optional in IDENTIFY DEVICE: without the signature there is none. */
static bool
checksum_is_wrong(const unsigned char *block)
{
    unsigned char sum = 0;

    if (block[2 * WORD_INTEGRITY] != INTEGRITY_SIGNATURE)
        return false;
    for (size_t i = 0; i < ATA_BLOCK_SIZE; i++)
        sum = (unsigned char)(sum + block[i]);
    return sum != 0;
}

static bool
is_one_value(const unsigned char *block)
{
    for (size_t i = 1; i < ATA_BLOCK_SIZE; i++) {
        if (block[i] != block[0])
            return false;
    }
    return true;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\0';
}

void
ata_text(const unsigned char *identify, size_t at, size_t n, char *out, size_t size)
{
    size_t from = 0;
    size_t used = 0;

    while (from < n && is_blank((char)identify[at + (from ^ 1)]))
        from++;
    for (; from < n && used + 1 < size && identify[at + (from ^ 1)] != '\0'; from++)
        out[used++] = (char)identify[at + (from ^ 1)];
    while (used > 0 && is_blank(out[used - 1]))
        used--;
    out[used] = '\0';
}

static uint64_t
sectors_of(const unsigned char *b, bool lba48)
{
    uint64_t n = words(b, WORD_SECTORS_28, 2);

    if (lba48 && words(b, WORD_SECTORS_48, 4) != 0)
        n = words(b, WORD_SECTORS_48, 4);
    if (bit(b, WORD_ADDITIONAL, 3) && words(b, WORD_SECTORS_EXT, 4) != 0)
        n = words(b, WORD_SECTORS_EXT, 4);
    return n;
}

static void
find_sector_sizes(const unsigned char *b, struct ata_identify *out)
{
    uint16_t v = word(b, WORD_SECTOR_SIZE);
    uint64_t logical = 512;

    if (is_valid(v) && (v >> 12 & 1))
        logical = words(b, WORD_LOGICAL_WORDS, 2) * 2;
    if (logical < 512 || logical > SECTOR_SIZE_MOST)
        logical = 512;
    out->logical_sector_size = (uint32_t)logical;
    out->physical_sector_size = out->logical_sector_size;
    if (is_valid(v) && (v >> 13 & 1) && logical << (v & 0xf) <= SECTOR_SIZE_MOST)
        out->physical_sector_size = (uint32_t)(logical << (v & 0xf));
}

bool
ata_identify_parse(const void *bytes, size_t n, struct ata_identify *out)
{
    const unsigned char *b = bytes;
    uint16_t rotation;

    memset(out, 0, sizeof *out);
    if (n != ATA_BLOCK_SIZE || is_one_value(b) || bit(b, WORD_GENERAL, 15) || checksum_is_wrong(b))
        return false;
    ata_text(b, (size_t)WORD_MODEL * 2, 40, out->model, sizeof out->model);
    ata_text(b, (size_t)WORD_SERIAL * 2, 20, out->serial, sizeof out->serial);
    ata_text(b, (size_t)WORD_FIRMWARE * 2, 8, out->firmware, sizeof out->firmware);
    if (is_valid(word(b, WORD_SETS_83))) {
        out->lba48 = bit(b, WORD_SETS_83, 10);
        out->dco = bit(b, WORD_SETS_83, 11);
        out->hpa = bit(b, WORD_SETS_82, 10);
    }
    out->ama = is_valid(word(b, WORD_SETS_119)) && bit(b, WORD_SETS_119, 8);
    out->sectors = sectors_of(b, out->lba48);
    find_sector_sizes(b, out);
    out->trim = bit(b, WORD_TRIM, 0);
    out->trim_zeroes = out->trim && bit(b, WORD_ADDITIONAL, 14) && bit(b, WORD_ADDITIONAL, 5);
    rotation = word(b, WORD_ROTATION);
    out->solid_state = rotation == ROTATION_NONE;
    if (rotation >= ROTATION_LEAST && rotation <= ROTATION_MOST)
        out->rotation = rotation;
    out->locked = ata_identify_locked(b, n);
    out->frozen = security_says(b, 3);
    return true;
}

bool
ata_identify_locked(const unsigned char *identify, size_t n)
{
    return n >= ATA_BLOCK_SIZE && security_says(identify, 2);
}

bool
ata_dco_parse(const void *bytes, size_t n, uint64_t *sectors)
{
    const unsigned char *b = bytes;
    uint64_t last;

    if (n != ATA_BLOCK_SIZE || b[2 * WORD_INTEGRITY] != INTEGRITY_SIGNATURE || checksum_is_wrong(b))
        return false;
    last = words(b, DCO_MAX_LBA, 4);
    if (last == 0 || last > LBA_48_MOST)
        return false;
    *sectors = last + 1;
    return true;
}

/* The ATA Status Return descriptor (SAT-3, table 186). */
static void
take_descriptor(const unsigned char *d, struct ata_registers *out)
{
    out->error = d[3];
    out->lba = (uint64_t)d[7] | (uint64_t)d[9] << 8 | (uint64_t)d[11] << 16;
    /* Only with EXTEND are the others of this command. */
    if (d[2] & 1)
        out->lba |= (uint64_t)d[6] << 24 | (uint64_t)d[8] << 32 | (uint64_t)d[10] << 40;
    out->lba_whole = true;
    out->device = d[12];
    out->status = d[13];
}

bool
ata_registers_parse(const void *sense, size_t n, struct ata_registers *out)
{
    const unsigned char *s = sense;
    size_t end;

    memset(out, 0, sizeof *out);
    if (n >= 8 && (s[0] & 0x7f) == 0x72) { /* descriptors (SPC-5, 4.4.2) */
        end = 8 + (size_t)s[7] < n ? 8 + (size_t)s[7] : n;
        for (size_t at = 8; at + 14 <= end; at += 2 + (size_t)s[at + 1]) {
            if (s[at] == 0x09 && s[at + 1] == 12) {
                take_descriptor(s + at, out);
                return true;
            }
        }
        return false;
    }
    /* Fixed format with ATA PASS-THROUGH INFORMATION AVAILABLE (SAT-3, 12.2.2.7). */
    if (n < 14 || (s[0] & 0x7f) != 0x70 || s[12] != 0x00 || s[13] != 0x1D)
        return false;
    out->error = s[3];
    out->status = s[4];
    out->device = s[5];
    out->lba = (uint64_t)s[9] | (uint64_t)s[10] << 8 | (uint64_t)s[11] << 16;
    out->lba_whole = (s[8] & 0x20) == 0;
    return true;
}

/* --- hidden sectors --- */

static const char *
why_not(uint8_t answer)
{
    switch ((enum ata_answer)answer) {
    case ATA_REFUSED:
        return "the drive refused to tell";
    case ATA_FAILED:
        return "the drive was asked and did not answer";
    case ATA_NOT_ASKED:
    case ATA_ANSWERED:
        break;
    }
    return "the drive was not asked";
}

static void
find_hpa(const struct ata_facts *f, const struct ata_identify *id, struct ata_hidden *out)
{
    if (f->native_asked == ATA_ANSWERED && f->native_max < LBA_48_MOST &&
        f->native_max + 1 >= id->sectors) {
        out->native = f->native_max + 1;
        out->hpa = out->native - id->sectors;
        out->hpa_known = true;
        if (f->native_is_ama)
            out->hpa_note = "by Accessible Max Address";
        return;
    }
    if (f->native_asked == ATA_ANSWERED) {
        out->hpa_note = "the drive's answers contradict each other";
        return;
    }
    out->hpa_note = why_not(f->native_asked);
    if (id->hpa || id->ama)
        return;
    out->hpa_known = true;
    out->native = id->sectors;
    out->hpa_note = "the drive has no such feature set";
}

static void
find_dco(const struct ata_facts *f, const struct ata_identify *id, struct ata_hidden *out)
{
    uint64_t reference = out->native ? out->native : id->sectors;

    if (!id->dco) {
        out->dco_known = true;
        out->dco_note = "the drive has no such feature set";
        return;
    }
    if (f->dco_asked != ATA_ANSWERED) {
        out->dco_note = why_not(f->dco_asked);
        return;
    }
    if (!ata_dco_parse(f->dco, sizeof f->dco, &out->whole) || out->whole < reference) {
        out->whole = 0;
        out->dco_note = "the drive's answers contradict each other";
        return;
    }
    if (!out->native) {
        out->dco_note = "not to be told from a host protected area, which is not known";
        return;
    }
    out->dco = out->whole - out->native;
    out->dco_known = true;
}

static const char *
why_not_identified(uint8_t answer)
{
    switch ((enum ata_answer)answer) {
    case ATA_ANSWERED:
        return "the drive's identification makes no sense";
    case ATA_REFUSED:
        return "no ATA drive, or behind a bridge that passes no ATA command on";
    case ATA_NOT_ASKED:
        return "only ATA drives are asked";
    case ATA_FAILED:
        break;
    }
    return why_not(answer);
}

void
ata_find_hidden(const struct ata_facts *facts, struct ata_hidden *out)
{
    struct ata_identify id;

    memset(out, 0, sizeof *out);
    if (facts->identified != ATA_ANSWERED ||
        !ata_identify_parse(facts->identify, sizeof facts->identify, &id)) {
        out->hpa_note = out->dco_note = why_not_identified(facts->identified);
        return;
    }
    find_hpa(facts, &id, out);
    find_dco(facts, &id, out);
}
