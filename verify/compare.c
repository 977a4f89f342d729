#include "verify/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/text.h"

#define ALIGNMENT 4096 /* of memory, for direct reads */

struct compare {
    struct compare_spec spec;
    struct compare_result result;
    uint8_t *buf;         /* what the source gives for the block at hand */
    struct ranges failed; /* what it does not give of that block */
};

static bool
is_gone(int sys)
{
    return sys == ENODEV || sys == ENXIO || sys == ENOMEDIUM;
}

/* What direct reads cannot do (an odd chunk size, an odd end) is read through the page cache from
   then on. */
static ssize_t
read_at(const struct compare *c, uint8_t *buf, size_t n, uint64_t offset)
{
    for (;;) {
        ssize_t r = pread(c->spec.fd, buf, n, (off_t)offset);
        int sys = errno;
        int flags;

        if (r >= 0 || (sys != EINTR && sys != EINVAL))
            return r;
        flags = sys == EINVAL ? fcntl(c->spec.fd, F_GETFL) : 0;
        if (sys == EINVAL && (flags < 0 || !(flags & O_DIRECT) ||
                              fcntl(c->spec.fd, F_SETFL, flags & ~O_DIRECT) != 0)) {
            errno = sys;
            return r;
        }
    }
}

/* Reads media bytes at..at+n into the same place of the buffer, whose first byte is media byte
   `base`. A read that fails is halved until single sectors are left that cannot be read. -1: the
   source has gone. */
static int
fetch(struct compare *c, uint64_t base, uint64_t at, size_t n)
{
    uint32_t sector = c->spec.sector_size;
    size_t done = 0;

    while (done < n) {
        /* Direct reads take whole sectors; the buffer has room for the last one. */
        size_t want = (n - done + sector - 1) / sector * sector;
        ssize_t got = read_at(c, c->buf + (at - base) + done, want, c->spec.offset + at + done);
        size_t half = (n - done) / 2 / sector * sector;

        if (got > 0) {
            done += (size_t)got;
            continue;
        }
        if (got < 0 && is_gone(errno)) {
            c->result.gone = errno;
            c->result.gone_at = at + done;
            return -1;
        }
        if (got == 0 || half == 0) { /* its end, or one sector */
            ranges_add(&c->failed, at + done, got == 0 || n - done < sector ? n - done : sector);
            if (got == 0 || n - done <= sector)
                return 0;
            return fetch(c, base, at + done + sector, n - done - sector);
        }
        if (fetch(c, base, at + done, half) != 0)
            return -1;
        done += half;
    }
    return 0;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Sector by sector, where the whole differs. `theirs` and `ours` hold media bytes at..at+n. */
static void
compare_part(struct compare *c, const uint8_t *ours, const uint8_t *theirs, uint64_t at, size_t n)
{
    uint32_t sector = c->spec.sector_size;

    c->result.compared += n;
    if (memcmp(ours, theirs, n) == 0)
        return;
    for (size_t i = 0; i < n; i += sector) {
        size_t part = n - i < sector ? n - i : sector;

        if (memcmp(ours + i, theirs + i, part) == 0)
            continue;
        ranges_add(&c->result.different, at + i, part);
        if (is_zero(theirs + i, part))
            c->result.now_zero += part;
    }
}

/* The end of the stretch from `at` on, at most `end`, that is wholly inside or wholly outside the
   set; *inside says which. */
static uint64_t
stretch(const struct ranges *set, uint64_t at, uint64_t end, bool *inside)
{
    const struct range *r = ranges_find(set, at);
    uint64_t to;

    *inside = r && r->offset <= at;
    if (!r)
        return end;
    to = *inside ? r->offset + r->length : r->offset;
    return to < end ? to : end;
}

/* Media bytes at..end, which the image holds sound. */
static void
compare_sound(struct compare *c, const struct block *b, uint64_t at, uint64_t end)
{
    uint64_t room = c->spec.size - c->spec.offset;

    end = end < room ? end : room;
    while (at < end) {
        bool held_as_zero;
        bool failed;
        uint64_t to = stretch(c->spec.unreadable, at, end, &held_as_zero);

        to = stretch(&c->failed, at, to, &failed);
        if (!held_as_zero && failed)
            ranges_add(&c->result.unreadable, at, to - at);
        else if (!held_as_zero)
            compare_part(c, b->data + (at - b->media_offset), c->buf + (at - b->media_offset), at,
                         (size_t)(to - at));
        at = to;
    }
}

static void
compare_block(struct compare *c, const struct block *b)
{
    uint64_t at = b->media_offset;

    ranges_free(&c->failed);
    if (fetch(c, at, at, b->length) != 0)
        return;
    for (size_t i = 0; i < b->count;) {
        uint64_t end = at;
        bool sound = b->chunks[i].state == CHUNK_OK;

        for (; i < b->count && (b->chunks[i].state == CHUNK_OK) == sound; i++)
            end += b->chunks[i].length;
        if (sound)
            compare_sound(c, b, at, end);
        else
            ranges_add(&c->result.damaged, at, end - at);
        at = end;
    }
}

/* Past the end of the source there is nothing to compare with; the sizes say so. */
static void
compare_within(struct compare *c, const struct block *b)
{
    uint64_t room = c->spec.size > c->spec.offset ? c->spec.size - c->spec.offset : 0;
    struct block part = *b;

    if (c->result.gone || b->media_offset >= room)
        return;
    if (b->length > room - b->media_offset) {
        size_t count = 0;
        size_t length = 0;

        while (count < b->count && length < room - b->media_offset)
            length += b->chunks[count++].length;
        part.count = count;
        part.length = length;
    }
    compare_block(c, &part);
}

void
compare_run(void *compare, struct ring *r, const atomic_bool *stop)
{
    struct compare *c = compare;
    const struct block *b;

    (void)stop;
    for (uint64_t seq = 0; (b = ring_take(r, seq)) != NULL; seq++) {
        compare_within(c, b);
        ring_done(r, seq);
    }
}

/* Through the page cache an unreadable sector takes its neighbours along. */
static void
try_direct(const struct compare *c)
{
    int flags = fcntl(c->spec.fd, F_GETFL);

    if (c->spec.direct && flags >= 0)
        (void)fcntl(c->spec.fd, F_SETFL, flags | O_DIRECT);
}

struct compare *
compare_new(const struct compare_spec *spec, struct err *err)
{
    struct compare *c = xcalloc(1, sizeof *c);
    size_t room = (spec->block_max / ALIGNMENT + 2) * ALIGNMENT + spec->sector_size;
    void *buf = NULL;

    c->spec = *spec;
    if (posix_memalign(&buf, ALIGNMENT, room) != 0) {
        (void)err_set(err, OUTCOME_FAILED, "not enough memory to compare");
        compare_free(c);
        return NULL;
    }
    c->buf = buf;
    try_direct(c);
    return c;
}

void
compare_free(struct compare *c)
{
    if (!c)
        return;
    ranges_free(&c->failed);
    ranges_free(&c->result.different);
    ranges_free(&c->result.unreadable);
    ranges_free(&c->result.damaged);
    free(c->buf);
    free(c);
}

const struct compare_result *
compare_results(const struct compare *c)
{
    return &c->result;
}
