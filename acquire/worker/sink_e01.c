/*
 * E01 in the format of EnCase 6, from ready-made chunks. A segment file is a header, sections of
 * chunks (each with the tables that locate them) and an end. A section of chunks goes to the disk
 * when it is complete, so nothing in a file is ever written twice.
 */
#include <inttypes.h>

#include "acquire/worker/ewf_case.h"
#include "acquire/worker/ewf_encode.h"
#include "acquire/worker/keep.h"
#include "acquire/worker/segment_writer.h"
#include "acquire/worker/sink.h"
#include "common/cleanup.h"
#include "common/segname.h"
#include "common/text.h"

/* The last segment also holds error2, digest and hash. The limit for chunks is lower by this much
   (a sixteenth in small segments), so that no file passes the size that was asked for unless there
   are more than 130,000 unreadable ranges. */
#define TAIL_RESERVE ((uint64_t)1 << 20)

/* A section holds so many bytes of chunks, in memory until it is complete; more on media of which a
   reader would find too many sections (EWF_TABLES_MAX) otherwise. EnCase 6 takes no more than
   65,534 entries in a table. */
#define SECTION_BYTES ((uint64_t)8 << 20)
#define SECTIONS_MOST ((uint64_t)1 << 19)
#define SECTION_CHUNKS 65534

/* What the sections before the first chunk hold: two headers of some 7 KiB at the most. */
#define HEADERS_MAX ((size_t)64 << 10)

#define ERRORS_AT_ONCE 4096

struct e01_sink {
    struct sink base;
    struct sink_spec spec;
    char *name;
    struct ewf_media media;
    uint8_t *header2, *header; /* the data of these sections */
    size_t header2_size, header_size;
    struct segment_writer *out;
    uint64_t limit;         /* of a segment's size, without the tail */
    uint64_t section_bytes; /* of chunks, at most */
    uint32_t number;        /* of the open segment, from 1; or of the last, when none is open */
    bool is_open;
    bool has_chunks;  /* the open segment */
    uint64_t start;   /* its first byte of media */
    uint64_t at;      /* bytes of media written in all */
    uint64_t section; /* where in the file the section of chunks begins that is being filled */
    uint32_t n;       /* chunks in it; none: there is no such section */
    uint32_t *entries;
};

/* --- sections --- */

static void
add_section(struct e01_sink *s, const char *type, const void *data, size_t n)
{
    uint64_t at = segment_writer_at(s->out);

    ewf_encode_descriptor(segment_writer_add(s->out, EWF_DESCRIPTOR_SIZE), type, at, n);
    memcpy(segment_writer_add(s->out, n), data, n);
}

static void
add_media(struct e01_sink *s, const char *type)
{
    uint8_t data[EWF_VOLUME_SIZE];

    ewf_encode_volume(data, &s->media);
    add_section(s, type, data, sizeof data);
}

static void
add_end(struct e01_sink *s, const char *type)
{
    uint64_t at = segment_writer_at(s->out);

    ewf_encode_end(segment_writer_add(s->out, EWF_DESCRIPTOR_SIZE), type, at);
}

static void
add_table(struct e01_sink *s, const char *type)
{
    uint64_t at = segment_writer_at(s->out);
    size_t n = ewf_table_size(s->n);

    ewf_encode_descriptor(segment_writer_add(s->out, EWF_DESCRIPTOR_SIZE), type, at, n);
    ewf_encode_table(segment_writer_add(s->out, n), s->section, s->entries, s->n);
}

/* What the tables of a section of n chunks take. */
static uint64_t
tables_size(uint32_t n)
{
    return 2 * (EWF_DESCRIPTOR_SIZE + (uint64_t)ewf_table_size(n));
}

static void
begin_section(struct e01_sink *s)
{
    s->section = segment_writer_at(s->out);
    (void)segment_writer_add(s->out, EWF_DESCRIPTOR_SIZE);
}

static int
end_section(struct e01_sink *s, struct err *err)
{
    uint64_t size = segment_writer_at(s->out) - s->section;

    if (s->n == 0)
        return 0;
    ewf_encode_descriptor(segment_writer_added(s->out, s->section), "sectors", s->section,
                          size - EWF_DESCRIPTOR_SIZE);
    add_table(s, "table");
    add_table(s, "table2");
    s->n = 0;
    return segment_writer_send(s->out, err);
}

/* --- segments --- */

static int
begin_segment(struct e01_sink *s, struct err *err)
{
    AUTO_FREE char *file = NULL;
    char ext[SEGNAME_EXT_MAX];

    if (segname_e01(s->number + 1, ext) != 0)
        return err_set(err, OUTCOME_FAILED, "no name is left for segment %" PRIu32, s->number + 1);
    file = xasprintf("%s%s", s->name, ext);
    if (segment_writer_begin(s->out, file, s->at, err) != 0)
        return -1;
    s->number++;
    s->is_open = true;
    s->has_chunks = false;
    s->start = s->at;
    ewf_encode_file_header(segment_writer_add(s->out, EWF_FILE_HEADER_SIZE), (uint16_t)s->number);
    if (s->number > 1) {
        add_media(s, "data");
        return 0;
    }
    add_section(s, "header2", s->header2, s->header2_size);
    add_section(s, "header2", s->header2, s->header2_size);
    add_section(s, "header", s->header, s->header_size);
    add_media(s, "volume");
    return 0;
}

