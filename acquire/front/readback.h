/*
 * Reads a finished image back with exhibit-verify, a process of its own: what checks shares nothing
 * with what wrote.
 */
#ifndef EXHIBIT_ACQUIRE_READBACK_H
#define EXHIBIT_ACQUIRE_READBACK_H

#include <jansson.h>

#include "common/err.h"
#include "common/progress.h"

struct readback {
    const char *path; /* of the manifest */
    unsigned threads;
    struct progress *progress;
    uint64_t unreadable; /* sectors that the acquisition found, as progress goes on to say */
};

/* Verifies the image from the medium. The document that exhibit-verify prints (a new reference), or
   NULL: it could not come to an end. */
json_t *readback_run(const struct readback *spec, struct err *err);

#endif
