/*
 * Makes E01 chunks out of a block: zlib streams (RFC 1950) by ISA-L or libdeflate, or the bytes
 * themselves where a stream would not be smaller. Each thread has a packer of its own.
 */
#ifndef EXHIBIT_ACQUIRE_PACKER_H
#define EXHIBIT_ACQUIRE_PACKER_H

#include <stddef.h>

#include "acquire/worker/ring.h"
#include "common/err.h"

enum compression {
    COMPRESSION_NONE,  /* stored */
    COMPRESSION_EMPTY, /* stored, but chunks of nothing but zero compressed */
    COMPRESSION_FAST,  /* ISA-L */
    COMPRESSION_BEST,  /* libdeflate */
};

struct packer;

struct packer *packer_new(enum compression compression, size_t chunk_size, struct err *err);
void packer_free(struct packer *p);

/* Fills b->chunks and b->n_chunks from b->data, and from nothing else: another packer, in another
   thread or process, makes the same chunks of the same block. The chunks point into the block, and
   for zero chunks into the packer, which therefore must outlive the block's use. */
void packer_pack(struct packer *p, struct block *b);

/* The versions of the two compressors. */
const char *packer_library_fast(void);
const char *packer_library_best(void);

#endif