static int
end_segment(struct e01_sink *s, const char *end, struct err *err)
{
    if (end_section(s, err) != 0)
        return -1;
    add_end(s, end);
    s->is_open = false;
    return segment_writer_end(s->out, s->at - s->start, err);
}

/* --- chunks --- */

static bool
section_takes(const struct e01_sink *s, uint64_t size)
{
    return s->n > 0 && s->n < SECTION_CHUNKS &&
           segment_writer_at(s->out) - s->section + size <= s->section_bytes;
}

/* With the tables and the end that would follow. */
static bool
segment_takes(const struct e01_sink *s, uint64_t size)
{
    uint64_t end = segment_writer_at(s->out) + size;

    if (section_takes(s, size))
        end += tables_size(s->n + 1);
    else
        end += (s->n > 0 ? tables_size(s->n) : 0) + EWF_DESCRIPTOR_SIZE + tables_size(1);
    return end + EWF_DESCRIPTOR_SIZE <= s->limit;
}

static int
make_room(struct e01_sink *s, uint64_t size, struct err *err)
{
    if (s->is_open && s->has_chunks && !segment_takes(s, size) && end_segment(s, "next", err) != 0)
        return -1;
    if (!s->is_open && begin_segment(s, err) != 0)
        return -1;
    if (section_takes(s, size))
        return 0;
    if (end_section(s, err) != 0)
        return -1;
    begin_section(s);
    return 0;
}

/* A stored chunk is followed by its Adler-32 (EWF-E01: chunk data). */
static int
write_chunk(struct e01_sink *s, const struct packed_chunk *c, struct err *err)
{
    if (make_room(s, (uint64_t)c->size + (c->compressed ? 0 : 4), err) != 0)
        return -1;
    s->entries[s->n++] = (uint32_t)(segment_writer_at(s->out) - s->section) |
                         (c->compressed ? EWF_ENTRY_COMPRESSED : 0);
    memcpy(segment_writer_add(s->out, c->size), c->data, c->size);
    if (!c->compressed)
        ewf_encode_u32(segment_writer_add(s->out, 4), c->adler);
    s->has_chunks = true;
    s->at += c->media;
    return 0;
}

static int
in_segment(const struct e01_sink *s, int r, struct err *err)
{
    return r == 0 ? 0
                  : err_context(err, "segment %" PRIu32 " at media offset %" PRIu64,
                                s->is_open ? s->number : s->number + 1, s->at);
}

static int
e01_put(struct sink *base, const struct block *b, struct err *err)
{
    struct e01_sink *s = (struct e01_sink *)base;
    uint64_t skip = 0;
    int r = segment_log_check(s->spec.log, err);

    for (size_t i = 0; r == 0 && i < b->n_chunks; i++) {
        skip += b->chunks[i].media;
        if (b->offset + skip > s->base.from)
            r = in_segment(s, write_chunk(s, &b->chunks[i], err), err);
    }
    return r;
}

/* --- the end --- */

/* error2 holds sector numbers of 32 bits: what does not fit stands in the manifest and the mapfile
   only. Ranges ascend. */
static size_t
errors_that_fit(const struct e01_sink *s, const struct ranges *bad)
{
    size_t n = 0;

    while (n < bad->n && bad->v[n].offset / s->spec.sector_size < UINT32_MAX)
        n++;
    return n < UINT32_MAX ? n : UINT32_MAX;
}

static void
encode_error(const struct e01_sink *s, const struct range *bad, uint8_t out[EWF_ERROR2_ENTRY_SIZE])
{
    uint64_t first = bad->offset / s->spec.sector_size;
    uint64_t count = bad->length / s->spec.sector_size;

    if (count > UINT32_MAX - first)
        count = UINT32_MAX - first;
    ewf_encode_error2_entry(out, (uint32_t)first, (uint32_t)count);
}

