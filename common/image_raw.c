/*
 * Raw images: the media's bytes in one file or in several, one after the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/image_impl.h"
#include "common/segname.h"
#include "common/text.h"

#define RAW_CHUNK (UINT32_C(1) << 20) /* the unit of reading; the format has none */
#define SEGMENTS_MAX 100000           /* of a split image; far more than names are in use */

static bool
exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* The path of segment `number` as it is there, or as it should be; *there says which. */
static char *
find_numbered(const struct segname_split *at, uint32_t number, bool *there)
{
    char *plain = segname_split_path(at, number, false);
    char *widened;

    *there = plain && exists(plain);
    if (*there)
        return plain;
    widened = segname_split_path(at, number, true);
    *there = widened && exists(widened);
    if (!*there && plain) {
        free(widened);
        return plain;
    }
    free(plain);
    return widened;
}

static bool
may_be_first(const struct segname_split *at)
{
    return at->number <= (at->zero == '0' ? 1u : 0u);
}

/* After '_' and '-' people number their disks, too. */
static bool
numbers_segments(const struct segname_split *at)
{
    return at->separator == '.' || at->separator == 'x';
}

static bool
is_there(const struct segname_split *at, uint32_t number)
{
    bool there;

    free(find_numbered(at, number, &there));
    return there;
}

/* True where files stand beside it that should come before: that of number 0, or, counted from 1,
   any. An extension of letters could be a number by chance: there it takes the first. */
static bool
is_later(const struct segname_split *at)
{
    if (at->number == 0 || is_there(at, 0))
        return at->number > 0;
    return at->zero == '0' && at->number > 1 && (is_there(at, 1) || is_there(at, at->number - 1));
}

static int
refuse_later(const struct segname_split *at, struct err *err)
{
    AUTO_FREE char *first = segname_split_path(at, is_there(at, 0) ? 0 : 1, false);

    return err_set(err, OUTCOME_FAILED, "'%s' is not the first segment of its image; give '%s'",
                   at->path, first);
}

static bool
size_of(const char *path, uint64_t *size)
{
    struct stat st;

    *size = 0;
    if (stat(path, &st) != 0)
        return false;
    *size = (uint64_t)st.st_size;
    return true;
}

/* DISK_1 and DISK_2 may be two disks: they are taken for one image if they could be, the second one
   as large as the first or, as the last, smaller. */
static bool
may_belong(const struct segname_split *at, const struct image *img, const char *path)
{
    const struct image_file *v = img->files.v;
    uint64_t size;

    if (numbers_segments(at))
        return true;
    return size_of(path, &size) && size <= v[0].size && v[img->files.n - 1].size == v[0].size;
}

/* The segments after the first. One that is absent while the next is there leaves a hole. */
static int
find_segments(struct image *img, const char *path, struct err *err)
{
    struct segname_split at;

    if (!segname_split_parse(path, &at))
        return 0;
    /* It would look like a whole image that begins in the middle. */
    if (is_later(&at))
        return numbers_segments(&at) ? refuse_later(&at, err) : 0;
    if (!may_be_first(&at))
        return 0;
    for (uint32_t i = at.number + 1; img->files.n < SEGMENTS_MAX; i++) {
        bool there;
        AUTO_FREE char *name = find_numbered(&at, i, &there);

        if (there && !may_belong(&at, img, name))
            return 0;
        if (there) {
            if (image_files_add(&img->files, name, err) != 0)
                return -1;
        } else if (name && numbers_segments(&at) && is_there(&at, i + 1)) {
            image_files_add_missing(&img->files, name);
        } else {
            return 0;
        }
    }
    return err_set(err, OUTCOME_FAILED, "'%s' has more than %d segments", path, SEGMENTS_MAX);
}

/* Every tool that splits makes all files but the last of one size, and the last no larger. So a
   file that is smaller than the largest, and not the last, has been cut. */
static void
find_cut(struct image *img)
{
    uint64_t full = 0;

    for (size_t i = 0; i < img->files.n; i++) {
        if (img->segments[i].present && img->segments[i].size > full)
            full = img->segments[i].size;
    }
    for (size_t i = 0; i + 1 < img->files.n; i++) {
        const struct image_segment *s = &img->segments[i];

        if (!s->present || s->size == full)
            continue;
        image_add_finding(img,
                          &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                                 .incomplete = true,
                                                 .segment = i,
                                                 .file_offset = s->size,
                                                 .media = {s->media_offset + s->media_length, 0}},
                          "the file has %" PRIu64 " bytes, others of the set have %" PRIu64,
                          s->size, full);
    }
}

