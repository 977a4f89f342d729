#include "acquire/worker/presence.h"

#include <errno.h>

#include "common/text.h"

#define FAILURES_FIRST 32
#define PROBE_SIZE SOURCE_ALIGNMENT

struct place {
    uint64_t offset;
    size_t length; /* at most PROBE_SIZE; 0: none yet */
};

struct presence {
    struct source base;
    struct source *next;
    struct place first, last; /* what could be read */
    uint64_t failures;        /* in a row */
    uint64_t probe_at;
    bool gone;
    uint8_t *buffer; /* aligned, PROBE_SIZE */
};

static bool
can_be_read(struct presence *p, const struct place *at)
{
    if (source_pread(p->next, p->buffer, at->length, at->offset) >= 0)
        return true;
    return source_classify(errno) == SOURCE_OTHER; /* says nothing of the drive */
}

static void
note_success(struct presence *p, uint64_t offset, size_t asked)
{
    p->last = (struct place){offset, asked < PROBE_SIZE ? asked : PROBE_SIZE};
    if (p->first.length == 0)
        p->first = p->last;
    p->failures = 0;
    p->probe_at = FAILURES_FIRST;
}

static void
note_failure(struct presence *p)
{
    if (++p->failures < p->probe_at || p->first.length == 0)
        return;
    p->probe_at *= 2;
    p->gone = !can_be_read(p, &p->last) && !can_be_read(p, &p->first);
}

static ssize_t
presence_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    struct presence *p = (struct presence *)s;
    ssize_t got = -1;
    int sys = ENODEV;

    if (!p->gone) {
        got = source_pread(p->next, buf, n, offset);
        sys = errno;
    }
    /* A short read that is no whole probe may end before a bad sector, or at the source's end. */
    if (got > 0 && ((size_t)got == n || (size_t)got >= PROBE_SIZE))
        note_success(p, offset, (size_t)got);
    else if (got < 0 && !p->gone && source_classify(sys) == SOURCE_MEDIUM)
        note_failure(p);
    errno = p->gone ? ENODEV : sys;
    return got;
}

static void
presence_close(struct source *s)
{
    struct presence *p = (struct presence *)s;

    source_close(p->next);
    free(p->buffer);
    free(p);
}

static const struct source_ops ops = {.pread = presence_pread, .close = presence_close};

struct source *
presence_new(struct source *next)
{
    struct presence *p = xcalloc(1, sizeof *p);

    p->base.ops = &ops;
    p->next = next;
    p->probe_at = FAILURES_FIRST;
    p->buffer = aligned_alloc(SOURCE_ALIGNMENT, PROBE_SIZE);
    if (!p->buffer)
        abort();
    return &p->base;
}
