/*
 * What is imaged already, of a job that goes on: a source that returns it from the files on the
 * destination and the rest from the device, so that the hash lanes rebuild their states; and the
 * samples that say whether the device still is what was imaged.
 */
#ifndef EXHIBIT_ACQUIRE_EXISTING_H
#define EXHIBIT_ACQUIRE_EXISTING_H

#include <stdint.h>

#include "acquire/sink.h"
#include "acquire/source.h"
#include "common/err.h"
#include "common/ranges.h"

struct existing_spec {
    const struct sink_spec *sink; /* whose files are read: the sink that has the most */
    size_t kept;                  /* closed segments of it */
    uint64_t until;               /* media that it has, bytes; above 0 */
    bool e01;
    struct source *source; /* stays the caller's */
    uint64_t offset;       /* of the source: the image's byte 0 */
    const struct ranges *known;
};

struct existing;

struct existing *existing_open(const struct existing_spec *spec, struct err *err);
void existing_free(struct existing *e);

/* Offsets are the device's; belongs to `e`. */
struct source *existing_source(struct existing *e);

struct existing_samples {
    uint64_t compared;
    uint64_t lost; /* cannot be read now */
};

/* Compares the first and the last blocks and some between with the device, but for what was
   unreadable. -1: OUTCOME_REFUSED, something differs: another medium, or one that was written to;
   or as the source's failure says. */
int existing_compare(struct existing *e, struct existing_samples *samples, struct err *err);

#endif
