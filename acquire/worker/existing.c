#include "acquire/worker/existing.h"

#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/image.h"
#include "common/segname.h"
#include "common/text.h"

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
