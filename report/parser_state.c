/*
 * How a file system was left: its version, times, and whether it was unmounted. Each mark is from
 * its file system's own description: Linux, Documentation/filesystems/ext4 (super block); the NTFS
 * structures of the Linux kernel's fs/ntfs3 and libntfs-3g (volume information, restart page);
 * Microsoft's FAT and exFAT specifications; Apple TN1150 (HFS Plus volume header); FreeBSD
 * <ufs/ffs/fs.h>; ECMA-119, 8.4.26.
 */
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"
#include "report/bytes.h"
#include "report/parser.h"
#include "report/parser_emit.h"
#include "report/terms.h"

#define TEXT_MAX 256

struct state {
    enum fs_state state;
    char text[TEXT_MAX];
    char version[32];
    char mounted_on[TEXT_MAX];
    json_t *times;
};

static void
add_time_text(struct state *s, const char *name, const char *time)
{
    json_t *v = json_object();

    json_set_text(v, "name", name);
    json_set_text(v, "time", time);
    (void)json_array_append_new(s->times, v);
}

static void
add_time(struct state *s, const char *name, int64_t epoch)
{
    char text[CLOCK_TEXT_MAX];

    if (epoch > 0) /* zero is "never" everywhere */
        add_time_text(s, name, clock_text(epoch, text));
}

/* A mark that speaks against a clean end: one of them is enough. */
static void
dirty(struct state *s, const char *why)
{
    size_t n = s->state == FS_STATE_DIRTY ? strlen(s->text) : 0;

    s->state = FS_STATE_DIRTY;
    (void)snprintf(s->text + n, sizeof s->text - n, "%s%s", n > 0 ? "; " : "", why);
}

static void
clean(struct state *s, const char *why)
{
    if (s->state != FS_STATE_UNKNOWN)
        return;
    s->state = FS_STATE_CLEAN;
    (void)snprintf(s->text, sizeof s->text, "%s", why);
}

static void
ext_state(struct parser_image *p, TSK_FS_INFO *fs, struct state *s)
{
    uint8_t sb[1024];

    (void)fs;
    if (parser_image_read(p, sb, sizeof sb, 1024) != (ssize_t)sizeof sb)
        return;
    (void)snprintf(s->version, sizeof s->version, "%u.%u", (unsigned)le32(sb + 76),
                   (unsigned)le16(sb + 62)); /* s_rev_level, s_minor_rev_level */
    add_time(s, "created", le32(sb + 264));
    add_time(s, "last mounted", le32(sb + 44));
    add_time(s, "last written", le32(sb + 48));
    add_time(s, "last checked", le32(sb + 64));
    (void)snprintf(s->mounted_on, sizeof s->mounted_on, "%.64s", (const char *)sb + 136);
    if (le32(sb + 96) & 0x4) /* s_feature_incompat: RECOVER */
        dirty(s, "its journal is to be replayed (needs_recovery)");
    if (le16(sb + 58) & 0x2) /* s_state */
        dirty(s, "errors were noted");
    if (le16(sb + 58) & 0x4)
        dirty(s, "orphans were being recovered");
    if (!(le16(sb + 58) & 0x1))
        dirty(s, "it is not marked as unmounted");
    clean(s, "it is marked as unmounted, with nothing in its journal");
}

/* Content of a file's attribute of that type, short where it is. */
static size_t
read_attr(TSK_FS_INFO *fs, TSK_INUM_T inum, TSK_FS_ATTR_TYPE_ENUM type, uint8_t *out, size_t n)
{
    TSK_FS_FILE *file = tsk_fs_file_open_meta(fs, NULL, inum);
    const TSK_FS_ATTR *attr = file ? tsk_fs_file_attr_get_type(file, type, 0, 0) : NULL;
    ssize_t got = attr ? tsk_fs_attr_read(attr, 0, (char *)out, n, TSK_FS_FILE_READ_FLAG_NONE) : 0;

    tsk_error_reset();
    tsk_fs_file_close(file);
    return got > 0 ? (size_t)got : 0;
}

