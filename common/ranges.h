/*
 * A set of half-open byte ranges of the media, kept sorted and merged: unreadable sectors, damage
 * found by verify, what has been read so far.
 */
#ifndef EXHIBIT_RANGES_H
#define EXHIBIT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t offset; /* bytes */
    uint64_t length; /* bytes, never 0 in a set */
};

/* Makes *r reach over a neighbour on either side as well; false, and nothing done, if `next` does
   not touch it. */
bool range_join(struct range *r, const struct range *next);

/* Sorted by offset; neighbours neither overlap nor touch. Zero-initialise; ranges_free() ends it.
 */
struct ranges {
    struct range *v;
    size_t n;
    size_t cap;
};

/* Adds offset..offset+length, merging with what is there. A length of 0 does nothing. The end is
   clamped to UINT64_MAX. Appending in ascending order is O(1). */
void ranges_add(struct ranges *set, uint64_t offset, uint64_t length);

/* Takes offset..offset+length out of the set. */
void ranges_remove(struct ranges *set, uint64_t offset, uint64_t length);

/* The first range that ends after offset, or NULL. */
const struct range *ranges_find(const struct ranges *set, uint64_t offset);

bool ranges_overlap(const struct ranges *set, uint64_t offset, uint64_t length);

/* The sum of all lengths, in bytes. */
uint64_t ranges_total(const struct ranges *set);

void ranges_free(struct ranges *set);

#endif
