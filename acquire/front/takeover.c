#include "acquire/front/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "acquire/front/run.h"
#include "acquire/job/staging.h"
#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/text.h"

#define BUFFER_SIZE ((size_t)1 << 20)

struct takeover {
    struct acquisition *a;
    struct staging *staging;
    int image; /* what ddrescue has rescued */
    uint8_t *buf;
    uint64_t done, total; /* bytes */
};

/* --- the map --- */

static struct mapfile *
read_map(const char *path, struct err *err)
{
    const char *name;
    AUTO_FD int dir = path_open_parent(path, &name, err);
    AUTO_FREE char *text = NULL;
    struct mapfile *map;
    size_t n;

    text = dir < 0 ? NULL : infile_read(dir, name, STAGING_MAP_MAX, &n, err);
    map = text ? mapfile_parse(text, n, STAGING_BLOCKS_MAX, err) : NULL;
    if (!map)
        (void)err_context(err, "cannot take over '%s'", path);
    return map;
}

static void
append(struct mapfile *map, uint64_t to, enum map_status status)
{
    struct map_block *last = map->n ? &map->blocks[map->n - 1] : NULL;
    uint64_t from = last ? last->offset + last->length : 0;

    if (to <= from)
        return;
    if (last && last->status == status)
        last->length += to - from;
    else
        map->blocks[map->n++] = (struct map_block){from, to - from, status};
}

/* The map's part for the image, in the image's bytes. Its retries begin anew: they are this job's.
 */
static struct mapfile *
shift(const struct mapfile *from, uint64_t offset, uint64_t length)
{
    struct mapfile *to = xcalloc(1, sizeof *to);

    *to = (struct mapfile){.phase = '?', .pass = 1};
    to->blocks = xcalloc(from->n + 2, sizeof *to->blocks);
    for (size_t i = 0; i < from->n; i++) {
        const struct map_block *b = &from->blocks[i];
        uint64_t start = b->offset > offset ? b->offset - offset : 0;
        uint64_t end = b->offset + b->length > offset ? b->offset + b->length - offset : 0;

        if (start >= length)
            break;
        append(to, start, MAP_NON_TRIED);
        append(to, end < length ? end : length, b->status);
    }
    append(to, length, MAP_NON_TRIED);
    return to;
}

static int
check_extent(const struct acquisition *a, const struct mapfile *map, struct err *err)
{
    const struct map_block *last = map->n ? &map->blocks[map->n - 1] : NULL;

    if (last && last->offset + last->length > a->source_size)
        return err_set(err, OUTCOME_REFUSED,
                       "the mapfile '%s' goes to byte %" PRIu64 ", '%s' has %" PRIu64
                       ": it is of another source",
                       a->options.rescue_map, last->offset + last->length, a->options.source,
                       a->source_size);
    return 0;
}

/* --- the image --- */

static int
open_image(struct takeover *t, struct err *err)
{
    const char *path = t->a->options.rescue_image;
    struct stat st;

    t->image = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (t->image < 0)
        return err_errno(err, "cannot open '%s'", path);
    if (fstat(t->image, &st) != 0 || !S_ISREG(st.st_mode))
        return err_set(err, OUTCOME_FAILED, "cannot take over '%s': it is no regular file", path);
    return 0;
}

static int
copy(struct takeover *t, const struct map_block *b, struct err *err)
{
    const struct acquisition *a = t->a;

    for (uint64_t at = 0; at < b->length;) {
        uint64_t left = b->length - at;
        size_t n = left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE;
        ssize_t got = pread(t->image, t->buf, n, (off_t)(a->offset + b->offset + at));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, "cannot read '%s'", a->options.rescue_image);
        if (got == 0)
            return err_set(err, OUTCOME_FAILED,
                           "'%s' ends at byte %" PRIu64 ", but its mapfile says that what follows "
                           "was rescued",
                           a->options.rescue_image, a->offset + b->offset + at);
        if (staging_write(t->staging, t->buf, (size_t)got, b->offset + at, err) != 0)
            return -1;
        at += (uint64_t)got;
        t->done += (uint64_t)got;
        progress_update(a->progress, "take over", t->done, t->total, 0);
        if (run_was_interrupted())
            return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
    }
    return 0;
}

static int
copy_finished(struct takeover *t, const struct mapfile *map, struct err *err)
{
    for (size_t i = 0; i < map->n; i++)
        t->total += map->blocks[i].status == MAP_FINISHED ? map->blocks[i].length : 0;
    for (size_t i = 0; i < map->n; i++) {
        if (map->blocks[i].status == MAP_FINISHED && copy(t, &map->blocks[i], err) != 0)
            return -1;
    }
    joblog_event(t->a->log, "%" PRIu64 " bytes taken over from '%s' and its mapfile '%s'", t->total,
                 t->a->options.rescue_image, t->a->options.rescue_map);
    return staging_save(t->staging, map, err);
}

static int
take_over(struct takeover *t, struct err *err)
{
    const struct acquisition *a = t->a;
    struct mapfile *whole = read_map(a->options.rescue_map, err);
    struct mapfile *map = NULL;
    int r = -1;

    if (whole && check_extent(a, whole, err) == 0 && open_image(t, err) == 0) {
        map = shift(whole, a->offset, a->length);
        r = copy_finished(t, map, err);
    }
    mapfile_free(whole);
    mapfile_free(map);
    return r;
}

/* --- both --- */

static int
begin(struct acquisition *a, struct err *err)
{
    struct takeover t = {.a = a, .image = -1};
    int r = 0;

    t.staging = staging_create(a->dest[0].dir, a->dest[0].name, a->length, err);
    if (!t.staging)
        return -1;
    if (a->options.rescue_map) {
        t.buf = xcalloc(1, BUFFER_SIZE);
        r = take_over(&t, err);
    }
    if (t.image >= 0)
        (void)close(t.image);
    free(t.buf);
    staging_free(t.staging);
    return r;
}

int
takeover_prepare(struct acquisition *a, struct err *err)
{
    struct staging *s;

    if (!a->options.rescue)
        return 0;
    if (!a->options.resume)
        return begin(a, err);
    s = staging_open(a->dest[0].dir, a->dest[0].name, a->length, err);
    if (!s)
        return err_context(err, "cannot resume '%s': what was rescued is missing", a->options.dest);
    staging_free(s);
    return 0;
}