/* $LogFile starts with a restart page: its area says whether the log is in use. */
static void
ntfs_log_state(TSK_FS_INFO *fs, struct state *s)
{
    static const TSK_INUM_T logfile = 2;
    uint8_t page[4096];
    size_t n = read_attr(fs, logfile, TSK_FS_ATTR_TYPE_NTFS_DATA, page, sizeof page);
    uint32_t area;

    if (n < sizeof page || memcmp(page, "RSTR", 4) != 0)
        return; /* emptied: all 0xff */
    area = le16(page + 24);
    if (area + 16 > 510) /* the page's fixups start there */
        return;
    if (le16(page + area + 12) != 0xffff && !(le16(page + area + 14) & 0x2))
        dirty(s, "$LogFile is in use and not marked clean");
}

static void
ntfs_state(struct parser_image *p, TSK_FS_INFO *fs, struct state *s)
{
    static const TSK_INUM_T volume = 3;
    TSK_FS_FILE *file = tsk_fs_file_open_meta(fs, NULL, volume);
    uint8_t info[12];

    (void)p;
    if (file && file->meta)
        add_time(s, "created", file->meta->crtime);
    tsk_fs_file_close(file);
    if (read_attr(fs, volume, TSK_FS_ATTR_TYPE_NTFS_VINFO, info, sizeof info) != sizeof info)
        return;
    (void)snprintf(s->version, sizeof s->version, "%u.%u", info[8], info[9]);
    if (le16(info + 10) & 0x1)
        dirty(s, "the volume is marked dirty");
    ntfs_log_state(fs, s);
    clean(s, "the volume is not marked dirty, and $LogFile is closed");
}

static void
exfat_state(struct parser_image *p, TSK_FS_INFO *fs, struct state *s)
{
    uint8_t boot[512];

    (void)fs;
    if (parser_image_read(p, boot, sizeof boot, 0) != (ssize_t)sizeof boot)
        return;
    (void)snprintf(s->version, sizeof s->version, "%u.%u", boot[105], boot[104]);
    if (le16(boot + 106) & 0x2) /* VolumeFlags */
        dirty(s, "VolumeDirty is set");
    if (le16(boot + 106) & 0x4)
        dirty(s, "MediaFailure is set");
    clean(s, "VolumeDirty is not set");
}

/* The second entry of the table has two bits for this, and Windows keeps one in the boot sector. */
static void
fat_state(struct parser_image *p, TSK_FS_INFO *fs, struct state *s)
{
    bool fat32 = fs->ftype == TSK_FS_TYPE_FAT32;
    uint8_t boot[512];
    uint8_t entry[8];
    uint64_t at;

    if (fs->ftype == TSK_FS_TYPE_EXFAT) {
        exfat_state(p, fs, s);
        return;
    }
    if (parser_image_read(p, boot, sizeof boot, 0) != (ssize_t)sizeof boot)
        return;
    at = (uint64_t)le16(boot + 14) * le16(boot + 11);
    if (boot[fat32 ? 65 : 37] & 0x1)
        dirty(s, "the boot sector is marked dirty");
    if (fs->ftype != TSK_FS_TYPE_FAT12 && parser_image_read(p, entry, 8, at) == 8) {
        uint32_t bits = fat32 ? le32(entry + 4) >> 26 & 3 : le16(entry + 2) >> 14 & 3;

        if (!(bits & 2))
            dirty(s, "the table is not marked as cleanly unmounted");
        if (!(bits & 1))
            dirty(s, "the table notes disk errors");
        clean(s, "the table is marked as cleanly unmounted");
    }
}

/* Seconds since 1904. */
static int64_t
hfs_epoch(const uint8_t *p)
{
    uint32_t v = be32(p);

    return v == 0 ? 0 : (int64_t)v - INT64_C(2082844800);
}

