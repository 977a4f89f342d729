/*
 * Whether what is left on a destination will do, as far as the run shows by now. Pure: what statvfs
 * says goes in.
 */
#ifndef EXHIBIT_ACQUIRE_SPACE_H
#define EXHIBIT_ACQUIRE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

/* So much of the media has to be written before its ratio says anything, bytes. */
#define SPACE_SAMPLE ((uint64_t)64 << 20)

struct space { /* zero-initialise */
    bool begun;
    bool told;
    uint64_t free_at_first; /* bytes, when the first media were written */
    uint64_t done_at_first; /* bytes of the media, then */
    uint64_t need;          /* bytes: what the rest will take at the ratio so far */
};

/* `left` bytes are free with `done` of `length` bytes of the media written. True once: when they
   will not do. */
bool space_look(struct space *s, uint64_t left, uint64_t done, uint64_t length);

#endif
