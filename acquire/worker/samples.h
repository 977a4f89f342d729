/*
 * Samples that say whether the source still is what was imaged: of a job that goes on, or that
 * takes over what another program has rescued.
 */
#ifndef EXHIBIT_ACQUIRE_SAMPLES_H
#define EXHIBIT_ACQUIRE_SAMPLES_H

#include <stdint.h>

#include "acquire/worker/source.h"
#include "common/err.h"
#include "common/ranges.h"

struct samples_spec {
    struct source *imaged; /* what was imaged; both are read at the device's offsets */
    struct source *now;    /* the device */
    uint64_t offset;       /* of the device: the image's byte 0 */
    uint64_t until;        /* so much is imaged, bytes */
    uint32_t sector_size;
    const struct ranges *missing; /* but for these; or NULL. Not read: they are damage */
};

struct samples {
    uint64_t compared;
    uint64_t lost; /* cannot be read now */
};

/* Compares the first and the last of what is there and some between. -1: OUTCOME_REFUSED, something
   differs: another medium, or one that was written to; or as the source's failure says. */
int samples_compare(const struct samples_spec *spec, struct samples *out, struct err *err);

#endif