static int
add_errors(struct e01_sink *s, const struct ranges *bad, struct err *err)
{
    uint64_t at = segment_writer_at(s->out);
    size_t n = errors_that_fit(s, bad);
    uint32_t adler = 1;

    if (n == 0)
        return 0;
    ewf_encode_descriptor(segment_writer_add(s->out, EWF_DESCRIPTOR_SIZE), "error2", at,
                          EWF_ERROR2_HEADER_SIZE + (uint64_t)n * EWF_ERROR2_ENTRY_SIZE + 4);
    ewf_encode_error2_header(segment_writer_add(s->out, EWF_ERROR2_HEADER_SIZE), (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        uint8_t *p = segment_writer_add(s->out, EWF_ERROR2_ENTRY_SIZE);

        encode_error(s, &bad->v[i], p);
        adler = ewf_adler32(adler, p, EWF_ERROR2_ENTRY_SIZE);
        if ((i + 1) % ERRORS_AT_ONCE == 0 && segment_writer_send(s->out, err) != 0)
            return -1;
    }
    ewf_encode_u32(segment_writer_add(s->out, 4), adler);
    return 0;
}

/* EnCase 6 has a place for MD5 and SHA-1 alone. */
static void
add_hashes(struct e01_sink *s, const struct manifest_hashes *hashes)
{
    const char *md5_hex = manifest_hash_find(hashes, "md5");
    const char *sha1_hex = manifest_hash_find(hashes, "sha1");
    uint8_t md5[16];
    uint8_t sha1[20];
    bool has_md5 = md5_hex && hex_decode(md5_hex, md5, sizeof md5) == (int)sizeof md5;

    if (sha1_hex && hex_decode(sha1_hex, sha1, sizeof sha1) == (int)sizeof sha1) {
        uint8_t digest[EWF_DIGEST_SIZE];

        ewf_encode_digest(digest, has_md5 ? md5 : NULL, sha1);
        add_section(s, "digest", digest, sizeof digest);
    }
    if (has_md5) {
        uint8_t hash[EWF_HASH_SIZE];

        ewf_encode_hash(hash, md5);
        add_section(s, "hash", hash, sizeof hash);
    }
}

/* A set of one file repeats its media there; in others every file after the first begins so. */
static int
finish(struct e01_sink *s, const struct sink_final *final, struct err *err)
{
    if (!s->is_open && begin_segment(s, err) != 0)
        return -1;
    if (end_section(s, err) != 0)
        return -1;
    if (s->number == 1)
        add_media(s, "data");
    if (add_errors(s, final->unreadable, err) != 0)
        return -1;
    add_hashes(s, final->hashes);
    return end_segment(s, "done", err);
}

static int
e01_finish(struct sink *base, const struct sink_final *final, struct err *err)
{
    struct e01_sink *s = (struct e01_sink *)base;

    return in_segment(s, finish(s, final, err), err);
}

static void
e01_free(struct sink *base)
{
    struct e01_sink *s = (struct e01_sink *)base;

    segment_writer_free(s->out);
    free(s->header2);
    free(s->header);
    free(s->entries);
    free(s->name);
    free(s);
}

static const struct sink_ops e01_ops = {.put = e01_put, .finish = e01_finish, .free = e01_free};

/* --- the beginning --- */

/* From the segments that are kept; with none left, afresh. */
static int
go_on(struct e01_sink *s, struct err *err)
{
    struct keep keep;

    if (keep_prepare(&s->spec, true, NULL, &keep, err) != 0)
        return -1;
    for (size_t i = 0; i < keep.n; i++)
        segment_log_keep(s->spec.log, s->spec.dirs[keep.v[i].dir], &keep.v[i]);
    s->number = (uint32_t)keep.n;
    s->base.discarded = keep.discarded;
    s->base.kept = keep.n;
    s->base.from = s->at = keep.end;
    return 0;
}

static int
set_up(struct e01_sink *s, const struct e01_spec *e01, struct err *err)
{
    uint64_t chunk = (uint64_t)e01->sectors_per_chunk * s->spec.sector_size;
    uint64_t most;

    while (s->section_bytes < s->spec.media_size / SECTIONS_MOST)
        s->section_bytes *= 2;
    most = (s->section_bytes > chunk ? s->section_bytes : chunk) + 4 + EWF_DESCRIPTOR_SIZE;
    s->entries = xcalloc(SECTION_CHUNKS, sizeof *s->entries);
    s->header2 = ewf_case_header2(e01, &s->header2_size, err);
    s->header = s->header2 ? ewf_case_header(e01, &s->header_size, err) : NULL;
    if (!s->header)
        return -1;
    s->out = segment_writer_new(s->spec.dir, s->spec.log,
                                (size_t)(HEADERS_MAX + most + tables_size(SECTION_CHUNKS)), err);
    if (!s->out)
        return -1;
    return s->spec.resume && s->spec.resume->again ? go_on(s, err) : 0;
}

struct sink *
sink_e01_new(const struct sink_spec *spec, const struct e01_spec *e01, struct err *err)
{
    struct e01_sink *s = xcalloc(1, sizeof *s);
    uint64_t reserve =
        TAIL_RESERVE < spec->segment_size / 16 ? TAIL_RESERVE : spec->segment_size / 16;

    s->base.ops = &e01_ops;
    s->spec = *spec;
    s->name = xstrdup(spec->name);
    s->media = (struct ewf_media){
        .sectors = spec->media_size / spec->sector_size,
        .bytes_per_sector = spec->sector_size,
        .sectors_per_chunk = e01->sectors_per_chunk,
        .level = e01->stored ? EWF_LEVEL_NONE
                 : e01->best ? EWF_LEVEL_BEST
                             : EWF_LEVEL_FAST,
        .removable = e01->removable,
        .physical = e01->physical,
    };
    s->limit = spec->segment_size - reserve;
    s->section_bytes = SECTION_BYTES;
    if (set_up(s, e01, err) != 0) {
        e01_free(&s->base);
        return NULL;
    }
    return &s->base;
}
