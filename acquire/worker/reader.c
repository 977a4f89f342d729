#include "acquire/worker/reader.h"

#include <errno.h>
#include <inttypes.h>

#include "acquire/worker/recovery.h"
#include "common/text.h"

struct reader {
    struct reader_spec spec;
    struct ranges unreadable;
};

struct reader *
reader_new(const struct reader_spec *spec)
{
    struct reader *r = xcalloc(1, sizeof *r);

    r->spec = *spec;
    return r;
}

void
reader_free(struct reader *r)
{
    if (!r)
        return;
    ranges_free(&r->unreadable);
    free(r);
}

const struct ranges *
reader_unreadable(const struct reader *r)
{
    return &r->unreadable;
}

static int
fail(struct reader *r, uint64_t at, int sys, struct err *err)
{
    if (at < r->spec.known_until) {
        errno = sys ? sys : ENODATA;
        return err_errno(err, "cannot read byte %" PRIu64 " of what was read before", at);
    }
    if (sys == 0)
        return err_set(err, OUTCOME_INTERRUPTED,
                       "the source ends at byte %" PRIu64 ", before its size: it has changed",
                       r->spec.offset + at);
    if (sys == ECANCELED) /* the gate was closed before it was told to stop */
        return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
    errno = sys;
    (void)err_errno(err, "cannot read the source at byte %" PRIu64, r->spec.offset + at);
    if (source_classify(sys) == SOURCE_GONE)
        err->outcome = OUTCOME_INTERRUPTED;
    return -1;
}

static void
give_up(struct reader *r, uint8_t *buf, uint64_t base, const struct range *bad, int sys)
{
    memset(buf + (bad->offset - base), 0, bad->length);
    ranges_add(&r->unreadable, bad->offset, bad->length);
    if (r->spec.on_unreadable)
        r->spec.on_unreadable(r->spec.context, bad, sys);
}

/* One sector, or what the media's end leaves of it. Its size is rounded up for the read: the buffer
   has room, and the source stops at its end. 1: read; 0: it could not be, *sys says why. */
static int
read_sector(struct reader *r, uint8_t *buf, uint64_t base, const struct range *at, int *sys,
            struct err *err)
{
    ssize_t got = source_pread(r->spec.source, buf + (at->offset - base), r->spec.sector_size,
                               r->spec.offset + at->offset);

    *sys = got < 0 ? errno : 0;
    if (got < 0 && source_classify(*sys) != SOURCE_MEDIUM)
        return fail(r, at->offset, *sys, err);
    if (got >= 0 && (uint64_t)got < at->length)
        return fail(r, at->offset + (uint64_t)got, 0, err);
    return got >= 0;
}

/* What lies in buf (whose first byte is image byte `base`) from offset on could not be read.
   Returns how far that has been settled. After a read that only came back short the first sector
   may turn out to be good: then there is no damage here, and it goes on as before. */
static int
recover(struct reader *r, uint8_t *buf, uint64_t base, struct range where, bool was_short,
        uint64_t *settled, struct err *err)
{
    uint64_t most = (uint64_t)RECOVERY_SECTORS_MAX * r->spec.sector_size;
    struct recovery plan;
    struct range next;

    if (where.length > most)
        where.length = most;
    *settled = where.offset + where.length;
    recovery_begin(&plan, where.offset, where.length, r->spec.sector_size, r->spec.retries);
    while (recovery_next(&plan, &next)) {
        struct range bad;
        int sys;
        int got = read_sector(r, buf, base, &next, &sys, err);

        if (got < 0)
            return -1;
        if (got == 1 && was_short) {
            *settled = next.offset + next.length;
            return 0;
        }
        was_short = false;
        if (recovery_result(&plan, got == 1, &bad))
            give_up(r, buf, base, &bad, sys);
    }
    return 0;
}

/* The unreadable ranges of what was read before, so far as they lie in buf. */
static void
fill_known(struct reader *r, uint8_t *buf, uint64_t at, size_t n)
{
    uint64_t end = at + n < r->spec.known_until ? at + n : r->spec.known_until;
    const struct range *k = r->spec.known && at < end ? ranges_find(r->spec.known, at) : NULL;
    const struct range *last = k ? r->spec.known->v + r->spec.known->n : NULL;

    for (; k < last && k->offset < end; k++) {
        uint64_t from = k->offset > at ? k->offset : at;
        uint64_t to = k->length < end - k->offset ? k->offset + k->length : end;

        memset(buf + (from - at), 0, (size_t)(to - from));
        ranges_add(&r->unreadable, from, to - from);
    }
}

/* How much may be asked for at once, in whole sectors: the border to what is read anew is not
   crossed. */
static size_t
in_one_read(const struct reader *r, uint64_t at, uint64_t n)
{
    uint32_t sector = r->spec.sector_size;

    if (at < r->spec.known_until && n > r->spec.known_until - at)
        n = r->spec.known_until - at;
    return (size_t)((n + sector - 1) / sector * sector);
}

/* One read at image byte `at` of at most n bytes; how far it came, in whole sectors or to the end.
 *failed: something is the matter with what follows. */
static int
read_on(struct reader *r, uint8_t *buf, uint64_t at, size_t n, size_t *came, bool *failed,
        struct err *err)
{
    size_t part = in_one_read(r, at, n);
    bool known = at < r->spec.known_until;
    ssize_t got = source_pread(r->spec.source, buf, part, r->spec.offset + at);

    if (got == 0 || (got < 0 && (known || source_classify(errno) != SOURCE_MEDIUM)))
        return fail(r, at, got == 0 ? 0 : errno, err);
    *came = got < 0 ? 0 : (size_t)got;
    *failed = *came < part && *came < n && !known;
    if (*came >= n)
        return 0;
    /* What ends inside a sector goes on at that sector's start, for direct reads must begin there;
       less than a sector: that is where the source ends now. */
    if (got > 0 && *came < r->spec.sector_size)
        return fail(r, at + (uint64_t)got, 0, err);
    *came -= *came % r->spec.sector_size;
    return 0;
}

ssize_t
reader_fill(struct reader *r, void *buf, size_t n, uint64_t at, struct err *err)
{
    uint64_t left = r->spec.length - at;
    size_t want = left < n ? (size_t)left : n;
    size_t done = 0;

    while (done < want) {
        uint64_t settled;
        bool failed = false;
        size_t came = 0;

        if (read_on(r, (uint8_t *)buf + done, at + done, want - done, &came, &failed, err) != 0)
            return -1;
        done += came;
        if (!failed)
            continue;
        if (recover(r, buf, at, (struct range){at + done, want - done}, came > 0, &settled, err) !=
            0)
            return -1;
        done = (size_t)(settled - at);
    }
    fill_known(r, buf, at, want);
    return (ssize_t)want;
}
