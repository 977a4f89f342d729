/*
 * The shape of an image, worked out before anything is written: chunk and segment sizes within what
 * EWF-E01 and its readers can hold, names, worst-case space. Pure arithmetic.
 */
#ifndef EXHIBIT_ACQUIRE_PLAN_H
#define EXHIBIT_ACQUIRE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/segname.h"

struct plan_request {
    uint64_t media_size;  /* bytes of the image */
    uint32_t sector_size; /* bytes */
    bool e01;
    uint64_t segment_size; /* bytes, as asked; 0: the default */
    uint64_t piecewise;    /* bytes; 0: none */
};

struct plan {
    uint32_t sectors_per_chunk; /* E01 */
    uint64_t segment_size;      /* bytes; raw: 0 for one file */
    bool segment_size_grown;    /* the names would have run out at the size asked for */
    uint64_t worst_size;        /* bytes: all files, if nothing compresses */
    uint64_t max_segments;
};

/* OUTCOME_USAGE where the request cannot be met: it says what could. */
int plan_make(const struct plan_request *request, struct plan *plan, struct err *err);

/* The extension of segment `number` (from 1) of such an image. */
int plan_extension(const struct plan_request *request, const struct plan *plan, uint32_t number,
                   char ext[SEGNAME_EXT_MAX]);

#endif
