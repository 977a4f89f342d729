/*
 * How far the source was read at which time: a bounded series for the manifest (acquisition.rate),
 * from which a report draws the read rate.
 */
#ifndef EXHIBIT_ACQUIRE_RATE_H
#define EXHIBIT_ACQUIRE_RATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATE_POINTS 400

struct rate_point {
    double seconds; /* since the first one */
    uint64_t bytes; /* done by then */
};

struct rate {          /* zero-initialise */
    uint64_t first;    /* monotonic ns of the first point */
    uint64_t interval; /* ns between two; doubled when the series is full, every other point goes */
    size_t n;
    struct rate_point v[RATE_POINTS];
};

/* The bytes done at `now` (monotonic ns, never falling); kept if the last point is long enough ago,
   or with `last`, the final one, in any case. */
void rate_note(struct rate *r, uint64_t now, uint64_t bytes, bool last);

/* [ { "seconds", "bytes" } … ] */
json_t *rate_json(const struct rate *r);

#endif
