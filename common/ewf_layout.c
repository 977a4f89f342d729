/*
 * The place of each table's chunks in the media. Tables do not say which chunks they locate: they
 * are counted, from the front, or from the end behind a segment that is missing or broken; with a
 * manifest, from where it says that the segment begins.
 */
#include <errno.h>
#include <inttypes.h>

#include "common/ewf_image.h"
#include "common/text.h"

/* The shape that the volume section gives must be one that can be read. */
static bool
plausible(const struct ewf_volume *v)
{
    uint64_t chunk = (uint64_t)v->sectors_per_chunk * v->bytes_per_sector;

    return chunk > 0 && chunk <= EWF_CHUNK_MAX && v->sectors <= INT64_MAX / v->bytes_per_sector;
}

static void
volume_from_manifest(struct ewf_volume *v, const struct manifest *m)
{
    *v = (struct ewf_volume){
        .sectors_per_chunk = m->sectors_per_chunk,
        .bytes_per_sector = m->bytes_per_sector,
        .sectors = m->media_size / m->bytes_per_sector,
    };
}

static void
compare_with_manifest(struct image *img, const struct manifest *m)
{
    const struct ewf_volume *v = &img->ewf->volume;

    if (v->sectors * v->bytes_per_sector != m->media_size ||
        v->bytes_per_sector != m->bytes_per_sector || v->sectors_per_chunk != m->sectors_per_chunk)
        ewf_damage(img, 0, NO_OFFSET,
                   "the volume section (%" PRIu64 " sectors of %" PRIu32 " bytes, %" PRIu32
                   " a chunk) and the manifest (%" PRIu64 " bytes, sectors of %" PRIu32 ", %" PRIu32
                   " a chunk) differ",
                   v->sectors, v->bytes_per_sector, v->sectors_per_chunk, m->media_size,
                   m->bytes_per_sector, m->sectors_per_chunk);
}

static int
nothing_to_read(const struct image *img, struct err *err)
{
    const struct image_finding *why = NULL;

    for (size_t i = 0; i < img->info.n_findings && !why; i++) {
        if (!img->info.findings[i].remark)
            why = &img->info.findings[i];
    }
    if (!why)
        return err_set(err, OUTCOME_FINDINGS,
                       "'%s' cannot be read: it has no usable volume section",
                       img->files.v[0].path);
    (void)err_set(err, OUTCOME_FINDINGS, "'%s' is damaged, nothing of it can be read: %s",
                  why->segment ? why->segment : img->files.v[0].path, why->text);
    err->sys = why->incomplete ? ENODATA : 0;
    return -1;
}

static uint64_t
total_chunks(const struct ewf *ewf)
{
    uint64_t n = 0;

    for (size_t i = 0; i < ewf->n_tables; i++)
        n += ewf->tables[i].entries;
    return n;
}

/* error2 counts sectors; the media's range of bytes is what the rest of us speaks of. */
static void
errors_to_bytes(struct image_info *info)
{
    struct ranges bytes = {0};

    for (size_t i = 0; i < info->acquiry_errors.n; i++)
        ranges_add(&bytes, info->acquiry_errors.v[i].offset * info->bytes_per_sector,
                   info->acquiry_errors.v[i].length * info->bytes_per_sector);
    ranges_free(&info->acquiry_errors);
    info->acquiry_errors = bytes;
}

int
ewf_set_sizes(struct image *img, const struct image_source *from, struct err *err)
{
    const struct manifest *m = from->manifest;
    struct ewf_volume *v = &img->ewf->volume;
    struct image_info *info = &img->info;

    if (!img->ewf->have_volume || !plausible(v)) {
        if (m)
            volume_from_manifest(v, m);
        if (!m || !plausible(v))
            return nothing_to_read(img, err);
    } else if (m && v->checksum_ok) {
        compare_with_manifest(img, m);
    }
    info->format = IMAGE_E01;
    info->bytes_per_sector = v->bytes_per_sector;
    info->chunk_size = v->bytes_per_sector * v->sectors_per_chunk;
    info->media_size = v->sectors * v->bytes_per_sector;
    if (v->sectors == 0 && total_chunks(img->ewf) <= INT64_MAX / info->chunk_size) {
        info->media_size = total_chunks(img->ewf) * info->chunk_size;
        ewf_remark(img, 0, NO_OFFSET, "the volume section gives no media size");
    }
    info->chunk_count =
        info->media_size / info->chunk_size + (info->media_size % info->chunk_size != 0);
    errors_to_bytes(info);
    if (from->parts && from->parts->media_size && from->parts->media_size != info->media_size)
        return err_set(err, OUTCOME_FAILED,
                       "'%s' is of an image of %" PRIu64 " bytes, not of %" PRIu64,
                       img->files.v[0].path, info->media_size, from->parts->media_size);
    return 0;
}

