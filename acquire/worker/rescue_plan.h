/*
 * What rescue mode reads next: a pure planner without I/O, over a map of the media in which every
 * byte has one of GNU ddrescue's five states ("Mapfile structure" in its manual), so that either
 * program can go on where the other stopped.
 *
 * - Copy, in clusters: what is easily had, first. Behind a cluster that fails, a stretch is skipped
 *   that doubles with each further failure, so that a dead zone is left soon. Passes over what was
 *   skipped follow, backward and forward in turn; the last one skips nothing. A single cluster left
 *   between two that failed is not tried as a whole.
 * - Trim: each damaged area sector by sector from its start to the first bad one, then from its end
 *   back to the last.
 * - Scrape: what lies between, each sector once.
 * - Retry: passes over the bad sectors, the first backward, the next forward, and so on.
 *
 * A bad sector is thus part of one failing read of a cluster, and of 1 + retries of its own.
 */
#ifndef EXHIBIT_ACQUIRE_RESCUE_PLAN_H
#define EXHIBIT_ACQUIRE_RESCUE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mapfile.h"
#include "common/ranges.h"

#define RESCUE_CLUSTER (UINT64_C(64) << 10) /* bytes of one read while copying */
#define RESCUE_SKIP_MAX (UINT64_C(1) << 30) /* bytes skipped at most */

enum rescue_phase {
    RESCUE_COPY,
    RESCUE_TRIM,
    RESCUE_SCRAPE,
    RESCUE_RETRY,
    RESCUE_OVER,
};

struct rescue_plan;

/* length: bytes of the image. `from`: where an earlier run stopped, in image bytes, or NULL; its
   states are widened to whole sectors; what it does not cover has not been tried. A run that
   stopped in a retry pass goes on with that pass. */
struct rescue_plan *rescue_plan_new(uint64_t length, uint32_t sector_size, unsigned retries,
                                    const struct mapfile *from);
void rescue_plan_free(struct rescue_plan *p);

/* The next read; false: all is over. */
bool rescue_plan_next(struct rescue_plan *p, struct range *out);

/* Says of the read that rescue_plan_next() gave how many bytes came from its start (all: success).
 */
void rescue_plan_result(struct rescue_plan *p, uint64_t got);

enum rescue_phase rescue_plan_phase(const struct rescue_plan *p);
/* Of that phase, from 1. */
unsigned rescue_plan_pass(const struct rescue_plan *p);
const char *rescue_phase_name(enum rescue_phase phase);

/* Bytes in that state. */
uint64_t rescue_plan_total(const struct rescue_plan *p, enum map_status status);

/* The map as it stands, with position, phase and pass; valid until the next call. */
const struct mapfile *rescue_plan_map(struct rescue_plan *p);

#endif
