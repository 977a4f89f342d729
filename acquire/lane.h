/*
 * A hash lane: one digest over the media in order, either whole or afresh for every piece of a
 * fixed size (raw segments, --piecewise). One thread feeds a lane.
 */
#ifndef EXHIBIT_ACQUIRE_LANE_H
#define EXHIBIT_ACQUIRE_LANE_H

#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"

struct lane;

/* piece: bytes of media a digest covers; 0: all of it. */
struct lane *lane_new(const char *algorithm, uint64_t piece, struct err *err);
void lane_free(struct lane *l);

/* From now on whatever l is fed goes to `partner` as well, which nobody else feeds or ends. For two
   lanes of MD5, or one and a SHA-256, which cost little more than one in one thread. */
void lane_pair(struct lane *l, struct lane *partner);

void lane_feed(struct lane *l, const void *data, size_t n);
/* Ends the last piece. Media of no bytes still has one digest, that of nothing. */
void lane_end(struct lane *l);

const char *lane_algorithm(const struct lane *l);
uint64_t lane_piece(const struct lane *l);
/* Any thread: the digests so far, in order, lower-case hex; all of them after lane_end. */
size_t lane_count(struct lane *l);
const char *lane_hex(struct lane *l, size_t i);

#endif
