/*
 * The one file that knows libewf. It writes ready-made chunks (libewf_handle_write_chunk) in the
 * format of EnCase 6. The library has no locks, opens by path, follows links and truncates what
 * exists: it is used by one thread, in a directory that nobody else can write, through
 * /proc/self/fd.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libewf.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "acquire/job/mend.h"
#include "acquire/worker/ewf_shape.h"
#include "acquire/worker/keep.h"
#include "acquire/worker/sink.h"
#include "common/cleanup.h"
#include "common/segname.h"
#include "common/text.h"

/* The last segment also holds error2, digest and hash sections (EWF-E01: 520 bytes of section
   header, 8 an entry; 76 and 80; 76 and 36), which libewf does not count. The limit it is told is
   lower by this much (a sixteenth in small segments), so that no file passes the size that was
   asked for unless there are more than 130,000 unreadable ranges. */
#define TAIL_RESERVE ((uint64_t)1 << 20)

/* A write that failed with less than this left on the file system failed for want of space. */
#define FULL_BELOW ((uint64_t)1 << 20)

/* Longer header values make ewfinfo give up on all of them; the manifest has the whole text. */
#define HEADER_VALUE_MAX 500

#define WRITE_BEHIND ((uint64_t)8 << 20)

/* A sectors section's descriptor is final when the section ends, and no file can be hashed past one
   that is not: what the last section holds is hashed when all else is done. So sections are kept
   to a small part of the media, but not so small that a disk has very many. */
#define SECTION_LEAST ((uint64_t)32 << 20) /* bytes of media */
#define SECTIONS_MOST 512

/* Segment files that libewf keeps open. */
#define OPEN_HANDLES 8

struct e01_sink {
    struct sink base;
    struct sink_spec spec;
    char *name;
    libewf_handle_t *handle;
    uint32_t number;     /* of the open segment, from 1 */
    uint64_t start;      /* its first byte of media */
    uint64_t at;         /* bytes of media written in all */
    uint64_t in_segment; /* bytes of chunks in the open segment */
    uint64_t limit;      /* the segment size that libewf was told */
    uint32_t section;    /* chunks in a sectors section, at most */
    int file;            /* the open segment again, for write-behind; -1 until it exists */
    uint64_t behind;     /* bytes of chunks since the last write-behind */
    size_t linked;       /* kept segments up to here may be links; see link_segments() */
};

static int
ewf_failed(libewf_error_t **error, const char *what, struct err *err)
{
    char text[512] = "";

    (void)err_set(err, OUTCOME_FAILED, "%s", what);
    if (*error) {
        /* The innermost message is the one that says why; the rest names functions. */
        (void)libewf_error_sprint(*error, text, sizeof text);
        text[strcspn(text, "\n")] = '\0';
        (void)err_set(err, OUTCOME_FAILED, "%s: libewf: %s", what, text);
        libewf_error_free(error);
    }
    return -1;
}

/* To at most max bytes, between two characters. */
static void
cut(char *s, size_t max)
{
    size_t n = strlen(s);

    if (n <= max)
        return;
    while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
        max--;
    s[max] = '\0';
}

/* Header values are lines of tab-separated fields: neither may stand in a value. */
static int
set_header(struct e01_sink *s, const char *key, const char *value, struct err *err)
{
    AUTO_FREE char *clean = NULL;
    libewf_error_t *error = NULL;

    if (!value || *value == '\0')
        return 0;
    clean = text_is_utf8(value, strlen(value)) ? xstrdup(value) : text_printable(value);
    cut(clean, HEADER_VALUE_MAX);
    for (char *p = clean; *p; p++) {
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    }
    if (libewf_handle_set_utf8_header_value(s->handle, (const uint8_t *)key, strlen(key),
                                            (const uint8_t *)clean, strlen(clean), &error) != 1)
        return ewf_failed(&error, "cannot set an E01 header value", err);
    return 0;
}

static int
set_headers(struct e01_sink *s, const struct e01_spec *e01, struct err *err)
{
    char date[24];
    const struct {
        const char *key;
        const char *value;
    } values[] = {
        {"case_number", e01->case_number},
        {"evidence_number", e01->evidence_number},
        {"description", e01->description},
        {"examiner_name", e01->examiner},
        {"notes", e01->notes},
        {"model", e01->model},
        {"serial_number", e01->serial},
        {"acquiry_date", date},
        {"system_date", date},
        {"acquiry_operating_system", "Linux"},
        {"acquiry_software_version", "Exhibit " EXHIBIT_VERSION},
    };

    (void)snprintf(date, sizeof date, "%" PRId64, e01->date);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (set_header(s, values[i].key, values[i].value, err) != 0)
            return -1;
    }
    return 0;
}

