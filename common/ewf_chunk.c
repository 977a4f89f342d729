/*
 * Chunks of an E01: from table entry to checked media bytes. Each thread brings its own scratch, so
 * nothing here is shared or locked.
 */
#include <errno.h>
#include <libdeflate.h>

#include "common/cleanup.h"
#include "common/ewf_image.h"

#define PAGE_ENTRIES 8192              /* of a table, held at a time */
#define WINDOW_AHEAD ((size_t)1 << 20) /* of a segment file, read at a time */

struct image_scratch {
    struct libdeflate_decompressor *inflate;
    /* Entries page_first … page_first + page_n of one table. */
    struct ewf_table *table;
    uint32_t page_first;
    uint32_t page_n;
    uint8_t page[(size_t)PAGE_ENTRIES * EWF_TABLE_ENTRY_SIZE];
    struct image_held window;
};

/* Where a chunk lies in its segment file. */
struct place {
    uint64_t start;
    uint64_t end;
    bool compressed;
    bool sound; /* within the table's range of the file */
};

struct image_scratch *
ewf_scratch_new(const struct image *img, struct err *err)
{
    struct image_scratch *s = calloc(1, sizeof *s);

    (void)img;
    if (s)
        s->inflate = libdeflate_alloc_decompressor();
    if (!s || !s->inflate) {
        free(s);
        (void)err_set(err, OUTCOME_FAILED, "not enough memory to read the image");
        return NULL;
    }
    return s;
}

void
ewf_scratch_free(struct image_scratch *s)
{
    if (!s)
        return;
    libdeflate_free_decompressor(s->inflate);
    free(s->window.data);
    free(s);
}

void
image_scratch_exchange(struct image_scratch *s, struct image_held *held)
{
    struct image_held read = s->window;

    s->window = (struct image_held){.data = held->data, .cap = held->cap};
    *held = read;
}

/* The largest stored form of a chunk that any deflate writer makes, and some. */
static size_t
stored_max(const struct image *img)
{
    return img->info.chunk_size + img->info.chunk_size / 8 + 1024;
}

/* Entry i of the table; -1 if the file does not give it. */
static int
entry_at(struct image *img, struct image_scratch *s, struct ewf_table *t, uint32_t i,
         uint32_t *entry)
{
    if (s->table != t || i < s->page_first || i - s->page_first >= s->page_n) {
        uint64_t entries = ewf_table_entries(img, t);
        uint32_t first = i - i % (PAGE_ENTRIES / 2);
        uint32_t n = t->entries - first < PAGE_ENTRIES ? t->entries - first : PAGE_ENTRIES;
        ssize_t got =
            image_files_read(&img->files, t->segment, s->page, (size_t)n * EWF_TABLE_ENTRY_SIZE,
                             entries + (uint64_t)first * EWF_TABLE_ENTRY_SIZE);

        s->table = t;
        s->page_first = first;
        s->page_n = got > 0 ? (uint32_t)got / EWF_TABLE_ENTRY_SIZE : 0;
        if (i - first >= s->page_n)
            return -1;
    }
    *entry = ewf_u32(s->page + (size_t)(i - s->page_first) * EWF_TABLE_ENTRY_SIZE);
    return 0;
}

/* The offset in the file that entry i gives; UINT64_MAX for one that is nonsense. */
static uint64_t
offset_of(const struct ewf_table *t, uint32_t i, uint32_t entry)
{
    uint64_t offset = i >= t->overflow_from ? entry : entry & ~EWF_ENTRY_COMPRESSED;

    return offset > UINT64_MAX - t->base ? UINT64_MAX : t->base + offset;
}

/* A chunk ends where the next one begins; the last of a table where the data of the table ends. */
static int
find_place(struct image *img, struct image_scratch *s, struct ewf_table *t, uint32_t i,
           struct place *out)
{
    uint32_t entry;
    uint32_t next;

    if (entry_at(img, s, t, i, &entry) != 0)
        return -1;
    *out = (struct place){.start = offset_of(t, i, entry), .end = t->data_end};
    out->sound = out->start >= t->data_start && out->start < t->data_end;
    out->compressed = (entry & EWF_ENTRY_COMPRESSED) != 0 && i < t->overflow_from;
    if (i + 1 < t->entries && entry_at(img, s, t, i + 1, &next) == 0) {
        uint64_t end = offset_of(t, i + 1, next);

        if (end > out->start && end < out->end)
            out->end = end;
    }
    return 0;
}

/* Where the last of the chunks i … i + ahead of the table begins to end: how far to read at once.
 */
static uint64_t
end_ahead(struct image *img, struct image_scratch *s, struct ewf_table *t, uint32_t i, size_t ahead)
{
    uint32_t last = t->entries - 1 - i < ahead ? t->entries - 1 : i + (uint32_t)ahead;
    struct place p;

    return find_place(img, s, t, last, &p) == 0 && p.sound ? p.end : 0;
}

static bool
in_window(const struct image_scratch *s, size_t segment, uint64_t start, uint64_t end)
{
    return s->window.n > 0 && s->window.segment == segment && start >= s->window.offset &&
           end <= s->window.offset + s->window.n;
}

