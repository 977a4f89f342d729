/*
 * A hash lane: one digest over the media in order, either whole or afresh for every piece of a
 * fixed size (raw segments, --piecewise). One thread feeds a lane.
 */
#ifndef EXHIBIT_ACQUIRE_LANE_H
#define EXHIBIT_ACQUIRE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"

struct lane;

/* piece: bytes of media a digest covers; 0: all of it. */
struct lane *lane_new(const char *algorithm, uint64_t piece, struct err *err);
void lane_free(struct lane *l);

/* From now on whatever l is fed goes to `partner` as well, which nobody else feeds or ends: for
   lanes of MD5 and SHA-256, which go side by side in one thread (digest_update_all()). At most
   LANE_PARTNERS_MAX. */
#define LANE_PARTNERS_MAX 3
void lane_join(struct lane *l, struct lane *partner);
/* True if an MD5 that it joins takes no longer for it. */
bool lane_is_free(const struct lane *l);

void lane_feed(struct lane *l, const void *data, size_t n);
/* Ends the last piece. Media of no bytes still has one digest, that of nothing. */
void lane_end(struct lane *l);

const char *lane_algorithm(const struct lane *l);
uint64_t lane_piece(const struct lane *l);
/* Any thread: the digests so far, in order, lower-case hex; all of them after lane_end. */
size_t lane_count(struct lane *l);
const char *lane_hex(struct lane *l, size_t i);

#endif
