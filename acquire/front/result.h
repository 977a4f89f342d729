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

#include "acquire/job/worker_fds.h"
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

/* Of rescue mode, as long as the source is read in it. */
struct rescue_result {
    char phase[16];                 /* "" before and after */
    uint64_t bad;                   /* bytes, so far */
    uint64_t errors;                /* failing reads */
    uint64_t rescued;               /* bytes, when the last of them failed */
    bool over;                      /* all that can be had is in the staging file */
    uint64_t found;                 /* bytes that were there before */
    uint64_t samples, samples_lost; /* of them compared with the source; not readable there now */
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
    uint64_t bytes_done;            /* imaged; in rescue mode rescued, until that is over */
    struct rescue_result rescue;
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
    RESULT_RESUMED,    /* nothing at or after resumed_at is unreadable any more until it is read */
    RESULT_SEGMENT,    /* the last of sinks[*sink].segments is closed, hashed and durable */
    RESULT_READ_ERROR, /* rescue mode: a read failed; it may come right yet */
    RESULT_PASS,       /* rescue mode: a pass over the source is done */
    RESULT_COMPARED,   /* rescue mode: what was there before has been compared with the source */
    RESULT_RESCUED,    /* rescue mode: the source is read no more */
    RESULT_DURABLE,    /* sinks[*sink].durable has grown */
};

struct result_news {
    enum result_event event;
    struct range range; /* RESULT_UNREADABLE, _READ_ERROR */
    int sys;            /* RESULT_UNREADABLE, _READ_ERROR: the errno of its read */
    const json_t *pass; /* RESULT_PASS: as the manifest has it; the message's */
    size_t sink;        /* RESULT_SEGMENT, _DURABLE, _SINK_FAILED */
};

/* Takes one message in. -1 if it does not fit. */
int result_take(struct result *r, const json_t *m, struct result_news *news, struct err *err);
void result_clear(struct result *r);

#endif
