/*
 * Blocks of media on their way from the workers that read them, in any order, to the lanes that
 * hash them, in order. A bounded ring of preallocated blocks, each the only copy of its data; the
 * lock is taken a few times a block, never for a chunk.
 */
#ifndef EXHIBIT_VERIFY_RING_H
#define EXHIBIT_VERIFY_RING_H

#include "common/image.h"

struct ring;

/* A block's worker owns it until ring_filled(); then the lanes only read it. */
struct block {
    uint64_t first;        /* chunk */
    size_t count;          /* chunks */
    uint64_t media_offset; /* bytes */
    size_t length;         /* bytes of media */
    bool gap_before;       /* chunks before it have no place in the image */
    bool missing;          /* some of its chunks could not be had, and are zero */
    size_t segment;        /* where its last chunk ends: index of the segment … */
    uint64_t file_end;     /* … and offset in that file */
    uint8_t *data;
    struct chunk *chunks;   /* `count` of them */
    struct image_held held; /* of the segment file, if that is wanted (n: 0 for nothing) */
};

struct ring_spec {
    const struct image *image;
    size_t n_blocks;
    size_t block_chunks; /* chunks in a block */
    size_t n_lanes;      /* each takes every block */
};

struct ring *ring_new(const struct ring_spec *spec, struct err *err);
void ring_free(struct ring *r);

/* For workers. The next block to fill (waits for room), or NULL at the end. Chunks without a place
   in the image are passed over; their range of chunks is in *gap_first, *gap_count (0: none). */
struct block *ring_claim(struct ring *r, uint64_t *gap_first, uint64_t *gap_count);
void ring_filled(struct ring *r, struct block *b);

/* For lanes: block number `seq` (0, 1, …) once it is filled, or NULL at the end. */
const struct block *ring_take(struct ring *r, uint64_t seq);
/* The lane is done with block seq. */
void ring_done(struct ring *r, uint64_t seq);

/* Makes all waiting calls return NULL. */
void ring_stop(struct ring *r);

/* Waits for at most ms milliseconds or until all lanes have seen the end. The media offset up to
   which all lanes are done is in *done. True at the end. */
bool ring_wait(struct ring *r, unsigned ms, uint64_t *done);

#endif
