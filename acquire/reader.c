#include "acquire/reader.h"

#include <errno.h>
#include <inttypes.h>

#include "acquire/recovery.h"
#include "common/text.h"

struct reader {
    struct reader_spec spec;
    struct ranges unreadable;
};

enum failure {
    FAILURE_MEDIUM, /* these bytes cannot be read; others may be */
    FAILURE_GONE,   /* no device any more */
    FAILURE_OTHER,  /* nothing that reading on could help */
};

/* What the block layer returns for errors of the medium, the target and the path to it
   (include/linux/blk_types.h, blk_status_t, as errno). */
static enum failure
classify(int sys)
{
    switch (sys) {
    case EIO:
    case ENODATA:   /* medium error */
    case EREMOTEIO: /* target error */
    case EILSEQ:    /* protection error */
    case ETIMEDOUT:
    case ENOLINK:
    case EBADE:
        return FAILURE_MEDIUM;
    case ENODEV:
    case ENXIO:
    case ENOMEDIUM:
        return FAILURE_GONE;
    default:
        return FAILURE_OTHER;
    }
}

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
    if (sys == 0)
        return err_set(err, OUTCOME_INTERRUPTED,
                       "the source ends at byte %" PRIu64 ", before its size: it has changed",
                       r->spec.offset + at);
    errno = sys;
    (void)err_errno(err, "cannot read the source at byte %" PRIu64, r->spec.offset + at);
    if (classify(sys) == FAILURE_GONE)
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

/* The range lies in buf, whose first byte is image byte `base`. Its size is rounded up to whole
   sectors for the read: the buffer has room, and the source stops at its end. */
static int
recover(struct reader *r, uint8_t *buf, uint64_t base, uint64_t offset, uint64_t length,
        struct err *err)
{
    uint32_t sector = r->spec.sector_size;
    struct recovery plan;
    struct range next;

    recovery_begin(&plan, offset, length, sector, r->spec.retries);
    while (recovery_next(&plan, &next)) {
        size_t n = (size_t)((next.length + sector - 1) / sector * sector);
        ssize_t got = source_pread(r->spec.source, buf + (next.offset - base), n,
                                   r->spec.offset + next.offset);
        int sys = got < 0 ? errno : 0;
        struct range bad;

        if (got < 0 && classify(sys) != FAILURE_MEDIUM)
            return fail(r, next.offset, sys, err);
        if (got >= 0 && (uint64_t)got < sector && (uint64_t)got < next.length)
            return fail(r, next.offset + (uint64_t)got, 0, err);
        if (recovery_result(&plan, got < 0 ? 0 : (uint64_t)got, &bad))
            give_up(r, buf, base, &bad, sys);
    }
    return 0;
}

ssize_t
reader_fill(struct reader *r, void *buf, size_t n, uint64_t at, struct err *err)
{
    uint64_t left = r->spec.length - at;
    size_t want = left < n ? (size_t)left : n;
    uint32_t sector = r->spec.sector_size;
    size_t done = 0;

    while (done < want) {
        size_t part = (want - done + sector - 1) / sector * sector;
        ssize_t got =
            source_pread(r->spec.source, (uint8_t *)buf + done, part, r->spec.offset + at + done);

        if (got > 0) {
            size_t before = done;

            /* A short read that ends inside a sector is read again from the sector's start, for
               direct reads must begin there; unless it ends the media. */
            done += (size_t)got;
            if (done < want)
                done -= done % sector;
            if (done == before) /* less than a sector: that is where the source ends now */
                return fail(r, at + before + (uint64_t)got, 0, err);
            continue;
        }
        if (got == 0 || classify(errno) != FAILURE_MEDIUM)
            return fail(r, at + done, got == 0 ? 0 : errno, err);
        if (recover(r, buf, at, at + done, want - done, err) != 0)
            return -1;
        done = want;
    }
    return (ssize_t)want;
}
