/*
 * NAME.journal in DEST.partial, schema "exhibit.journal/1": what of a job is durable, a line of
 * JSON each, so that a job that was killed can be continued (docs/journal.md). Each line ends with
 * a checksum over the line before it and itself. A tail that was torn, zeroed or never written is
 * cut off at the last line that holds; a line that does not hold with one that does behind it is
 * damage, and nothing is believed then. The file is read with bounds: anyone may have written it.
 */
#ifndef EXHIBIT_ACQUIRE_JOURNAL_H
#define EXHIBIT_ACQUIRE_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define JOURNAL_SUFFIX ".journal"
#define JOURNAL_SIZE_MAX ((size_t)256 << 20) /* bytes: a million unreadable ranges */
#define JOURNAL_LINE_MAX ((size_t)1 << 20)   /* bytes: a command line of full length */
#define JOURNAL_CHECK_MAX 33                 /* 32 hex digits and the end */

/* Takes one line that holds; number counts from 1. -1 ends the reading. */
typedef int (*journal_take)(void *context, const json_t *line, size_t number, struct err *err);

struct journal_text {
    size_t lines;
    size_t valid;                  /* bytes of the lines that hold */
    size_t torn;                   /* bytes after them */
    char check[JOURNAL_CHECK_MAX]; /* of the last line */
};

/* Reads a journal from memory. -1: damaged, or as `take` says. */
int journal_parse(const char *text, size_t n, journal_take take, void *context,
                  struct journal_text *out, struct err *err);

struct journal;

/* Makes a new one, locked against a second run. dir stays the caller's. */
struct journal *journal_create(int dir, const char *name, struct err *err);

/* Opens one that is there, locks it (OUTCOME_REFUSED: another run has it), reads it and makes ready
   to append; the torn tail is cut off with the first line that is appended. No journal:
   OUTCOME_FAILED with err->sys ENOENT. *out says what was read. */
struct journal *journal_open(int dir, const char *name, journal_take take, void *context,
                             struct journal_text *out, struct err *err);

/* Adds the line (taken over). With `sync` it and all before it are durable on return. After an
   error nothing more can be added. */
int journal_add(struct journal *j, json_t *line, bool sync, struct err *err);

void journal_free(struct journal *j);

#endif
