/*
 * What is imaged already, of a job that goes on: a source that returns it from the files on the
 * destination and the rest from where the job reads, so that the hash lanes rebuild their states.
 */
#ifndef EXHIBIT_ACQUIRE_EXISTING_H
#define EXHIBIT_ACQUIRE_EXISTING_H

#include <stdint.h>

#include "acquire/worker/sink.h"
#include "acquire/worker/source.h"
#include "common/err.h"
#include "common/ranges.h"

struct existing_spec {
    const struct sink_spec *sink; /* whose files are read: the sink that has the most */
    size_t kept;                  /* closed segments of it */
    uint64_t until;               /* media that it has, bytes; above 0 */
    bool e01;
    struct source *source; /* stays the caller's */
    uint64_t offset;       /* of the source: the image's byte 0 */
};

struct existing;

struct existing *existing_open(const struct existing_spec *spec, struct err *err);
void existing_free(struct existing *e);

/* Offsets are the device's; belongs to `e`. */
struct source *existing_source(struct existing *e);

#endif
