/*
 * What a job finds on its destination when it goes on after an interruption: per sink the segments
 * that the journal promises, how far the open raw file is durable, and what could not be read so
 * far. The front tells its worker after the job (job.h), in messages small enough for the channel,
 * ended by "go"; a fresh job has nothing but the "go".
 *
 * Directories are counted as the worker holds them (worker_fds.h): those in which the sinks write
 * now first, one a sink, then earlier ones in which segments lie.
 */
#ifndef EXHIBIT_ACQUIRE_RESUME_H
#define EXHIBIT_ACQUIRE_RESUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acquire/job/worker_fds.h"
#include "common/digest.h"
#include "common/err.h"
#include "common/ranges.h"

struct kept_segment {
    char *file; /* a plain name */
    size_t dir;
    uint64_t size; /* bytes of the file */
    uint64_t media_offset;
    uint64_t media_length;
    char md5[DIGEST_HEX_MAX]; /* "" where the journal has none */
    char sha256[DIGEST_HEX_MAX];
};

struct kept_sink {
    struct kept_segment *v; /* closed, in order, without gaps from byte 0 of the media */
    size_t n;
    uint64_t durable; /* raw: the media up to here lie in the segments and the file after them */
    size_t open_dir;  /* where that file lies */
};

struct resume {
    bool again; /* an earlier run wrote there: what is not promised here is thrown away */
    struct kept_sink sinks[WORKER_SINKS_MAX];
    size_t owner[WORKER_DIRS_MAX]; /* the sink that wrote into an earlier directory */
    size_t n_dirs;                 /* all of them */
    struct ranges known;           /* unreadable, bytes of the image */
};

/* Appends a copy of *segment. */
void resume_add_segment(struct resume *r, size_t sink, const struct kept_segment *segment);

/* The front's side: all messages, "go" included. n_dirs must be set. */
int resume_send(int sock, const struct resume *r, struct err *err);

/* The worker's side: until "go". Checks what the arithmetic of the sinks relies on: names without
   '/', directories below n_dirs, segments without gaps, ranges within `length`. */
int resume_receive(int sock, struct resume *r, size_t n_dirs, uint64_t length, struct err *err);

/* How far the media lie in the closed segments of a sink. */
uint64_t kept_end(const struct kept_sink *k);

void resume_clear(struct resume *r);

#endif