/* Without a manifest a missing segment is taken to be as long as the first: all but the last are.
 */
static int
lay_out_by_size(struct image *img, struct err *err)
{
    uint64_t at = 0;

    for (size_t i = 0; i < img->files.n; i++) {
        struct image_segment *s = &img->segments[i];

        s->media_offset = at;
        s->media_length = s->present ? s->size : img->segments[0].size;
        if (s->media_length > INT64_MAX - at)
            return err_set(err, OUTCOME_FAILED, "'%s': the segments' sizes are absurd", s->path);
        at += s->media_length;
        if (!s->present)
            image_add_finding(img,
                              &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                                     .incomplete = true,
                                                     .segment = i,
                                                     .file_offset = NO_OFFSET,
                                                     .media = {s->media_offset, s->media_length}},
                              "the segment is missing");
    }
    img->info.media_size = at;
    find_cut(img);
    return 0;
}

/* A file that carries the next number: other tools would take it for part of the image. */
static void
find_extra(struct image *img)
{
    AUTO_FREE char *next = NULL;
    struct segname_split at;
    bool there;

    if (!segname_split_parse(img->files.v[0].path, &at) || !may_be_first(&at) ||
        !numbers_segments(&at))
        return;
    next = find_numbered(&at, at.number + (uint32_t)img->files.n, &there);
    if (there)
        image_add_finding(img,
                          &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                                 .segment = NO_SEGMENT,
                                                 .file_offset = NO_OFFSET},
                          "'%s' is not part of the image; move it away, other tools take it for "
                          "its next segment",
                          image_base_name(next));
}

static void
lay_out_by_manifest(struct image *img, const struct manifest *m)
{
    for (size_t i = 0; i < img->files.n; i++) {
        struct image_segment *s = &img->segments[i];
        uint64_t missing;

        s->media_offset = m->segments[i].media_offset;
        s->media_length = m->segments[i].media_length;
        if (!s->present || s->size == s->media_length)
            continue;
        missing = s->size < s->media_length ? s->media_length - s->size : 0;
        image_add_finding(
            img,
            &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                   .incomplete = missing > 0,
                                   .segment = i,
                                   .file_offset = missing ? s->size : s->media_length,
                                   .media = {s->media_offset + s->media_length - missing, missing}},
            "the file has %" PRIu64 " bytes, the manifest gives it %" PRIu64, s->size,
            s->media_length);
    }
    img->info.media_size = m->media_size;
    find_extra(img);
}

