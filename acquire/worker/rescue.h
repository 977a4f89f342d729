/*
 * Rescue mode: reads the source in the order that the planner gives (rescue_plan.h) into the
 * staging file (staging.h), keeping its map up to date, until nothing more is to be had.
 */
#ifndef EXHIBIT_ACQUIRE_RESCUE_H
#define EXHIBIT_ACQUIRE_RESCUE_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/job/staging.h"
#include "acquire/worker/rescue_plan.h"
#include "acquire/worker/samples.h"
#include "acquire/worker/source.h"
#include "common/err.h"
#include "common/ranges.h"

/* How often the map is saved, unless saving takes a noticeable part of the time. */
#define RESCUE_SAVE_NS UINT64_C(30000000000)

struct rescue_pass {
    enum rescue_phase phase;
    unsigned pass;         /* of that phase, from 1 */
    uint64_t reads;        /* made in it, … */
    uint64_t errors;       /* … and those that failed */
    uint64_t rescued, bad; /* bytes, at its end, of the whole image; bad: found so far */
    uint64_t ms;
};

struct rescue_spec {
    struct source *source;   /* stays the caller's */
    struct staging *staging; /* likewise */
    uint64_t offset;         /* of the source: the image's byte 0 */
    uint64_t length;         /* bytes of the image */
    uint32_t sector_size;
    unsigned retries;
    /* A read failed with that errno: what it did not return. */
    void (*on_error)(void *context, const struct range *range, int sys, enum rescue_phase phase);
    /* A pass in which something was read is over. */
    void (*on_pass)(void *context, const struct rescue_pass *pass);
    void *context;
};

struct rescue;

/* Goes on from the staging file's map. */
struct rescue *rescue_open(const struct rescue_spec *spec, struct err *err);
void rescue_free(struct rescue *r);

/* Bytes that an earlier run, or another program, had rescued. */
uint64_t rescue_found(const struct rescue *r);

/* Whether those still are what the source returns: samples_compare(). */
int rescue_compare(struct rescue *r, struct samples *out, struct err *err);

/* Reads until all is over. -1: OUTCOME_INTERRUPTED, stopped (a read failed with ECANCELED), the
   source is gone, or the staging file cannot be written; the map is saved as far as it can be. */
int rescue_run(struct rescue *r, struct err *err);

/* After rescue_run: what could not be read (image bytes), … */
const struct ranges *rescue_unreadable(const struct rescue *r);
/* … and with which errno the sector at offset failed, as far as this run has seen it: else EIO. */
int rescue_cause(const struct rescue *r, uint64_t offset);

/* What was rescued, with the device's offsets; belongs to r. */
struct source *rescue_source(struct rescue *r);

/* Any thread: where it is. False: it is over, or has not begun. */
bool rescue_progress(struct rescue *r, struct rescue_pass *out);

#endif