/* The media size comes before the first chunk: then no closed segment is ever written again. */
static int
set_media(struct e01_sink *s, const struct e01_spec *e01, libewf_error_t **error)
{
    int8_t level = e01->stored ? LIBEWF_COMPRESSION_NONE
                   : e01->best ? LIBEWF_COMPRESSION_BEST
                               : LIBEWF_COMPRESSION_FAST;
    uint8_t type = e01->removable ? LIBEWF_MEDIA_TYPE_REMOVABLE : LIBEWF_MEDIA_TYPE_FIXED;
    uint8_t flags = e01->physical ? LIBEWF_MEDIA_FLAG_PHYSICAL : 0;

    return libewf_handle_set_format(s->handle, LIBEWF_FORMAT_ENCASE6, error) == 1 &&
           libewf_handle_set_bytes_per_sector(s->handle, s->spec.sector_size, error) == 1 &&
           libewf_handle_set_sectors_per_chunk(s->handle, e01->sectors_per_chunk, error) == 1 &&
           libewf_handle_set_media_size(s->handle, s->spec.media_size, error) == 1 &&
           libewf_handle_set_media_type(s->handle, type, error) == 1 &&
           libewf_handle_set_media_flags(s->handle, flags, error) == 1 &&
           libewf_handle_set_compression_values(s->handle, level, 0, error) == 1 &&
           libewf_handle_set_maximum_segment_size(s->handle, s->limit, error) == 1;
}

static char *
segment_name(const struct e01_sink *s, uint32_t number)
{
    char ext[SEGNAME_EXT_MAX];

    return segname_e01(number, ext) == 0 ? xasprintf("%s%s", s->name, ext) : NULL;
}

static int
open_fresh(struct e01_sink *s, const struct e01_spec *e01, struct err *err)
{
    AUTO_FREE char *path = xasprintf("/proc/self/fd/%d/%s", s->spec.dir, s->name);
    char *const names[] = {path};
    libewf_error_t *error = NULL;

    if (libewf_handle_initialize(&s->handle, &error) != 1 ||
        libewf_handle_set_maximum_number_of_open_handles(s->handle, OPEN_HANDLES, &error) != 1 ||
        libewf_handle_open(s->handle, names, 1, LIBEWF_OPEN_WRITE, &error) != 1 ||
        libewf_handle_set_header_codepage(s->handle, LIBEWF_CODEPAGE_ASCII, &error) != 1 ||
        set_media(s, e01, &error) != 1)
        return ewf_failed(&error, "cannot set up the E01", err);
    return set_headers(s, e01, err);
}

/* --- going on --- */

/* The library makes new segments where the first one lies. Those that lie in another directory are
   linked into this one for as long as the sink lives. */
static int
link_segments(struct e01_sink *s, const struct keep *keep, struct err *err)
{
    for (size_t i = 0; i < keep->n; i++) {
        const struct kept_segment *k = &keep->v[i];
        AUTO_FREE char *to = xasprintf("/proc/self/fd/%d/%s", s->spec.dirs[k->dir], k->file);

        if (k->dir == s->spec.index)
            continue;
        if (symlinkat(to, s->spec.dir, k->file) != 0)
            return err_errno(err, "cannot link segment '%s'", k->file);
        s->linked = i + 1;
    }
    return 0;
}

static void
unlink_segments(const struct e01_sink *s)
{
    for (size_t i = 0; i < s->linked; i++) {
        const struct kept_segment *k = &s->spec.resume->sinks[s->spec.index].v[i];

        if (k->dir != s->spec.index)
            (void)unlinkat(s->spec.dir, k->file, 0);
    }
}

/* Here libewf keeps all segments open: when it resumes a set with fewer open files allowed, it
   loses track of them and fails to finalize. */
static int
open_kept(struct e01_sink *s, const struct keep *keep, struct err *err)
{
    char **names = xcalloc(keep->n, sizeof *names);
    libewf_error_t *error = NULL;
    size64_t size = 0;
    bool ok;

    for (size_t i = 0; i < keep->n; i++)
        names[i] = xasprintf("/proc/self/fd/%d/%s", s->spec.dir, keep->v[i].file);
    ewf_shape_segment_size(s->limit);
    ok =
        libewf_handle_initialize(&s->handle, &error) == 1 &&
        libewf_handle_open(s->handle, names, (int)keep->n, LIBEWF_OPEN_WRITE_RESUME, &error) == 1 &&
        libewf_handle_get_maximum_segment_size(s->handle, &size, &error) == 1;
    ewf_shape_segment_size(0);
    for (size_t i = 0; i < keep->n; i++)
        free(names[i]);
    free(names);
    if (!ok)
        return ewf_failed(&error, "cannot go on with the E01", err);
    if (size != s->limit)
        return err_set(err, OUTCOME_FAILED,
                       "cannot go on with the E01: libewf does not take its segment size");
    return 0;
}

