/*
 * The tables of an E01: which one locates a chunk, and which copy of its entries is good.
 *
 * An entry has 31 bits of offset and a bit for "compressed". Before base offsets, EnCase wrote
 * segments of more than 2 GiB all the same: from the chunk on at which the offsets pass 2^31, the
 * entries of that table are plain offsets of 32 bits, and their chunks are not compressed. The
 * place is known by the 31-bit offsets going down while the 32-bit ones go on up; only a table
 * whose chunks reach that far can have one.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/ewf_image.h"

#define PART 16384 /* entries read at a time */

struct ewf_table *
ewf_table_of(const struct image *img, uint64_t index)
{
    const struct ewf *ewf = img->ewf;
    size_t lo = 0;
    size_t hi = ewf->n_tables;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        struct ewf_table *t = &ewf->tables[mid];

        if (!t->placed || index < t->first)
            hi = mid;
        else if (index - t->first >= t->entries)
            lo = mid + 1;
        else
            return t;
    }
    return NULL;
}

uint64_t
ewf_next_mapped(const struct image *img, uint64_t index)
{
    const struct ewf *ewf = img->ewf;
    size_t lo = 0;
    size_t hi = ewf->n_tables;

    if (index >= img->info.chunk_count)
        return img->info.chunk_count;
    while (lo < hi) { /* the first table that ends after index */
        size_t mid = lo + (hi - lo) / 2;
        const struct ewf_table *t = &ewf->tables[mid];

        if (!t->placed || t->first + t->entries > index)
            hi = mid;
        else
            lo = mid + 1;
    }
    if (lo == ewf->n_tables || !ewf->tables[lo].placed ||
        ewf->tables[lo].first >= img->info.chunk_count)
        return img->info.chunk_count;
    return ewf->tables[lo].first > index ? ewf->tables[lo].first : index;
}

/* One pass over a copy of the entries. */
struct scan {
    bool readable;
    bool checksum_ok;
    uint32_t checksum;      /* as computed */
    uint32_t overflow_from; /* index of an entry, or the count if there is none */
};

static void
scan_part(const uint8_t *p, size_t n, uint32_t index, uint32_t *last, struct scan *out)
{
    out->checksum = ewf_adler32(out->checksum, p, n * EWF_TABLE_ENTRY_SIZE);
    for (size_t i = 0; i < n; i++) {
        uint32_t entry = ewf_u32(p + i * EWF_TABLE_ENTRY_SIZE);

        if (out->overflow_from == UINT32_MAX && index + i > 0 &&
            (entry & ~EWF_ENTRY_COMPRESSED) < (*last & ~EWF_ENTRY_COMPRESSED) &&
            entry > (*last & ~EWF_ENTRY_COMPRESSED))
            out->overflow_from = index + (uint32_t)i;
        *last = entry;
    }
}

static void
scan_entries(const struct image *img, const struct ewf_table *t, uint64_t header, struct scan *out)
{
    AUTO_FREE uint8_t *p = malloc((size_t)PART * EWF_TABLE_ENTRY_SIZE);
    uint64_t at = header + EWF_TABLE_HEADER_SIZE;
    uint32_t last = 0;
    uint8_t footer[4];

    *out = (struct scan){.checksum = 1, .overflow_from = UINT32_MAX};
    if (t->data_end < t->base || t->data_end - t->base <= EWF_ENTRY_COMPRESSED)
        out->overflow_from = t->entries; /* nothing to overflow into: such an entry is damaged */
    for (uint32_t i = 0; p && i < t->entries; i += PART) {
        size_t n = t->entries - i < PART ? t->entries - i : PART;
        ssize_t size = (ssize_t)(n * EWF_TABLE_ENTRY_SIZE);

        if (image_files_read(&img->files, t->segment, p, (size_t)size, at) != size)
            return;
        scan_part(p, n, i, &last, out);
        at += (uint64_t)size;
    }
    out->readable = p != NULL;
    out->checksum_ok = out->readable && !t->footer;
    if (t->footer && image_files_read(&img->files, t->segment, footer, 4, at) == 4)
        out->checksum_ok = out->readable && ewf_u32(footer) == out->checksum;
}

static void
find_state(const struct image *img, struct ewf_table *t)
{
    struct scan own;
    struct scan copy = {0};
    enum ewf_table_state state = EWF_TABLE_OWN;

    scan_entries(img, t, t->offset, &own);
    t->overflow_from = own.overflow_from;
    if (!own.checksum_ok) {
        state = EWF_TABLE_BAD;
        if (t->copy)
            scan_entries(img, t, t->copy, &copy);
        if (copy.checksum_ok) {
            state = EWF_TABLE_COPY;
            t->overflow_from = copy.overflow_from;
        }
    }
    atomic_store_explicit(&t->state, state, memory_order_release);
}

uint64_t
ewf_table_entries(struct image *img, struct ewf_table *t)
{
    int state = atomic_load_explicit(&t->state, memory_order_acquire);

    if (state == EWF_TABLE_UNCHECKED) {
        (void)pthread_mutex_lock(&img->ewf->check);
        state = atomic_load_explicit(&t->state, memory_order_relaxed);
        if (state == EWF_TABLE_UNCHECKED)
            find_state(img, t);
        (void)pthread_mutex_unlock(&img->ewf->check);
        state = atomic_load_explicit(&t->state, memory_order_acquire);
    }
    return (state == EWF_TABLE_COPY ? t->copy : t->offset) + EWF_TABLE_HEADER_SIZE;
}

/* The media range of a table's chunks. */
static struct range
media_of(const struct image *img, const struct ewf_table *t)
{
    uint64_t start = t->first * img->info.chunk_size;
    uint64_t length = (uint64_t)t->entries * img->info.chunk_size;

    if (!t->placed || start >= img->info.media_size)
        return (struct range){0};
    if (length > img->info.media_size - start)
        length = img->info.media_size - start;
    return (struct range){start, length};
}

static void
check_table(struct image *img, const struct ewf_table *t, image_finding_fn *found, void *arg)
{
    struct image_finding f = {.check = IMAGE_CHECK_STRUCTURE,
                              .segment = img->segments[t->segment].path};
    struct scan own;
    struct scan copy;
    char text[160];

    f.text = text;
    scan_entries(img, t, t->offset, &own);
    if (t->copy)
        scan_entries(img, t, t->copy, &copy);
    if (!own.checksum_ok) {
        bool saved = t->copy && copy.checksum_ok;

        f.file_offset = t->offset;
        f.media = saved ? (struct range){0} : media_of(img, t);
        (void)snprintf(text, sizeof text, "the entries of a 'table' have a wrong checksum%s",
                       saved ? "; its copy, 'table2', was used" : "");
        found(arg, &f);
    }
    if (!t->copy)
        return;
    f.file_offset = t->copy;
    f.media = (struct range){0};
    if (!copy.checksum_ok) {
        (void)snprintf(text, sizeof text, "the entries of a 'table2' have a wrong checksum");
        found(arg, &f);
    } else if (own.checksum_ok && own.checksum != copy.checksum) {
        (void)snprintf(text, sizeof text, "a 'table2' differs from its 'table'");
        found(arg, &f);
    }
}

void
ewf_check_tables(struct image *img, const atomic_bool *stop, image_finding_fn *found, void *arg)
{
    for (size_t i = 0; i < img->ewf->n_tables; i++) {
        if (stop && *stop)
            return;
        check_table(img, &img->ewf->tables[i], found, arg);
    }
}
