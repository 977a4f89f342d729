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
    bool failed;
    char *error; /* why, if failed */
};

struct result {
    uint64_t length; /* bytes of the image: what offsets are checked against */
    struct sink_result sinks[WORKER_DIRS_MAX];
    size_t n_sinks;
    bool ready; /* the worker is in its sandbox and reads */
    bool no_new_privs, seccomp, direct;
    uint64_t landlock_abi, uid;
    char *sandbox_missing;
    json_t *libraries; /* their versions, by name */
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
    RESULT_UNREADABLE, /* *range and *sys say what and why */
    RESULT_FINISHING,
    RESULT_SINK_FAILED,
};

/* Takes one message in. -1 if it does not fit. */
int result_take(struct result *r, const json_t *m, enum result_event *event, struct range *range,
                int *sys, struct err *err);
void result_clear(struct result *r);

#endif