/* libewf appends, but for one thing: the descriptor of a sectors section stands there with a guess
   of its size until the section ends. When one has just ended, all that is there is final. */
static void
settle(struct e01_sink *s)
{
    struct stat st;

    if (s->file >= 0 && fstat(s->file, &st) == 0)
        segment_log_settled(s->spec.log, (uint64_t)st.st_size);
}

/* The open segment once more. */
static void
open_again(struct e01_sink *s)
{
    AUTO_FREE char *name = segment_name(s, s->number);

    if (s->file < 0)
        s->file = openat(s->spec.dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* libewf never syncs: sent to the disk in steps, the pages do not pile up for the segment's end. */
static void
write_behind(struct e01_sink *s)
{
    if (s->behind < WRITE_BEHIND)
        return;
    s->behind = 0;
    open_again(s);
    if (s->file >= 0)
        (void)sync_file_range(s->file, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void
begin_segment(struct e01_sink *s, uint32_t number, uint64_t media_offset)
{
    AUTO_FREE char *name = segment_name(s, number);

    if (s->file >= 0)
        (void)close(s->file);
    s->file = -1;
    s->number = number;
    s->start = media_offset;
    s->in_segment = 0;
    segment_log_begin(s->spec.log, name, media_offset);
}

/* libewf closes a segment in the call that fills it and makes the next with the chunk after. */
static void
watch_for_next(struct e01_sink *s, uint64_t chunk_start)
{
    AUTO_FREE char *next = NULL;
    struct stat st;

    /* No need to look while the segment cannot be near its end. */
    if (s->in_segment < s->limit / 2)
        return;
    next = segment_name(s, s->number + 1);
    if (!next || fstatat(s->spec.dir, next, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    segment_log_close(s->spec.log, chunk_start - s->start);
    begin_segment(s, s->number + 1, chunk_start);
}

/* libewf's errors carry no errno: `sys` is what it left behind, 0 before the call. A full disk is
   told by its space too, and is what a job can be resumed from. */
static int
write_failed(const struct e01_sink *s, int sys, libewf_error_t **error, struct err *err)
{
    struct statvfs fs;

    (void)ewf_failed(error, "cannot write to the E01", err);
    if (fstatvfs(s->spec.dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < FULL_BELOW)
        sys = ENOSPC;
    if (!mend_can(sys))
        return -1;
    errno = sys;
    (void)err_errno(err, "cannot write to the E01");
    err->outcome = OUTCOME_INTERRUPTED;
    return -1;
}

static int
write_chunk(struct e01_sink *s, const struct packed_chunk *c, struct err *err)
{
    /* A stored chunk is followed by its Adler-32, little-endian (EWF-E01: chunk data). */
    uint8_t adler[4] = {(uint8_t)c->adler, (uint8_t)(c->adler >> 8), (uint8_t)(c->adler >> 16),
                        (uint8_t)(c->adler >> 24)};
    libewf_error_t *error = NULL;
    uint64_t ended = ewf_shape_sections_ended();
    ssize_t w;

    errno = 0;
    w = libewf_handle_write_chunk(s->handle, c->data, c->size, c->media, c->compressed, adler,
                                  c->adler, !c->compressed, &error);
    if (w < 0 || (size_t)w < c->size)
        return write_failed(s, errno, &error, err);
    s->in_segment += c->size;
    s->behind += c->size;
    watch_for_next(s, s->at);
    write_behind(s);
    if (ewf_shape_sections_ended() != ended) {
        open_again(s);
        settle(s);
    }
    s->at += c->media;
    return 0;
}

static int
e01_put(struct sink *base, const struct block *b, struct err *err)
{
    struct e01_sink *s = (struct e01_sink *)base;
    uint64_t skip = 0;

    if (segment_log_check(s->spec.log, err) != 0)
        return -1;
    ewf_shape_section_chunks(s->section);
    for (size_t i = 0; i < b->n_chunks; i++) {
        skip += b->chunks[i].media;
        if (b->offset + skip <= s->base.from)
            continue;
        if (write_chunk(s, &b->chunks[i], err) != 0)
            return err_context(err, "segment %" PRIu32 " at media offset %" PRIu64, s->number,
                               s->at);
    }
    return 0;
}

/* error2 holds 32-bit sector numbers and libewf cuts longer ones without a word: what does not fit
   stands in the manifest and the mapfile only. Ascending, once, before finalizing. */
static int
append_errors(struct e01_sink *s, const struct ranges *bad, struct err *err)
{
    libewf_error_t *error = NULL;

    for (size_t i = 0; i < bad->n; i++) {
        uint64_t first = bad->v[i].offset / s->spec.sector_size;
        uint64_t count = bad->v[i].length / s->spec.sector_size;

        if (first >= UINT32_MAX)
            break;
        if (count > UINT32_MAX - first)
            count = UINT32_MAX - first;
        if (libewf_handle_append_acquiry_error(s->handle, first, count, &error) != 1)
            return ewf_failed(&error, "cannot record the unreadable sectors in the E01", err);
    }
    return 0;
}

static int
set_hash(struct e01_sink *s, const char *key, const char *hex, struct err *err)
{
    libewf_error_t *error = NULL;

    if (!hex)
        return 0;
    if (libewf_handle_set_utf8_hash_value(s->handle, (const uint8_t *)key, strlen(key),
                                          (const uint8_t *)hex, strlen(hex), &error) != 1)
        return ewf_failed(&error, "cannot store a hash in the E01", err);
    return 0;
}

static int
e01_finish(struct sink *base, const struct sink_final *final, struct err *err)
{
    struct e01_sink *s = (struct e01_sink *)base;
    libewf_error_t *error = NULL;

    /* ENCASE6 has a place for these two alone. */
    if (set_hash(s, "MD5", manifest_hash_find(final->hashes, "md5"), err) != 0 ||
        set_hash(s, "SHA1", manifest_hash_find(final->hashes, "sha1"), err) != 0 ||
        append_errors(s, final->unreadable, err) != 0)
        return -1;
    errno = 0;
    if (libewf_handle_write_finalize(s->handle, &error) < 0 ||
        libewf_handle_close(s->handle, &error) != 0)
        return write_failed(s, errno, &error, err);
    segment_log_close(s->spec.log, s->at - s->start);
    return 0;
}

static void
e01_free(struct sink *base)
{
    struct e01_sink *s = (struct e01_sink *)base;

    if (s->file >= 0)
        (void)close(s->file);
    if (s->handle)
        (void)libewf_handle_free(&s->handle, NULL);
    unlink_segments(s);
    free(s->name);
    free(s);
}

static uint32_t
section_chunks(const struct sink_spec *spec, const struct e01_spec *e01)
{
    uint64_t chunk = (uint64_t)e01->sectors_per_chunk * spec->sector_size;
    uint64_t media = spec->media_size / SECTIONS_MOST;
    uint64_t n = (media > SECTION_LEAST ? media : SECTION_LEAST) / chunk;

    return n < 1 ? 1 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static const struct sink_ops e01_ops = {.put = e01_put, .finish = e01_finish, .free = e01_free};

/* From the segments that are kept; with none left, afresh. */
static int
go_on(struct e01_sink *s, const struct e01_spec *e01, struct err *err)
{
    struct keep keep;

    if (keep_prepare(&s->spec, true, NULL, &keep, err) != 0)
        return -1;
    s->base.discarded = keep.discarded;
    if (keep.n == 0)
        return open_fresh(s, e01, err);
    if (link_segments(s, &keep, err) != 0 || open_kept(s, &keep, err) != 0)
        return -1;
    for (size_t i = 0; i < keep.n; i++)
        segment_log_keep(s->spec.log, s->spec.dirs[keep.v[i].dir], &keep.v[i]);
    s->base.kept = keep.n;
    s->base.from = s->at = keep.end;
    return 0;
}

struct sink *
sink_e01_new(const struct sink_spec *spec, const struct e01_spec *e01, struct err *err)
{
    struct e01_sink *s = xcalloc(1, sizeof *s);
    uint64_t reserve =
        TAIL_RESERVE < spec->segment_size / 16 ? TAIL_RESERVE : spec->segment_size / 16;
    bool again = spec->resume && spec->resume->again;

    s->base.ops = &e01_ops;
    s->spec = *spec;
    s->name = xstrdup(spec->name);
    s->file = -1;
    s->limit = spec->segment_size - reserve;
    s->section = section_chunks(spec, e01);
    if ((again ? go_on(s, e01, err) : open_fresh(s, e01, err)) != 0) {
        e01_free(&s->base);
        return NULL;
    }
    begin_segment(s, (uint32_t)s->base.kept + 1, s->at);
    return &s->base;
}

const char *
sink_e01_library(void)
{
    return libewf_get_version();
}