static void
missing_segment(struct image *img, size_t i)
{
    image_add_finding(img,
                      &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                             .incomplete = true,
                                             .segment = i,
                                             .file_offset = NO_OFFSET},
                      "the segment is missing");
}

/* A set ends with the segment that ends in "done"; files of its name behind that are too many. */
static void
drop_superfluous(struct image *img)
{
    size_t keep = 0;

    while (keep < img->files.n && !img->ewf->segments[keep].ends_done)
        keep++;
    if (keep++ >= img->files.n)
        return;
    for (size_t i = keep; i < img->files.n; i++) {
        if (img->files.v[i].present)
            image_add_finding(img,
                              &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                                     .segment = i,
                                                     .file_offset = NO_OFFSET},
                              "the file is not part of the image, whose last segment is '%s'; move "
                              "it away, other tools take it for its next segment",
                              image_base_name(img->files.v[keep - 1].path));
    }
    /* The walk went through the segments in order, so theirs are the last tables. */
    if (keep < img->files.n)
        img->ewf->n_tables = img->ewf->segments[keep].table;
    for (size_t i = keep; i < img->files.n; i++)
        img->ewf->segments[i].chunks = img->ewf->segments[i].n_tables = 0;
    img->info.n_segments = keep;
}

static void
find_missing(struct image *img, const struct manifest *m)
{
    size_t n = img->info.n_segments;
    const struct ewf_segment *last = &img->ewf->segments[n - 1];

    for (size_t i = 0; !m && i < n; i++) {
        if (!img->files.v[i].present)
            missing_segment(img, i);
    }
    if (img->files.v[n - 1].present && last->walked && !last->ends_done)
        image_add_finding(img,
                          &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                                 .incomplete = true,
                                                 .segment = n - 1,
                                                 .file_offset = NO_OFFSET},
                          "segment %zu, which should follow, is missing", n + 1);
}

static void
place_segment(struct ewf_segment *s, uint64_t first)
{
    s->first = first;
    s->placed = true;
}

static void
place_from_front(struct image *img, const struct manifest *m)
{
    uint64_t next = 0;
    bool known = true;

    for (size_t i = 0; i < img->info.n_segments; i++) {
        struct ewf_segment *s = &img->ewf->segments[i];

        if (!known && m && i < m->n_segments &&
            m->segments[i].media_offset % img->info.chunk_size == 0) {
            next = m->segments[i].media_offset / img->info.chunk_size;
            known = true;
        }
        if (known && img->files.v[i].present)
            place_segment(s, next);
        known = known && s->walked;
        next += s->chunks;
    }
}

/* Only a set whose end is there can be counted from the end. */
static void
place_from_end(struct image *img)
{
    size_t i = img->info.n_segments;
    uint64_t next = img->info.chunk_count;

    if (!img->ewf->segments[i - 1].ends_done)
        return;
    while (i-- > 0) {
        struct ewf_segment *s = &img->ewf->segments[i];

        if (s->placed || !s->walked || s->chunks > next)
            return;
        next -= s->chunks;
        place_segment(s, next);
    }
}

/* A table whose chunks would overlap those before it (a forged count) stays without a place. */
static void
place_tables(struct image *img)
{
    struct ewf *ewf = img->ewf;
    uint64_t end = 0;
    size_t kept = 0;

    for (size_t i = 0; i < img->info.n_segments; i++) {
        const struct ewf_segment *s = &ewf->segments[i];
        uint64_t next = s->first;

        for (size_t k = s->table; k < s->table + s->n_tables; k++) {
            struct ewf_table *t = &ewf->tables[k];

            t->first = next;
            next += t->entries;
            if (!s->placed || t->first < end)
                continue;
            t->placed = true;
            end = next;
            if (kept != k)
                ewf->tables[kept] = *t;
            kept++;
        }
    }
    ewf->n_tables = kept;
}

