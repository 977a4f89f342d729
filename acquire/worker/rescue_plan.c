#include "acquire/worker/rescue_plan.h"

#include "common/text.h"

/* The copy passes: the second reads what the first skipped from the other side. */
static const struct {
    bool backward, skip;
} copy_passes[] = {{false, true}, {true, true}, {false, true}, {true, true}, {false, false}};

#define COPY_PASSES (sizeof copy_passes / sizeof copy_passes[0])

struct rescue_plan {
    uint64_t length;
    uint32_t sector_size;
    unsigned retries;
    unsigned first_retry; /* the pass that retrying begins with */
    struct mapfile map;   /* blocks in order without gaps; neighbours differ in status */
    size_t cap;
    uint64_t total[256]; /* bytes by status */
    enum rescue_phase phase;
    unsigned pass;
    uint64_t at;   /* the pass has come here; backward: everything from here on is behind it */
    uint64_t skip; /* bytes to skip after the next failure */
    bool trimming; /* from the end */
    struct range asked;
};

/* --- the map --- */

/* The block that holds the byte at offset. */
static size_t
find(const struct rescue_plan *p, uint64_t offset)
{
    size_t low = 0;
    size_t high = p->map.n;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (p->map.blocks[mid].offset <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static void
insert(struct rescue_plan *p, size_t i, struct map_block b)
{
    if (p->map.n == p->cap) {
        p->cap = p->cap * 2 + 64;
        p->map.blocks = xrealloc(p->map.blocks, p->cap, sizeof *p->map.blocks);
    }
    memmove(&p->map.blocks[i + 1], &p->map.blocks[i], (p->map.n - i) * sizeof b);
    p->map.blocks[i] = b;
    p->map.n++;
}

/* Makes a block begin at offset; returns its index (the number of blocks at the media's end). */
static size_t
cut(struct rescue_plan *p, uint64_t offset)
{
    size_t i;
    struct map_block *b;
    struct map_block rest;

    if (offset == p->length)
        return p->map.n;
    i = find(p, offset);
    b = &p->map.blocks[i];
    if (b->offset == offset)
        return i;
    rest = (struct map_block){offset, b->offset + b->length - offset, b->status};
    b->length = offset - b->offset;
    insert(p, i + 1, rest);
    return i + 1;
}

/* Joins block i with the one before it, if they are alike; true if it did. */
static bool
join(struct rescue_plan *p, size_t i)
{
    struct map_block *b = p->map.blocks;

    if (i == 0 || i >= p->map.n || b[i - 1].status != b[i].status)
        return false;
    b[i - 1].length += b[i].length;
    memmove(&b[i], &b[i + 1], (p->map.n - i - 1) * sizeof *b);
    p->map.n--;
    return true;
}

static void
mark(struct rescue_plan *p, uint64_t offset, uint64_t length, enum map_status status)
{
    size_t first;
    size_t end;

    if (length == 0)
        return;
    first = cut(p, offset);
    end = cut(p, offset + length);
    for (size_t i = first; i < end; i++)
        p->total[(unsigned char)p->map.blocks[i].status] -= p->map.blocks[i].length;
    p->total[(unsigned char)status] += length;
    p->map.blocks[first] = (struct map_block){offset, length, status};
    memmove(&p->map.blocks[first + 1], &p->map.blocks[end],
            (p->map.n - end) * sizeof *p->map.blocks);
    p->map.n -= end - first - 1;
    (void)join(p, first + 1);
    (void)join(p, first);
}

/* The first block with that status that ends after offset; its index, or the number of blocks. */
static size_t
seek_forward(const struct rescue_plan *p, uint64_t offset, enum map_status status)
{
    size_t i = offset < p->length ? find(p, offset) : p->map.n;

    while (i < p->map.n && p->map.blocks[i].status != status)
        i++;
    return i;
}

/* The last one that begins before offset. */
static size_t
seek_backward(const struct rescue_plan *p, uint64_t offset, enum map_status status)
{
    size_t i = offset > 0 ? find(p, offset - 1) + 1 : 0;

    while (i > 0 && p->map.blocks[i - 1].status != status)
        i--;
    return i > 0 ? i - 1 : p->map.n;
}

/* --- where an earlier run stopped --- */

/* A sector of which any part is in a lesser state is in that state as a whole. */
static void
take_status(struct rescue_plan *p, const struct mapfile *from, enum map_status status)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct map_block *b = &from->blocks[i];
        uint64_t start = b->offset / p->sector_size * p->sector_size;
        uint64_t end;

        if (b->status != status || b->offset >= p->length)
            continue;
        end = b->length < p->length - b->offset ? b->offset + b->length : p->length;
        if (end % p->sector_size != 0)
            end += p->sector_size - end % p->sector_size;
        mark(p, start, (end < p->length ? end : p->length) - start, status);
    }
}

