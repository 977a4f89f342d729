/*
 * What a worker has told its front so far. The worker has read foreign bytes, so each message is
 * checked: names, numbers, order.
 */
#ifndef EXHIBIT_ACQUIRE_RESULT_H
#define EXHIBIT_ACQUIRE_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acquire/worker_fds.h"
#include "common/err.h"
#include "common/manifest.h"
#include "common/ranges.h"

struct sink_result {
    const char *name; /* of the image there */
    struct manifest_segment *segments;
    size_t n_segments;
    size_t kept;      /* of them, those that were there before; known once `resumed` */
    uint64_t durable; /* raw: media that a power cut would leave, in the file that is open too */
    bool failed;
    char *error; /* why, if failed */
};

struct result {
    uint64_t length; /* bytes of the image: what offsets are checked against */
    struct sink_result sinks[WORKER_SINKS_MAX];
    size_t n_sinks;
    bool ready; /* the worker is in its sandbox and reads */
    bool no_new_privs, seccomp, direct;
    uint64_t landlock_abi, uid;
    char *sandbox_missing;
    json_t *libraries;              /* their versions, by name */
    bool resumed;                   /* the worker goes on from what is there, … */
    uint64_t resumed_at;            /* … and reads the source from here on; bytes of the image */
    uint64_t discarded;             /* bytes of files beyond what was promised, thrown away */
    uint64_t samples, samples_lost; /* compared with the source; not readable there now */
    uint64_t bytes_done;
    uint64_t waiting_offset, waiting_ms; /* the read under way: of the source; 0 ms: none */
    bool finishing;                      /* all media are read */
    struct ranges unreadable;
    struct manifest_hashes hashes;
    struct manifest_piece *pieces;
    size_t n_pieces;
    bool done;
    bool failed;
    struct err err; /* if failed */
};

/* What result_take() found, beyond what it noted. */
enum result_event {
    RESULT_NOTED,
    RESULT_READY,
    RESULT_UNREADABLE,
    RESULT_FINISHING,
    RESULT_SINK_FAILED,
    RESULT_RESUMED, /* nothing at or after resumed_at is unreadable any more until it is read */
    RESULT_SEGMENT, /* the last of sinks[*sink].segments is closed, hashed and durable */
    RESULT_DURABLE, /* sinks[*sink].durable has grown */
};

struct result_news {
    enum result_event event;
    struct range range; /* RESULT_UNREADABLE */
    int sys;            /* RESULT_UNREADABLE: the errno of its read */
    size_t sink;        /* RESULT_SEGMENT, _DURABLE, _SINK_FAILED */
};

/* Takes one message in. -1 if it does not fit. */
int result_take(struct result *r, const json_t *m, struct result_news *news, struct err *err);
void result_clear(struct result *r);

#endif
