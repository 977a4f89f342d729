#include "tests/lib/fault_source.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/mapfile.h"
#include "common/text.h"

#define MAP_BLOCKS_MAX 1000000

struct fault_source {
    struct source base;
    struct fault_spec spec;
    char *status;       /* of each sector: a map_status */
    unsigned *failures; /* of each sector, so far */
    unsigned *single;   /* reads of this sector alone */
    uint64_t n_sectors;
    uint64_t reads;
    bool unsteady; /* the map has such sectors */
};

static void
apply_map(struct fault_source *f)
{
    struct err err = ERR_INIT;
    struct mapfile *map = mapfile_parse(f->spec.map, strlen(f->spec.map), MAP_BLOCKS_MAX, &err);

    if (!map) {
        (void)err_report(&err);
        abort();
    }
    for (size_t i = 0; i < map->n; i++) {
        uint64_t end = map->blocks[i].offset + map->blocks[i].length;

        f->unsteady = f->unsteady || map->blocks[i].status == MAP_NON_TRIED;
        for (uint64_t at = map->blocks[i].offset; at < end; at += f->spec.sector_size) {
            if (at / f->spec.sector_size < f->n_sectors)
                f->status[at / f->spec.sector_size] = (char)map->blocks[i].status;
        }
    }
    mapfile_free(map);
}

static bool
fails(struct fault_source *f, uint64_t sector)
{
    if (f->status[sector] == MAP_BAD_SECTOR)
        return true;
    return f->status[sector] == MAP_NON_TRIMMED && f->failures[sector]++ < f->spec.fail_times;
}

static void
stall(const struct fault_source *f)
{
    struct timespec t = {.tv_sec = f->spec.stall_ms / 1000,
                         .tv_nsec = (long)(f->spec.stall_ms % 1000) * 1000000};

    (void)nanosleep(&t, NULL);
}

/* How many of the bytes from offset to end can be read; -1 with errno if not even the first. */
static ssize_t
readable(struct fault_source *f, uint64_t offset, uint64_t end)
{
    uint32_t size = f->spec.sector_size;
    bool slow = false;

    for (uint64_t s = offset / size; s * size < end; s++) {
        slow = slow || f->status[s] == MAP_NON_SCRAPED;
        if (!fails(f, s))
            continue;
        if (f->spec.partial && s * size > offset)
            return (ssize_t)(s * size - offset);
        errno = f->spec.error ? f->spec.error : EIO;
        return -1;
    }
    if (slow)
        stall(f);
    return (ssize_t)(end - offset);
}

static void
copy_out(const struct fault_source *f, uint8_t *buf, uint64_t offset, size_t n)
{
    uint32_t size = f->spec.sector_size;

    if (f->spec.data)
        memcpy(buf, f->spec.data + offset, n);
    else
        memset(buf, 0, n);
    for (size_t i = 0; f->unsteady && i < n; i++) {
        if (f->status[(offset + i) / size] == MAP_NON_TRIED)
            buf[i] = (uint8_t)(f->reads + i);
    }
}

static ssize_t
fault_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    struct fault_source *f = (struct fault_source *)s;
    uint64_t size = f->spec.end_at ? f->spec.end_at : f->spec.size;
    uint64_t end = offset < size && n < size - offset ? offset + n : size;
    ssize_t got;

    f->reads++;
    if (f->spec.strict && (offset % f->spec.sector_size != 0 || n % f->spec.sector_size != 0)) {
        errno = EINVAL;
        return -1;
    }
    if (f->spec.vanish_at && end >= f->spec.vanish_at) {
        errno = ENODEV;
        return -1;
    }
    if (offset >= size)
        return 0;
    if (offset % f->spec.sector_size == 0 && n <= f->spec.sector_size)
        f->single[offset / f->spec.sector_size]++;
    got = readable(f, offset, end);
    if (got > 0 && f->spec.read_max && (uint64_t)got > f->spec.read_max)
        got = (ssize_t)f->spec.read_max;
    if (got > 0)
        copy_out(f, buf, offset, (size_t)got);
    return got;
}

static void
fault_close(struct source *s)
{
    struct fault_source *f = (struct fault_source *)s;

    free(f->status);
    free(f->failures);
    free(f->single);
    free(f);
}

static const struct source_ops fault_ops = {.pread = fault_pread, .close = fault_close};

struct source *
fault_source_new(const struct fault_spec *spec)
{
    struct fault_source *f = xcalloc(1, sizeof *f);

    f->base.ops = &fault_ops;
    f->spec = *spec;
    f->n_sectors = (spec->size + spec->sector_size - 1) / spec->sector_size;
    f->status = xcalloc(f->n_sectors, 1);
    f->failures = xcalloc(f->n_sectors, sizeof *f->failures);
    f->single = xcalloc(f->n_sectors, sizeof *f->single);
    memset(f->status, MAP_FINISHED, f->n_sectors);
    if (spec->map)
        apply_map(f);
    return &f->base;
}

uint64_t
fault_source_reads(const struct source *s)
{
    return ((const struct fault_source *)s)->reads;
}

unsigned
fault_source_single_reads(const struct source *s, uint64_t sector)
{
    return ((const struct fault_source *)s)->single[sector];
}