/* The last segment that begins at or before offset. */
static size_t
segment_at(const struct image *img, uint64_t offset)
{
    size_t lo = 0;
    size_t hi = img->files.n;

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (img->segments[mid].media_offset <= offset)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* Reads what segment i holds of offset..offset+n; the rest of its part becomes zero. Returns the
   length of that part (at most n, never 0). */
static size_t
read_part(const struct image *img, size_t i, uint8_t *buf, size_t n, uint64_t offset,
          enum chunk_state *state)
{
    const struct image_segment *s = &img->segments[i];
    uint64_t inside = offset - s->media_offset;
    size_t part = n;
    ssize_t got = 0;

    if (part > s->media_length - inside)
        part = (size_t)(s->media_length - inside);
    if (s->present)
        got = image_files_read(&img->files, i, buf, part, inside);
    if (got < 0) {
        *state = CHUNK_IO;
        got = 0;
    } else if ((size_t)got < part && *state == CHUNK_OK) {
        *state = CHUNK_MISSING;
    }
    memset(buf + got, 0, part - (size_t)got);
    return part;
}

/* Reads n bytes of the media at offset; what cannot be had is zero. The state is that of the first
   such part, *bad where it begins. */
static enum chunk_state
read_media(const struct image *img, uint8_t *buf, size_t n, uint64_t offset, uint64_t *bad)
{
    enum chunk_state state = CHUNK_OK;
    size_t i = segment_at(img, offset);

    for (size_t done = 0; done < n;) {
        enum chunk_state part = CHUNK_OK;
        size_t at = done;

        while (i < img->files.n &&
               img->segments[i].media_offset + img->segments[i].media_length <= offset + done)
            i++; /* also past segments that hold nothing */
        if (i < img->files.n) {
            done += read_part(img, i, buf + done, n - done, offset + done, &part);
        } else { /* still to be written */
            memset(buf + done, 0, n - done);
            part = CHUNK_MISSING;
            done = n;
        }
        if (part != CHUNK_OK && state != CHUNK_IO) {
            *bad = state == CHUNK_OK ? offset + at : *bad;
            state = part;
        }
    }
    return state;
}

static void
raw_read_chunk(const struct image *img, uint64_t index, uint8_t *buf, struct chunk *out)
{
    uint64_t offset = index * RAW_CHUNK;
    size_t i = segment_at(img, offset);
    uint64_t bad = 0;

    *out = (struct chunk){.segment = i};
    out->length = img->info.media_size - offset < RAW_CHUNK
                      ? (size_t)(img->info.media_size - offset)
                      : RAW_CHUNK;
    out->file_offset = offset - img->segments[i].media_offset;
    out->file_length = out->length;
    out->state = read_media(img, buf, out->length, offset, &bad);
}

static int
raw_read(struct image *img, void *buf, size_t n, uint64_t offset, struct err *err)
{
    uint64_t bad = offset;
    enum chunk_state state = read_media(img, buf, n, offset, &bad);
    size_t i = segment_at(img, bad);

    if (state == CHUNK_OK)
        return 0;
    (void)err_set(err, OUTCOME_FAILED,
                  "the image cannot be read at media offset %" PRIu64 " ('%s', offset %" PRIu64
                  "): %s",
                  bad, img->segments[i].path, bad - img->segments[i].media_offset,
                  state == CHUNK_MISSING ? "it is missing" : "the file cannot be read");
    err->sys = state == CHUNK_MISSING ? ENODATA : EIO;
    return -1;
}

static void
raw_read_chunks(struct image *img, struct image_scratch *scratch, uint64_t first, size_t count,
                void *buf, struct chunk *out)
{
    (void)scratch;
    for (size_t i = 0; i < count; i++)
        raw_read_chunk(img, first + i, (uint8_t *)buf + i * RAW_CHUNK, &out[i]);
}

/* Passes over what no file holds, so that a forged size costs no time. */
static uint64_t
raw_next_mapped(const struct image *img, uint64_t index)
{
    if (index >= img->info.chunk_count)
        return img->info.chunk_count;
    for (size_t i = segment_at(img, index * RAW_CHUNK); i < img->files.n; i++) {
        const struct image_segment *s = &img->segments[i];
        uint64_t held = s->size < s->media_length ? s->size : s->media_length;

        if (!s->present || held == 0)
            continue;
        if (s->media_offset / RAW_CHUNK > index)
            return s->media_offset / RAW_CHUNK;
        if (s->media_offset + held > index * RAW_CHUNK)
            return index;
    }
    return img->info.chunk_count;
}

/* The media that the parts given do not hold is still to be written. */
static int
expect_more(struct image *img, uint64_t media_size, struct err *err)
{
    if (media_size < img->info.media_size || media_size > INT64_MAX)
        return err_set(err, OUTCOME_FAILED,
                       "'%s' and what follows hold %" PRIu64
                       " bytes, the image is to have %" PRIu64,
                       img->files.v[0].path, img->info.media_size, media_size);
    img->info.media_size = media_size;
    return 0;
}

static void
find_held(struct image *img)
{
    uint64_t at = 0;

    for (size_t i = 0; i < img->files.n && img->segments[i].media_offset == at; i++) {
        const struct image_segment *s = &img->segments[i];
        uint64_t size = s->present ? s->size : 0;

        at += size < s->media_length ? size : s->media_length;
        if (size < s->media_length)
            break;
    }
    img->info.held = at;
}

static void
raw_check_tables(struct image *img, const atomic_bool *stop, image_finding_fn *found, void *arg)
{
    (void)img;
    (void)stop;
    (void)found;
    (void)arg;
}

static const struct image_format_ops raw_ops = {
    .read = raw_read,
    .read_chunks = raw_read_chunks,
    .next_mapped = raw_next_mapped,
    .check_tables = raw_check_tables,
};

int
image_raw_open(struct image *img, const struct image_source *from, struct err *err)
{
    const struct manifest *m = from->manifest;
    uint32_t sector = from->sector_size ? from->sector_size : 512;

    img->ops = &raw_ops;
    img->info.format = IMAGE_RAW;
    img->info.bytes_per_sector = m && !from->sector_size ? m->bytes_per_sector : sector;
    if (!m && !from->parts && find_segments(img, from->path, err) != 0)
        return -1;
    image_fill_segments(img);
    if (m)
        lay_out_by_manifest(img, m);
    else if (lay_out_by_size(img, err) != 0)
        return -1;
    if (from->parts && expect_more(img, from->parts->media_size, err) != 0)
        return -1;
    find_held(img);
    img->info.chunk_size = RAW_CHUNK;
    img->info.chunk_count =
        img->info.media_size / RAW_CHUNK + (img->info.media_size % RAW_CHUNK != 0);
    return 0;
}