static void
take_finished(struct rescue_plan *p, const struct mapfile *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct map_block *b = &from->blocks[i];

        if (b->status == MAP_FINISHED && b->offset < p->length)
            mark(p, b->offset,
                 b->length < p->length - b->offset ? b->length : p->length - b->offset,
                 MAP_FINISHED);
    }
}

/* --- the passes --- */

static bool
is_backward(const struct rescue_plan *p)
{
    return p->phase == RESCUE_COPY    ? copy_passes[p->pass - 1].backward
           : p->phase == RESCUE_RETRY ? p->pass % 2 == 1
                                      : false;
}

static enum map_status
wanted(const struct rescue_plan *p)
{
    static const enum map_status status[] = {MAP_NON_TRIED, MAP_NON_TRIMMED, MAP_NON_SCRAPED,
                                             MAP_BAD_SECTOR, MAP_FINISHED};

    return status[p->phase];
}

/* A cluster between two that failed would most likely fail too: it is left to trimming, which
   fails no more often for it. */
static void
give_up_gaps(struct rescue_plan *p)
{
    for (size_t i = 1; i + 1 < p->map.n; i++) {
        const struct map_block *b = &p->map.blocks[i];

        if (b->status == MAP_NON_TRIED && b->length <= RESCUE_CLUSTER &&
            b[-1].status == MAP_NON_TRIMMED && b[1].status == MAP_NON_TRIMMED) {
            mark(p, b->offset, b->length, MAP_NON_TRIMMED);
            i--; /* the three are one now */
        }
    }
}

static void
begin_pass(struct rescue_plan *p, enum rescue_phase phase, unsigned pass)
{
    p->phase = phase;
    p->pass = pass;
    if (phase == RESCUE_COPY && pass > 1)
        give_up_gaps(p);
    if (phase == RESCUE_RETRY && pass > p->retries)
        p->phase = RESCUE_OVER;
    p->at = p->phase != RESCUE_OVER && is_backward(p) ? p->length : 0;
    p->skip = RESCUE_CLUSTER;
    p->trimming = false;
}

static void
next_pass(struct rescue_plan *p)
{
    if (p->phase == RESCUE_RETRY || (p->phase == RESCUE_COPY && p->pass < COPY_PASSES))
        begin_pass(p, p->phase, p->pass + 1);
    else
        begin_pass(p, p->phase + 1, p->phase == RESCUE_SCRAPE ? p->first_retry : 1);
}

struct rescue_plan *
rescue_plan_new(uint64_t length, uint32_t sector_size, unsigned retries, const struct mapfile *from)
{
    static const enum map_status lesser[] = {MAP_BAD_SECTOR, MAP_NON_SCRAPED, MAP_NON_TRIMMED,
                                             MAP_NON_TRIED};
    struct rescue_plan *p = xcalloc(1, sizeof *p);

    p->length = length;
    p->sector_size = sector_size;
    p->retries = retries;
    p->first_retry = from && from->phase == '-' && from->pass > 1 ? from->pass : 1;
    insert(p, 0, (struct map_block){0, length, MAP_NON_TRIED});
    p->total[MAP_NON_TRIED] = length;
    if (from) {
        take_finished(p, from);
        /* In ascending order of how much is still to do. */
        for (size_t i = 0; i < sizeof lesser / sizeof lesser[0]; i++)
            take_status(p, from, lesser[i]);
    }
    begin_pass(p, RESCUE_COPY, 1);
    return p;
}

void
rescue_plan_free(struct rescue_plan *p)
{
    if (!p)
        return;
    free(p->map.blocks);
    free(p);
}

/* Clusters lie at multiples of their size, so that every pass has the same ones. */
static struct range
cluster(uint64_t from, uint64_t to, bool backward)
{
    uint64_t cut_at;

    if (to - from <= RESCUE_CLUSTER && from / RESCUE_CLUSTER == (to - 1) / RESCUE_CLUSTER)
        return (struct range){from, to - from};
    if (backward) {
        cut_at = (to - 1) / RESCUE_CLUSTER * RESCUE_CLUSTER;
        return (struct range){cut_at, to - cut_at};
    }
    cut_at = (from / RESCUE_CLUSTER + 1) * RESCUE_CLUSTER;
    return (struct range){from, cut_at - from};
}

