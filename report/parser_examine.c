/*
 * Looking at areas that can be as large as the disk: in full up to a limit, else at pieces spread
 * evenly over them.
 */
#include "report/parser.h"
#include "report/parser_emit.h"

/* Pieces that are looked at where not all is: large enough that a disk with heads reads more than
   it seeks, small enough that thousands of places are seen. */
#define PIECE (UINT64_C(256) << 10)

/* Chi-square of the byte values of random data has a mean of 255 and a deviation of 22.6; what is
   compressed or structured lies far above. Six deviations. */
#define RANDOM_CHI_MAX 391.0
/* Places over a volume at which it is looked for what cannot be told from random, and their size.
 */
#define SAMPLES 64
#define SAMPLE_BYTES UINT64_C(16384)
#define SAMPLE_TOTAL_MIN UINT64_C(65536)

static void
look_at(struct parser_image *p, uint64_t offset, uint64_t n, struct tally *t)
{
    static uint8_t buf[1 << 17];

    while (n > 0) {
        ssize_t got = parser_image_read(p, buf, n < sizeof buf ? n : sizeof buf, offset);

        if (got <= 0)
            return;
        tally_look(t, buf, (size_t)got);
        offset += (uint64_t)got;
        n -= (uint64_t)got;
        emit_progress(0, 0);
    }
}

/* Some pieces of one range, `*piece` others having come before: the share `step` of all of them, in
   regular distances. */
static void
look_at_some(struct parser_image *p, const struct range *r, uint64_t *piece, double step,
             struct tally *t)
{
    for (uint64_t at = 0; at < r->length; at += PIECE) {
        uint64_t n = r->length - at < PIECE ? r->length - at : PIECE;
        double i = (double)(*piece)++;

        if ((uint64_t)((i + 1) * step) > (uint64_t)(i * step))
            look_at(p, r->offset + at, n, t);
    }
}

void
parser_examine(struct parser_image *p, const struct ranges *areas, struct tally *t)
{
    uint64_t total = ranges_total(areas);
    uint64_t pieces = 0;
    uint64_t piece = 0;
    double step;

    for (size_t i = 0; i < areas->n; i++)
        pieces += areas->v[i].length / PIECE + (areas->v[i].length % PIECE != 0);
    step = total <= p->examine_max ? 1 : (double)p->examine_max / (double)PIECE / (double)pieces;
    for (size_t i = 0; i < areas->n; i++) {
        if (step >= 1)
            look_at(p, areas->v[i].offset, areas->v[i].length, t);
        else
            look_at_some(p, &areas->v[i], &piece, step, t);
    }
}

static bool
looks_random(const struct tally *t)
{
    double each = (double)tally_examined(t) / 256;
    double chi = 0;

    for (size_t i = 0; i < 256 && each > 0; i++) {
        double d = (double)t->hist[i] - each;

        chi += d * d / each;
    }
    return each > 0 && chi < RANDOM_CHI_MAX;
}

bool
parser_sample(struct parser_image *p, struct tally *t)
{
    uint64_t step = p->length / SAMPLES;
    bool random = true;

    if (step < SAMPLE_BYTES)
        step = SAMPLE_BYTES;
    for (uint64_t at = 0, i = 0; at < p->length && i < SAMPLES; at += step, i++) {
        uint64_t n = p->length - at < SAMPLE_BYTES ? p->length - at : SAMPLE_BYTES;
        struct tally one = {0};

        tally_area(&one, n);
        look_at(p, at, n, &one);
        /* A short end says little by itself. */
        random = random && (n < SAMPLE_BYTES || looks_random(&one));
        tally_sum(t, &one);
    }
    return random && tally_examined(t) >= SAMPLE_TOTAL_MIN && looks_random(t);
}