/* Makes the window hold what there is of start … end, and of what follows up to `ahead`. */
static int
fill_window(struct image *img, struct image_scratch *s, size_t segment, uint64_t start,
            uint64_t end, uint64_t ahead)
{
    size_t n;
    ssize_t got;

    if (ahead > start + WINDOW_AHEAD)
        ahead = start + WINDOW_AHEAD;
    n = (size_t)((ahead > end ? ahead : end) - start);
    if (n > s->window.cap) {
        free(s->window.data);
        s->window.data = malloc(n < WINDOW_AHEAD ? WINDOW_AHEAD : n);
        s->window.cap = !s->window.data ? 0 : n < WINDOW_AHEAD ? WINDOW_AHEAD : n;
    }
    s->window.n = 0;
    if (!s->window.data) {
        errno = ENOMEM;
        return -1;
    }
    got = image_files_read(&img->files, segment, s->window.data, n, start);
    if (got < 0 && n > (size_t)(end - start)) /* what lies ahead may be what cannot be read */
        got = image_files_read(&img->files, segment, s->window.data, (size_t)(end - start), start);
    if (got < 0)
        return -1;
    s->window.segment = segment;
    s->window.offset = start;
    s->window.n = (size_t)got;
    return 0;
}

/* A stored chunk: data and a little-endian Adler-32. Some writers fill the last one up. */
static enum chunk_state
take_stored(const struct image *img, const uint8_t *in, size_t n_in, void *buf, size_t length)
{
    size_t n = n_in >= (size_t)img->info.chunk_size + 4 ? img->info.chunk_size : length;

    if (n_in < n + 4) {
        memset(buf, 0, length);
        return CHUNK_CORRUPT;
    }
    memcpy(buf, in, length);
    if (n > length && !ewf_checksum_follows(in, n))
        n = length; /* not filled up: the room after it belongs to nobody */
    return ewf_checksum_follows(in, n) ? CHUNK_OK : CHUNK_MISMATCH;
}

/* A compressed chunk: a zlib stream (RFC 1950). If all but its checksum is right, the data is kept.
 */
static enum chunk_state
take_compressed(const struct image *img, struct image_scratch *s, const uint8_t *in, size_t n_in,
                void *buf, size_t length)
{
    size_t used;
    size_t n = 0;

    if (libdeflate_zlib_decompress_ex(s->inflate, in, n_in, buf, img->info.chunk_size, &used, &n) ==
            LIBDEFLATE_SUCCESS &&
        n >= length)
        return CHUNK_OK;
    if (n_in > 2 &&
        libdeflate_deflate_decompress_ex(s->inflate, in + 2, n_in - 2, buf, img->info.chunk_size,
                                         &used, &n) == LIBDEFLATE_SUCCESS &&
        n >= length)
        return CHUNK_MISMATCH;
    memset(buf, 0, length);
    return CHUNK_CORRUPT;
}

static enum chunk_state
take_chunk(struct image *img, struct image_scratch *s, const struct ewf_table *t, uint32_t i,
           const struct place *p, void *buf, size_t length)
{
    const uint8_t *in = s->window.data + (p->start - s->window.offset);
    size_t n_in = s->window.n - (size_t)(p->start - s->window.offset);
    bool compressed = p->compressed;

    if (n_in > p->end - p->start)
        n_in = (size_t)(p->end - p->start);
    /* Past the overflow nothing tells but the size. */
    if (i >= t->overflow_from && n_in < length + 4)
        compressed = true;
    return compressed ? take_compressed(img, s, in, n_in, buf, length)
                      : take_stored(img, in, n_in, buf, length);
}

/* Finds the chunk and brings its stored form into the window. */
static enum chunk_state
fetch_chunk(struct image *img, struct image_scratch *s, struct ewf_table *t, uint32_t i,
            size_t ahead, struct place *p, struct chunk *out)
{
    uint64_t size = img->files.v[t->segment].size;

    if (find_place(img, s, t, i, p) != 0)
        return CHUNK_IO;
    out->file_offset = p->start;
    if (!p->sound) { /* then it is the entry that is wrong */
        out->file_offset = ewf_table_entries(img, t) + (uint64_t)i * EWF_TABLE_ENTRY_SIZE;
        return CHUNK_CORRUPT;
    }
    if (p->end - p->start > stored_max(img))
        p->end = p->start + stored_max(img);
    if (p->end > size)
        return CHUNK_MISSING;
    out->file_length = p->end - p->start;
    if (in_window(s, t->segment, p->start, p->end))
        return CHUNK_OK;
    if (fill_window(img, s, t->segment, p->start, p->end, end_ahead(img, s, t, i, ahead)) != 0)
        return CHUNK_IO;
    return in_window(s, t->segment, p->start, p->end) ? CHUNK_OK : CHUNK_MISSING;
}

static void
read_chunk(struct image *img, struct image_scratch *s, uint64_t index, size_t ahead, void *buf,
           struct chunk *out)
{
    struct ewf_table *t = ewf_table_of(img, index);
    uint64_t left = img->info.media_size - index * img->info.chunk_size;
    enum chunk_state state = CHUNK_MISSING;

    *out = (struct chunk){.state = CHUNK_MISSING};
    out->length = left < img->info.chunk_size ? (size_t)left : img->info.chunk_size;
    if (t) {
        uint32_t i = (uint32_t)(index - t->first);
        struct place p = {0};

        out->segment = t->segment;
        state = fetch_chunk(img, s, t, i, ahead, &p, out);
        if (state == CHUNK_OK) {
            out->state = take_chunk(img, s, t, i, &p, buf, out->length);
            return;
        }
    }
    out->state = state;
    memset(buf, 0, out->length);
}

void
ewf_read_chunks(struct image *img, struct image_scratch *scratch, uint64_t first, size_t count,
                void *buf, struct chunk *out)
{
    for (size_t i = 0; i < count; i++)
        read_chunk(img, scratch, first + i, count - 1 - i,
                   (uint8_t *)buf + i * (size_t)img->info.chunk_size, &out[i]);
}