static struct range
sector(const struct rescue_plan *p, uint64_t from, uint64_t to, bool backward)
{
    uint64_t start = backward ? (to - 1) / p->sector_size * p->sector_size : from;

    return (struct range){start, to - start < p->sector_size ? to - start : p->sector_size};
}

/* What is left of the pass in its direction, within one block of the map. */
static bool
next_of_pass(struct rescue_plan *p, struct range *out)
{
    bool backward = is_backward(p);
    size_t i = backward ? seek_backward(p, p->at, wanted(p)) : seek_forward(p, p->at, wanted(p));
    uint64_t from;
    uint64_t to;

    if (i == p->map.n)
        return false;
    from = p->map.blocks[i].offset;
    to = from + p->map.blocks[i].length;
    if (backward && to > p->at)
        to = p->at;
    if (!backward && from < p->at)
        from = p->at;
    if (p->phase == RESCUE_COPY)
        *out = cluster(from, to, backward);
    else
        *out = sector(p, from, to, backward || p->trimming);
    return true;
}

bool
rescue_plan_next(struct rescue_plan *p, struct range *out)
{
    while (p->phase != RESCUE_OVER) {
        if (p->total[(unsigned char)wanted(p)] > 0 && next_of_pass(p, out)) {
            p->asked = *out;
            p->map.current = out->offset;
            return true;
        }
        next_pass(p);
    }
    p->map.current = p->length;
    return false;
}

/* --- results --- */

static void
move_past(struct rescue_plan *p, uint64_t skip)
{
    const struct range *a = &p->asked;
    uint64_t end = a->offset + a->length;

    if (is_backward(p))
        p->at = a->offset > skip ? a->offset - skip : 0;
    else
        p->at = p->length - end > skip ? end + skip : p->length;
}

static void
copied(struct rescue_plan *p, bool read)
{
    uint64_t skip = 0;

    if (read) {
        p->skip = RESCUE_CLUSTER;
    } else if (copy_passes[p->pass - 1].skip) {
        skip = p->skip;
        p->skip = p->skip * 2 < RESCUE_SKIP_MAX ? p->skip * 2 : RESCUE_SKIP_MAX;
    }
    move_past(p, skip);
}

/* The area's start has been trimmed when a sector there is bad: now its end. When that is bad too,
   the rest is for scraping. */
static void
trimmed(struct rescue_plan *p, bool read)
{
    uint64_t end = p->asked.offset + p->asked.length;
    size_t i;

    if (!p->trimming) {
        p->at = end;
        i = end < p->length ? find(p, end) : p->map.n;
        p->trimming = !read && i < p->map.n && p->map.blocks[i].status == MAP_NON_TRIMMED;
        return;
    }
    i = p->asked.offset > 0 ? find(p, p->asked.offset - 1) : p->map.n;
    if (i < p->map.n && p->map.blocks[i].status == MAP_NON_TRIMMED) {
        if (read)
            return; /* the area goes on below */
        mark(p, p->map.blocks[i].offset, p->map.blocks[i].length, MAP_NON_SCRAPED);
    }
    p->trimming = false;
}

void
rescue_plan_result(struct rescue_plan *p, uint64_t got)
{
    const struct range *a = &p->asked;
    bool read = got >= a->length;
    enum map_status failed =
        p->phase == RESCUE_COPY && a->length > p->sector_size ? MAP_NON_TRIMMED : MAP_BAD_SECTOR;

    got = read ? a->length : got / p->sector_size * p->sector_size;
    mark(p, a->offset, got, MAP_FINISHED);
    mark(p, a->offset + got, a->length - got, failed);
    if (p->phase == RESCUE_COPY)
        copied(p, read);
    else if (p->phase == RESCUE_TRIM)
        trimmed(p, read);
    else
        move_past(p, 0);
}

/* --- what others see --- */

enum rescue_phase
rescue_plan_phase(const struct rescue_plan *p)
{
    return p->phase;
}

unsigned
rescue_plan_pass(const struct rescue_plan *p)
{
    return p->pass;
}

const char *
rescue_phase_name(enum rescue_phase phase)
{
    static const char *const names[] = {"copy", "trim", "scrape", "retry", "over"};

    return names[phase];
}

uint64_t
rescue_plan_total(const struct rescue_plan *p, enum map_status status)
{
    return p->total[(unsigned char)status];
}

const struct mapfile *
rescue_plan_map(struct rescue_plan *p)
{
    p->map.phase = "?*/-+"[p->phase];
    p->map.pass = p->pass;
    return &p->map;
}
