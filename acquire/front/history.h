/*
 * What a journal (acquire/front/journal.h) tells of a job: what it was asked to do, what of the
 * image is durable, what could not be read, and how often it was interrupted. Each line is checked
 * against those before it.
 */
#ifndef EXHIBIT_ACQUIRE_HISTORY_H
#define EXHIBIT_ACQUIRE_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acquire/job/worker_fds.h"
#include "common/err.h"
#include "common/manifest.h"
#include "common/ranges.h"

#define JOURNAL_SCHEMA "exhibit.journal/1"
#define HISTORY_ARGS_MAX 512
#define HISTORY_RUNS_MAX 1000    /* interruptions of one job */
#define HISTORY_PASSES_MAX 10000 /* of rescue mode: 1000 retries, and some of them twice */

struct history_sink {
    struct manifest_segment *segments; /* closed and durable, in order, without gaps */
    size_t n_segments;
    uint64_t durable; /* bytes of the media, from the first, that are durable (raw) */
    size_t place;   /* where its open file lies: 0, beside its journal, or directories[place - 1] */
    size_t *places; /* the same of each segment */
};

struct history_end { /* of a run that did not come to its end */
    int64_t time;    /* epoch; -1: nobody was left to say */
    char *reason;    /* or NULL */
};

struct history {
    json_t *begin;   /* the first line */
    uint64_t length; /* bytes of the image */
    int64_t started; /* epoch */
    char **argv;     /* as typed, argv[0] too; NULL-terminated */
    int argc;
    struct history_sink sinks[WORKER_SINKS_MAX];
    size_t n_sinks;
    char **directories; /* absolute, in the order that they came into use; of the first sink */
    size_t n_directories;
    struct ranges unreadable; /* bytes of the image */
    json_t *resumed;          /* an array: as the manifest's acquisition.resumed */
    json_t *passes;           /* an array: as the manifest's acquisition.rescue.passes */
    uint64_t at;              /* bytes of the image that the last run had read */
    struct history_end end;   /* of the last run */
    /* { file, size } of what was to move to its place, or NULL: of the sinks, then the directories
     */
    json_t *moving[WORKER_DIRS_MAX];
};

/* Takes one line, as journal_take does; context is a struct history, zeroed at first. */
int history_take(void *context, const json_t *line, size_t number, struct err *err);

/* The journals of two destinations of one job, of which either may lack the last lines: *h is then
   what both hold of the segments, and all that either knows to be unreadable. */
int history_meet(struct history *h, const struct history *other, struct err *err);

void history_clear(struct history *h);

#endif
