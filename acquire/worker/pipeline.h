/*
 * The threads between the source and the sinks: one reader, one thread a hash lane, a pool of
 * packers, one thread a sink, around one ring (docs/architecture.md draws it).
 */
#ifndef EXHIBIT_ACQUIRE_PIPELINE_H
#define EXHIBIT_ACQUIRE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acquire/worker/lane.h"
#include "acquire/worker/packer.h"
#include "acquire/worker/reader.h"
#include "acquire/worker/sink.h"

struct pipeline_sink {
    struct sink *sink; /* is given nothing that lies wholly below its `from` */
    bool failed;       /* dropped on its first error; the others go on */
    struct err err;
};

struct pipeline_spec {
    struct reader_spec reader;
    struct lane **lanes; /* stay the caller's, as do the sinks */
    size_t n_lanes;
    struct pipeline_sink *sinks;
    size_t n_sinks;
    bool pack; /* the sinks want chunks */
    enum compression compression;
    size_t chunk_size; /* bytes; divides PIPELINE_BLOCK_SIZE */
    unsigned n_packers;
};

/* Large enough that a lock a block costs nothing, small enough that the ring stays below the memory
   that a job may have. Where blocks are packed, files need most work by the packers and empty parts
   by the hashes alone: the more blocks are held, the longer one may be ahead of the other, and the
   more is left to the hash of the files when the media's has come to its end (docs/performance.md).
   What is packed waits for a sink alone, and needs room for fewer. */
#define PIPELINE_BLOCK_SIZE ((size_t)1 << 20)
#define PIPELINE_BLOCKS 48
#define PIPELINE_BLOCKS_PACKED 64
#define PIPELINE_ROOMS 32

struct pipeline;

struct pipeline *pipeline_start(const struct pipeline_spec *spec, struct err *err);

/* Drops the sink for s->err. What a destination runs out of, or loses, can be put right: such an
   error is OUTCOME_INTERRUPTED from now on. */
void pipeline_sink_drop(struct pipeline_sink *s);

/* Any thread: stops as soon as the reads under way have returned. */
void pipeline_stop(struct pipeline *p);

/* Any thread. */
uint64_t pipeline_bytes_done(const struct pipeline *p);

/* Waits for all threads. 0: all media went through every lane and through at least one sink. -1:
   OUTCOME_INTERRUPTED after pipeline_stop or a lost source; else as the failed part says. */
int pipeline_wait(struct pipeline *p, struct err *err);

/* After pipeline_wait: what could not be read, in image bytes. */
const struct ranges *pipeline_unreadable(const struct pipeline *p);

void pipeline_free(struct pipeline *p);

#endif
