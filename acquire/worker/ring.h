/*
 * The bounded ring of blocks that the pipeline's threads share: the only copy of the media in
 * memory. One thread fills blocks in order; packers compress them in any order; each consumer (a
 * hash lane or a sink) walks them in order at its own pace. A block is filled anew when every
 * consumer is past it. What is packed lies in a room that the block has only from its packer to the
 * last of its sinks: so lanes and packers may be far apart, at the price of one copy. One lock,
 * taken per block; each side sleeps on a condition of its own.
 */
#ifndef EXHIBIT_ACQUIRE_RING_H
#define EXHIBIT_ACQUIRE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* One chunk of an E01, ready to be written. */
struct packed_chunk {
    const uint8_t *data; /* into the block's data or its packed area, or a constant */
    uint32_t size;       /* bytes at data */
    uint32_t adler;      /* Adler-32 of the media bytes (RFC 1950) */
    uint32_t media;      /* bytes of media that it stands for */
    bool compressed;     /* data is a zlib stream; else the media bytes themselves */
};

struct block {
    uint64_t offset; /* of the image, bytes */
    size_t length;   /* bytes of media */
    uint8_t *data;   /* aligned for direct reads; block_size bytes */
    uint8_t *packed; /* block_size bytes, from ring_take_unpacked() to the sinks; else NULL */
    struct packed_chunk *chunks;
    size_t n_chunks;
    bool is_packed; /* the ring's lock */
};

struct ring_spec {
    size_t n_blocks;
    size_t block_size; /* a multiple of SOURCE_ALIGNMENT */
    size_t n_lanes;    /* the first of the consumers: they take blocks as they were read */
    size_t n_sinks;    /* those that follow: they take packed blocks, if blocks are packed */
    size_t chunk_size; /* of the packers; 0: blocks are not packed; else n_sinks is not 0 … */
    size_t n_rooms;    /* … and so many packed blocks are held at most */
};

struct ring;

struct ring *ring_new(const struct ring_spec *spec, struct err *err);
void ring_free(struct ring *r);

/* The filling side. NULL: the ring was aborted. */
struct block *ring_reserve(struct ring *r);
void ring_publish(struct ring *r); /* the block that was reserved */
void ring_finish(struct ring *r);  /* nothing more will be published */

/* Consumer `c` (0 and up): the next block, held until ring_release; NULL at the end or after an
   abort. */
const struct block *ring_next(struct ring *r, size_t c);
void ring_release(struct ring *r, size_t c);

/* Packers: the next block that nobody packs yet, with room; NULL at the end or after an abort. */
struct block *ring_take_unpacked(struct ring *r);
void ring_packed(struct ring *r, struct block *b);

/* Wakes everyone; all calls return NULL from now on. */
void ring_abort(struct ring *r);

#endif