static uint64_t
clip(const struct image_info *info, uint64_t chunk)
{
    return chunk < info->chunk_count ? chunk * info->chunk_size : info->media_size;
}

static void
show_segments(struct image *img, const struct manifest *m)
{
    uint64_t at = 0;

    for (size_t i = 0; i < img->info.n_segments; i++) {
        const struct ewf_segment *s = &img->ewf->segments[i];
        struct image_segment *out = &img->segments[i];

        if (s->placed) {
            out->media_offset = clip(&img->info, s->first);
            out->media_length = clip(&img->info, s->first + s->chunks) - out->media_offset;
        } else if (m && i < m->n_segments) {
            out->media_offset = m->segments[i].media_offset;
            out->media_length = m->segments[i].media_length;
        } else {
            const struct ewf_segment *after = s + 1;

            out->media_offset = at;
            out->media_length = 0;
            if (i + 1 < img->info.n_segments && after->placed &&
                clip(&img->info, after->first) > at)
                out->media_length = clip(&img->info, after->first) - at;
        }
        at = out->media_offset + out->media_length;
    }
}

/* Says which media no table locates; a set with nothing else amiss was never finished, or more. */
static void
compare_counts(struct image *img)
{
    uint64_t held = total_chunks(img->ewf);
    bool whole = true;

    for (size_t i = 0; i < img->info.n_segments; i++)
        whole = whole && img->ewf->segments[i].walked;
    if (held > img->info.chunk_count)
        ewf_damage(img, 0, NO_OFFSET, "the tables hold %" PRIu64 " chunks, the media has %" PRIu64,
                   held, img->info.chunk_count);
    else if (held < img->info.chunk_count && whole && img->ewf->segments[0].walked)
        image_add_finding(
            img,
            &(struct finding_spec){.check = IMAGE_CHECK_STRUCTURE,
                                   .incomplete = true,
                                   .segment = NO_SEGMENT,
                                   .file_offset = NO_OFFSET,
                                   .media = {held * img->info.chunk_size,
                                             img->info.media_size - held * img->info.chunk_size}},
            "the tables hold %" PRIu64 " chunks, the media has %" PRIu64, held,
            img->info.chunk_count);
}

static void
find_held(struct image *img)
{
    uint64_t next = 0;

    for (size_t i = 0; i < img->ewf->n_tables && img->ewf->tables[i].first == next; i++)
        next += img->ewf->tables[i].entries;
    img->info.held = clip(&img->info, next);
}

void
ewf_lay_out(struct image *img, const struct image_source *from)
{
    if (!from->parts)
        find_missing(img, from->manifest);
    place_from_front(img, from->manifest);
    place_from_end(img);
    place_tables(img);
    show_segments(img, from->manifest);
    find_held(img);
    if (!from->parts || total_chunks(img->ewf) > img->info.chunk_count)
        compare_counts(img);
}

static int
ewf_parse(struct image *img, struct err *err)
{
    for (size_t i = 0; i < img->files.n; i++) {
        if (img->files.v[i].present)
            ewf_walk_segment(img, i);
        else
            img->ewf->segments[i].table = img->ewf->n_tables;
    }
    drop_superfluous(img);
    if (ewf_set_sizes(img, &img->from, err) != 0)
        return -1;
    ewf_lay_out(img, &img->from);
    return 0;
}

static const struct image_format_ops ewf_ops = {
    .load = ewf_parse,
    .read = image_read_cached,
    .read_chunks = ewf_read_chunks,
    .next_mapped = ewf_next_mapped,
    .check_tables = ewf_check_tables,
};

int
ewf_open(struct image *img, const struct image_source *from, struct err *err)
{
    img->ops = &ewf_ops;
    img->info.format = IMAGE_E01;
    img->ewf = xcalloc(1, sizeof *img->ewf);
    (void)pthread_mutex_init(&img->ewf->check, NULL);
    return ewf_find_segments(img, from, err);
}

void
ewf_free(struct ewf *ewf)
{
    if (!ewf)
        return;
    (void)pthread_mutex_destroy(&ewf->check);
    free(ewf->segments);
    free(ewf->tables);
    free(ewf);
}
