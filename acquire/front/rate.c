#include "acquire/front/rate.h"

#include "common/json.h"

#define SECOND UINT64_C(1000000000)

static void
thin_out(struct rate *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->n; i += 2)
        r->v[kept++] = r->v[i];
    r->n = kept;
    r->interval *= 2;
}

void
rate_note(struct rate *r, uint64_t now, uint64_t bytes, bool last)
{
    double seconds;

    if (r->n == 0) {
        r->first = now;
        r->interval = SECOND;
    }
    seconds = (double)(now - r->first) / (double)SECOND;
    if (r->n > 0) {
        double since = seconds - r->v[r->n - 1].seconds;

        if (since <= 0 || (!last && since * (double)SECOND < (double)r->interval))
            return;
    }
    if (r->n == RATE_POINTS)
        thin_out(r);
    r->v[r->n++] = (struct rate_point){seconds, bytes};
}

json_t *
rate_json(const struct rate *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->n; i++) {
        /* Thousandths are more than the front's turn can tell. */
        uint64_t thousandths = (uint64_t)(r->v[i].seconds * 1000 + 0.5);
        json_t *v = json_object();

        (void)json_object_set_new(v, "seconds", json_real((double)thousandths / 1000));
        json_set_u64(v, "bytes", r->v[i].bytes);
        (void)json_array_append_new(array, v);
    }
    return array;
}