static void
hfs_state(struct parser_image *p, TSK_FS_INFO *fs, struct state *s)
{
    uint8_t vh[512];
    uint32_t attributes;
    char local[CLOCK_TEXT_MAX];

    (void)fs;
    if (parser_image_read(p, vh, sizeof vh, 1024) != (ssize_t)sizeof vh)
        return;
    (void)snprintf(s->version, sizeof s->version, "%u", (unsigned)be16(vh + 2));
    if (hfs_epoch(vh + 16) > 0) {
        /* The creation date alone is in local time. */
        (void)clock_text(hfs_epoch(vh + 16), local);
        local[strlen(local) - 1] = '\0';
        add_time_text(s, "created (local time)", local);
    }
    add_time(s, "last written", hfs_epoch(vh + 20));
    add_time(s, "last checked", hfs_epoch(vh + 28));
    attributes = be32(vh + 4);
    if (attributes & 1u << 11)
        dirty(s, "it is marked inconsistent");
    if (!(attributes & 1u << 8))
        dirty(s, attributes & 1u << 13 ? "it was not unmounted: its journal is to be replayed"
                                       : "it was not unmounted");
    clean(s, "it was unmounted properly");
}

static void
ufs_state(struct parser_image *p, TSK_FS_INFO *fs, struct state *s)
{
    bool two = fs->ftype == TSK_FS_TYPE_FFS2;
    bool little = fs->endian == TSK_LIT_ENDIAN;
    static uint8_t sb[1536];
    uint64_t at = two ? 65536 : 8192;
    const uint8_t *time = sb + (two ? 1072 : 32);

    if (parser_image_read(p, sb, sizeof sb, at) != (ssize_t)sizeof sb)
        return;
    (void)snprintf(s->version, sizeof s->version, "%d", two ? 2 : 1);
    (void)snprintf(s->mounted_on, sizeof s->mounted_on, "%.255s", (const char *)sb + 212);
    add_time(s, "last written", little ? le32(time) : be32(time + (two ? 4 : 0)));
    if (sb[209] == 0) /* fs_clean */
        dirty(s, "it is not marked clean");
    clean(s, "it is marked clean");
}

/* "YYYYMMDDHHMMSScc" and the distance from Greenwich in quarters of an hour. */
static void
add_iso_time(struct state *s, const char *name, const uint8_t *t)
{
    int quarters = t[16] < 128 ? t[16] : t[16] - 256;
    char text[40];

    for (size_t i = 0; i < 16; i++) {
        if (t[i] < '0' || t[i] > '9')
            return;
    }
    if (memcmp(t, "0000", 4) == 0 || quarters < -48 || quarters > 52)
        return;
    (void)snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s%c%02d:%02d", t, t + 4, t + 6,
                   t + 8, t + 10, t + 12, quarters < 0 ? '-' : '+', abs(quarters) / 4,
                   abs(quarters) % 4 * 15);
    add_time_text(s, name, text);
}

static void
iso_state(struct parser_image *p, TSK_FS_INFO *fs, struct state *s)
{
    uint8_t pvd[2048];

    (void)fs;
    if (parser_image_read(p, pvd, sizeof pvd, 16 * 2048) != (ssize_t)sizeof pvd)
        return;
    add_iso_time(s, "created", pvd + 813);
    add_iso_time(s, "last written", pvd + 830);
}

void
parser_state(struct parser_image *p, TSK_FS_INFO *fs, json_t *message)
{
    static const struct {
        TSK_FS_TYPE_ENUM types; /* a mask */
        void (*look)(struct parser_image *p, TSK_FS_INFO *fs, struct state *s);
    } kinds[] = {
        {TSK_FS_TYPE_EXT_DETECT, ext_state}, {TSK_FS_TYPE_NTFS_DETECT, ntfs_state},
        {TSK_FS_TYPE_FAT_DETECT, fat_state}, {TSK_FS_TYPE_HFS_DETECT, hfs_state},
        {TSK_FS_TYPE_FFS_DETECT, ufs_state}, {TSK_FS_TYPE_ISO9660_DETECT, iso_state},
    };
    struct state s = {.times = json_array()};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (fs->ftype & kinds[i].types)
            kinds[i].look(p, fs, &s);
    }
    emit_text(message, "version", s.version[0] ? s.version : NULL);
    emit_text(message, "state", fs_state_names[s.state]);
    emit_text(message, "state_text", s.text[0] ? s.text : NULL);
    emit_text(message, "mounted_on", s.mounted_on[0] ? s.mounted_on : NULL);
    (void)json_object_set_new(message, "times", s.times);
}
