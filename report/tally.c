#include "report/tally.h"

#include <math.h>

#include "common/json.h"

#define LOOK_MIN ((size_t)4096)
#define LOOK_MAX ((size_t)1 << 20)

static uint64_t
add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void
tally_area(struct tally *t, uint64_t n)
{
    t->areas = add(t->areas, 1);
    t->bytes = add(t->bytes, n);
}

void
tally_look(struct tally *t, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint32_t part[4][256] = {0};

    /* One table would make each count wait for the last one of the same value: free space is full
       of such runs. Short stretches are not worth the clearing. */
    while (n >= LOOK_MIN) {
        size_t some = n < LOOK_MAX ? n / 4 : LOOK_MAX / 4;

        for (size_t i = 0; i < some; i++, p += 4) {
            part[0][p[0]]++;
            part[1][p[1]]++;
            part[2][p[2]]++;
            part[3][p[3]]++;
        }
        n -= 4 * some;
        for (size_t i = 0; i < 256; i++)
            t->hist[i] += (uint64_t)part[0][i] + part[1][i] + part[2][i] + part[3][i];
        memset(part, 0, sizeof part);
    }
    for (; n > 0; n--)
        t->hist[*p++]++;
}

void
tally_sum(struct tally *a, const struct tally *b)
{
    a->areas = add(a->areas, b->areas);
    a->bytes = add(a->bytes, b->bytes);
    for (size_t i = 0; i < 256; i++)
        a->hist[i] = add(a->hist[i], b->hist[i]);
}

uint64_t
tally_nonzero(const struct tally *t)
{
    uint64_t n = 0;

    for (size_t i = 1; i < 256; i++)
        n = add(n, t->hist[i]);
    return n;
}

uint64_t
tally_examined(const struct tally *t)
{
    return add(t->hist[0], tally_nonzero(t));
}

double
tally_entropy(const struct tally *t)
{
    double n = (double)tally_examined(t);
    double bits = 0;

    for (size_t i = 0; i < 256; i++) {
        double p = n > 0 ? (double)t->hist[i] / n : 0;

        if (p > 0)
            bits -= p * log2(p);
    }
    return bits > 0 ? bits : 0; /* never -0 */
}

json_t *
tally_to_json(const struct tally *t)
{
    json_t *v = json_object();
    json_t *hist;

    json_set_u64(v, "areas", t->areas);
    json_set_u64(v, "bytes", t->bytes);
    if (tally_examined(t) == 0)
        return v;
    hist = json_array();
    for (size_t i = 0; i < 256; i++)
        (void)json_array_append_new(hist, json_integer((json_int_t)t->hist[i]));
    (void)json_object_set_new(v, "hist", hist);
    return v;
}

static int
hist_from_json(const json_t *hist, struct tally *t, struct err *err)
{
    if (json_array_size(hist) != 256)
        return err_set(err, OUTCOME_FAILED, "a histogram has not 256 entries");
    for (size_t i = 0; i < 256; i++) {
        const json_t *n = json_array_get(hist, i);

        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return err_set(err, OUTCOME_FAILED, "a histogram holds no number");
        t->hist[i] = (uint64_t)json_integer_value(n);
    }
    return 0;
}

int
tally_from_json(const json_t *v, struct tally *t, struct err *err)
{
    const json_t *hist = json_object_get(v, "hist");

    *t = (struct tally){0};
    if (json_get_u64(v, "areas", &t->areas, err) != 0 ||
        json_get_u64(v, "bytes", &t->bytes, err) != 0)
        return -1;
    if (hist && hist_from_json(hist, t, err) != 0)
        return -1;
    if (tally_examined(t) > t->bytes)
        return err_set(err, OUTCOME_FAILED, "more bytes were examined than there are");
    return 0;
}
