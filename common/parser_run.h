/*
 * Runs exhibit-parser once and hands its messages on. What it says, and how it ends, is taken as
 * coming from whoever made the disk.
 */
#ifndef EXHIBIT_PARSER_RUN_H
#define EXHIBIT_PARSER_RUN_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ranges.h"

/* Ranges beyond these are not asked about. */
#define PARSER_RANGES_MAX 1000

struct parser_request {
    const char *mode;                  /* "table", "volume" or "files" */
    const char *image;                 /* path of the first segment */
    const char *manifest;              /* path, or NULL */
    uint32_t sector_size;              /* bytes */
    uint64_t start;                    /* bytes of the media */
    uint64_t length;                   /* bytes */
    uint64_t examine_max;              /* bytes of an area (gap, slack, free blocks) to look at */
    const struct ranges *ranges;       /* of the media, for "files"; else NULL */
    bool lenient;                      /* go on without a sandbox where none can be had */
    uint32_t deadline;                 /* seconds after which the parser is killed */
    const volatile sig_atomic_t *stop; /* non-zero: kill it and return OUTCOME_INTERRUPTED */
};

/* One message; -1 (the error says why) if it is not what the parser may say: the parser is then
   killed. */
typedef int parser_reply(void *arg, const char *kind, const json_t *message, struct err *err);

enum parser_end {
    PARSER_DONE,
    PARSER_CRASHED, /* a signal, or an exit without its last message */
    PARSER_TIMED_OUT,
    PARSER_NONSENSE, /* a message that it may not send */
    PARSER_FAILED,   /* it said so: the image or the sandbox */
};

struct parser_result {
    enum parser_end end;
    char text[512]; /* for people; raw */
};

/* 0 whatever the parser did (see result); -1 if it could not be started, or on *stop. */
int parser_run(const struct parser_request *request, parser_reply *reply, void *arg,
               struct parser_result *result, struct err *err);

#endif
