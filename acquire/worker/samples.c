#include "acquire/worker/samples.h"

#include <errno.h>
#include <inttypes.h>

#include "common/text.h"

/* The bytes of each: a multiple of every sector size. */
#define SAMPLES_MAX 66
#define SAMPLE_SIZE ((uint64_t)64 << 10)

struct pair {
    uint8_t *imaged;
    uint8_t *now;
};

/* The stretch that holds the nth of the bytes that are there, as far as it is there. */
static struct range
stretch(const struct samples_spec *s, uint64_t nth)
{
    uint64_t at = 0; /* of what is there, the stretch between two missing ranges */
    uint64_t end = s->until;

    for (size_t i = 0; s->missing && i < s->missing->n; i++) {
        const struct range *m = &s->missing->v[i];

        if (m->offset >= s->until)
            break;
        end = m->offset;
        if (nth < end - at)
            break;
        nth -= end - at;
        at = m->offset + m->length;
        end = s->until;
    }
    /* Samples lie at multiples of their size, but where damage cuts one off. */
    nth += at;
    if (nth / SAMPLE_SIZE * SAMPLE_SIZE > at)
        at = nth / SAMPLE_SIZE * SAMPLE_SIZE;
    return (struct range){at, end - at < SAMPLE_SIZE ? end - at : SAMPLE_SIZE};
}

static uint64_t
bytes_there(const struct samples_spec *s)
{
    uint64_t n = s->until;

    for (size_t i = 0; s->missing && i < s->missing->n && s->missing->v[i].offset < s->until; i++) {
        uint64_t left = s->until - s->missing->v[i].offset;

        n -= s->missing->v[i].length < left ? s->missing->v[i].length : left;
    }
    return n;
}

static int
source_lost(const struct samples_spec *s, uint64_t at, struct err *err)
{
    if (errno == ECANCELED)
        return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
    (void)err_errno(err, "cannot read the source at byte %" PRIu64, s->offset + at);
    err->outcome = OUTCOME_INTERRUPTED;
    return -1;
}

static int
compare(const struct samples_spec *s, const struct pair *p, const struct range *r,
        struct samples *out, struct err *err)
{
    uint64_t whole = (r->length + s->sector_size - 1) / s->sector_size * s->sector_size;
    ssize_t got = source_pread(s->imaged, p->imaged, r->length, s->offset + r->offset);

    if (got < (ssize_t)r->length) {
        errno = got < 0 ? errno : ENODATA;
        return err_errno(err, "cannot read what was imaged before, at byte %" PRIu64, r->offset);
    }
    got = source_pread(s->now, p->now, whole, s->offset + r->offset);
    if (got < 0 && (source_classify(errno) == SOURCE_GONE || errno == ECANCELED))
        return source_lost(s, r->offset, err);
    if (got < (ssize_t)r->length) {
        out->lost++;
        return 0;
    }
    out->compared++;
    if (memcmp(p->imaged, p->now, r->length) == 0)
        return 0;
    return err_set(err, OUTCOME_REFUSED,
                   "the source is not what was imaged before: it differs between bytes %" PRIu64
                   " and %" PRIu64,
                   s->offset + r->offset, s->offset + r->offset + r->length);
}

int
samples_compare(const struct samples_spec *spec, struct samples *out, struct err *err)
{
    uint64_t there = bytes_there(spec);
    uint64_t blocks = (there + SAMPLE_SIZE - 1) / SAMPLE_SIZE;
    uint64_t n = blocks < SAMPLES_MAX ? blocks : SAMPLES_MAX;
    void *buf = NULL;
    struct pair p;
    int r = 0;

    *out = (struct samples){0};
    if (posix_memalign(&buf, SOURCE_ALIGNMENT, 2 * SAMPLE_SIZE) != 0)
        return err_set(err, OUTCOME_FAILED, "not enough memory for the samples");
    p = (struct pair){.imaged = buf, .now = (uint8_t *)buf + SAMPLE_SIZE};
    for (uint64_t i = 0; r == 0 && i < n; i++) {
        /* From the first byte to the last, evenly; in 128 bits no product is too large. */
        uint64_t nth = n == 1 ? 0 : (uint64_t)((unsigned __int128)(there - 1) * i / (n - 1));
        struct range at = stretch(spec, nth);

        r = compare(spec, &p, &at, out, err);
    }
    free(buf);
    return r;
}
