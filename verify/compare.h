/*
 * Compares the media of an image, block by block as the ring brings them, with a source of bytes:
 * one more consumer of the one pass. What cannot be had on either side is recorded, and neither
 * called equal nor different.
 */
#ifndef EXHIBIT_VERIFY_COMPARE_H
#define EXHIBIT_VERIFY_COMPARE_H

#include <stdatomic.h>

#include "common/ranges.h"
#include "verify/ring.h"

struct compare_spec {
    int fd;
    uint64_t offset;                 /* in the source, of the media's byte 0 */
    uint64_t size;                   /* of the source, bytes */
    uint32_t sector_size;            /* bytes, a power of two of at least 512 */
    bool direct;                     /* a device: past the page cache, if it can be had */
    size_t block_max;                /* of the ring's blocks, bytes */
    const struct ranges *unreadable; /* when the image was made: held as zeros, not compared */
};

struct compare_result {
    uint64_t compared;        /* bytes */
    struct ranges different;  /* all in bytes of the media */
    uint64_t now_zero;        /* bytes of them that the source returns as zeros */
    struct ranges unreadable; /* the source cannot be read there */
    struct ranges damaged;    /* the image cannot */
    int gone;                 /* the errno with which the source went away; 0: it did not */
    uint64_t gone_at;         /* media offset */
};

struct compare;

struct compare *compare_new(const struct compare_spec *spec, struct err *err);
void compare_free(struct compare *c);

/* The body of its thread (a struct compare *): takes blocks until the end. */
void compare_run(void *compare, struct ring *r, const atomic_bool *stop);

const struct compare_result *compare_results(const struct compare *c);

#endif
