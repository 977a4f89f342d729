#include "acquire/existing.h"

#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/image.h"
#include "common/segname.h"
#include "common/text.h"

/* Samples beside the first and the last, and the bytes of each: a multiple of every sector size. */
#define SAMPLES_BETWEEN 64
#define SAMPLE_SIZE ((size_t)64 << 10)

struct existing {
    struct source base;
    struct existing_spec spec;
    struct image *image;
};

static ssize_t
existing_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    struct existing *e = (struct existing *)s;
    uint64_t border = e->spec.offset + e->spec.until;
    struct err err = ERR_INIT;
    ssize_t r;

    if (offset >= border)
        return source_pread(e->spec.source, buf, n, offset);
    if (n > border - offset)
        n = (size_t)(border - offset);
    r = image_read(e->image, buf, n, offset - e->spec.offset, &err);
    if (r < 0)
        errno = err.sys ? err.sys : EIO;
    return r;
}

static void
existing_close(struct source *s)
{
    (void)s; /* existing_free() does it */
}

static const struct source_ops ops = {.pread = existing_pread, .close = existing_close};

/* The closed segments, and the raw file after them. */
static struct image *
open_image(const struct existing_spec *spec, struct err *err)
{
    const struct sink_spec *sink = spec->sink;
    const struct kept_sink *k = &sink->resume->sinks[sink->index];
    struct image_part *parts = xcalloc(spec->kept + 1, sizeof *parts);
    struct image_parts set = {.format = spec->e01 ? IMAGE_E01 : IMAGE_RAW,
                              .media_size = sink->media_size,
                              .sector_size = sink->sector_size,
                              .v = parts,
                              .n = spec->kept};
    AUTO_FREE char *open_file = NULL;
    char ext[SEGNAME_EXT_MAX] = ".raw";
    uint64_t end = 0;
    struct image *image;

    for (size_t i = 0; i < spec->kept; i++) {
        parts[i] = (struct image_part){.dir = sink->dirs[k->v[i].dir], .name = k->v[i].file};
        end = k->v[i].media_offset + k->v[i].media_length;
    }
    if (end < spec->until) {
        if (sink->segment_size != 0)
            (void)segname_raw_split((uint32_t)spec->kept + 1, ext);
        open_file = xasprintf("%s%s", sink->name, ext);
        parts[set.n++] = (struct image_part){.dir = sink->dir, .name = open_file};
    }
    image = image_open_parts(&set, err);
    free(parts);
    if (image && image_info(image)->held < spec->until) {
        (void)err_set(err, OUTCOME_FAILED,
                      "what was imaged before ends at byte %" PRIu64 ", not at %" PRIu64,
                      image_info(image)->held, spec->until);
        image_free(image);
        image = NULL;
    }
    return image;
}

struct existing *
existing_open(const struct existing_spec *spec, struct err *err)
{
    struct existing *e = xcalloc(1, sizeof *e);

    e->base.ops = &ops;
    e->spec = *spec;
    e->image = open_image(spec, err);
    if (e->image)
        return e;
    (void)err_context(err, "cannot read what was imaged before");
    free(e);
    return NULL;
}

void
existing_free(struct existing *e)
{
    if (!e)
        return;
    image_free(e->image);
    free(e);
}

struct source *
existing_source(struct existing *e)
{
    return &e->base;
}

/* --- samples --- */

struct pair {
    uint8_t *imaged;
    uint8_t *now;
};

static void
blank(struct pair *p, uint64_t at, size_t n, const struct ranges *known)
{
    const struct range *k = known ? ranges_find(known, at) : NULL;
    const struct range *end = k ? known->v + known->n : NULL;

    for (; k < end && k->offset < at + n; k++) {
        uint64_t from = k->offset > at ? k->offset : at;
        uint64_t to = k->length < at + n - k->offset ? k->offset + k->length : at + n;

        memset(p->imaged + (from - at), 0, (size_t)(to - from));
        memset(p->now + (from - at), 0, (size_t)(to - from));
    }
}

static int
compare(struct existing *e, struct pair *p, uint64_t at, struct existing_samples *samples,
        struct err *err)
{
    uint64_t left = e->spec.until - at;
    size_t n = left < SAMPLE_SIZE ? (size_t)left : SAMPLE_SIZE;
    uint32_t sector = e->spec.sink->sector_size;
    ssize_t got;

    if (image_read(e->image, p->imaged, n, at, err) != (ssize_t)n)
        return err_context(err, "cannot read what was imaged before");
    got = source_pread(e->spec.source, p->now, (n + sector - 1) / sector * sector,
                       e->spec.offset + at);
    if (got < 0 &&
        (errno == ENODEV || errno == ENXIO || errno == ENOMEDIUM || errno == ECANCELED)) {
        (void)err_errno(err, "cannot read the source at byte %" PRIu64, e->spec.offset + at);
        err->outcome = OUTCOME_INTERRUPTED;
        return -1;
    }
    if (got < (ssize_t)n) {
        samples->lost++;
        return 0;
    }
    blank(p, at, n, e->spec.known);
    samples->compared++;
    if (memcmp(p->imaged, p->now, n) == 0)
        return 0;
    return err_set(err, OUTCOME_REFUSED,
                   "the source is not what was imaged before: it differs between bytes %" PRIu64
                   " and %" PRIu64,
                   e->spec.offset + at, e->spec.offset + at + n);
}

int
existing_compare(struct existing *e, struct existing_samples *samples, struct err *err)
{
    uint64_t blocks = (e->spec.until + SAMPLE_SIZE - 1) / SAMPLE_SIZE;
    uint64_t n = blocks < SAMPLES_BETWEEN + 2 ? blocks : SAMPLES_BETWEEN + 2;
    void *buf = NULL;
    struct pair p;
    int r = 0;

    *samples = (struct existing_samples){0};
    if (posix_memalign(&buf, SOURCE_ALIGNMENT, 2 * SAMPLE_SIZE) != 0)
        return err_set(err, OUTCOME_FAILED, "not enough memory for the samples");
    p = (struct pair){.imaged = buf, .now = (uint8_t *)buf + SAMPLE_SIZE};
    for (uint64_t i = 0; r == 0 && i < n; i++) {
        /* From the first to the last, evenly; in 128 bits no product is too large. */
        uint64_t block = n == 1 ? 0 : (uint64_t)((unsigned __int128)(blocks - 1) * i / (n - 1));

        r = compare(e, &p, block * SAMPLE_SIZE, samples, err);
    }
    free(buf);
    return r;
}
