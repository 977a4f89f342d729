/*
 * What to read next when a read has failed: a pure planner without I/O. A block that could not be
 * read whole is halved until the pieces are single sectors, so that no good neighbour of a bad
 * sector is lost; a sector is retried as often as asked, then given up.
 */
#ifndef EXHIBIT_ACQUIRE_RECOVERY_H
#define EXHIBIT_ACQUIRE_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ranges.h"

/* Enough for halving any block of 2^40 sectors: each level keeps one waiting half. */
#define RECOVERY_DEPTH 64

struct recovery {
    uint32_t sector_size;                 /* bytes */
    unsigned retries;                     /* further attempts at a single sector */
    unsigned attempts;                    /* made at the sector on top */
    struct range waiting[RECOVERY_DEPTH]; /* a stack; the top is what to read next */
    unsigned n;
};

/* Begins with a range (whole sectors, but for the media's end) of which one read has failed. */
void recovery_begin(struct recovery *r, uint64_t offset, uint64_t length, uint32_t sector_size,
                    unsigned retries);

/* The next read to make; false when nothing is left. */
bool recovery_next(const struct recovery *r, struct range *out);

/* Says how it went: `got` bytes from its start were read (all of it: success). Returns true if this
   gives a sector up: then *bad is the range that could not be read. */
bool recovery_result(struct recovery *r, uint64_t got, struct range *bad);

#endif
