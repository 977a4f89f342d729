/*
 * What to read next when a block could not be read whole: a pure planner without I/O.
 *
 * Only reads of single sectors follow, since any longer one that holds a bad sector is a further
 * failing read, and those are what a sick drive dies of. First forward to the first bad sector,
 * then backward to the last: so everything good at both edges is safe before the damage itself is
 * gone into. Then what lies between, once. Retries come after all of that, a whole pass over what
 * is still bad at a time, the first backward, the next forward, and so on: by then the drive has
 * done other work, and comes to the sector from the other side.
 */
#ifndef EXHIBIT_ACQUIRE_RECOVERY_H
#define EXHIBIT_ACQUIRE_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ranges.h"

#define RECOVERY_SECTORS_MAX 2048u /* in one range */

enum recovery_phase {
    RECOVERY_FORWARD,
    RECOVERY_BACKWARD,
    RECOVERY_BETWEEN,
    RECOVERY_RETRY,
    RECOVERY_OVER,
};

struct recovery {
    uint64_t offset, length; /* bytes */
    uint32_t sector_size;    /* bytes */
    unsigned retries;        /* further attempts at each bad sector */
    enum recovery_phase phase;
    uint32_t low, high; /* sectors from offset: those in between have not been read */
    unsigned pass;      /* of retries, from 1; odd ones go backward */
    uint32_t at;        /* the sector that the retry pass has come to */
    uint8_t bad[RECOVERY_SECTORS_MAX / 8];
};

/* Begins with a range (whole sectors, but for the media's end; at most RECOVERY_SECTORS_MAX of
   them) of which one read has failed or come back short. */
void recovery_begin(struct recovery *r, uint64_t offset, uint64_t length, uint32_t sector_size,
                    unsigned retries);

/* The next read to make, of one sector; false when nothing is left. */
bool recovery_next(const struct recovery *r, struct range *out);

/* Says how it went. Returns true if this gives the sector up: then *bad is what could not be read.
 */
bool recovery_result(struct recovery *r, bool read, struct range *bad);

#endif
