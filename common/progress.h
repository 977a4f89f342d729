/*
 * Progress for people (a bar on a terminal) or programs (--progress json: one object a line).
 * Always on stderr. One thread.
 */
#ifndef EXHIBIT_PROGRESS_H
#define EXHIBIT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum progress_mode {
    PROGRESS_AUTO, /* a bar if stderr is a terminal, else nothing */
    PROGRESS_BAR,
    PROGRESS_JSON,
    PROGRESS_NONE,
};

struct progress;

/* "auto", "bar", "json" or "none"; anything else is OUTCOME_USAGE. */
int progress_parse(const char *s, enum progress_mode *mode, struct err *err);

struct progress *progress_new(enum progress_mode mode);
/* Ends the bar's line, if there is one. NULL is fine. */
void progress_free(struct progress *p);

/* Says where the work is: a phase ("acquire", "verify"), bytes done and in all (0: unknown) and
   unreadable sectors so far. Draws at most ten times a second unless done equals total. */
void progress_update(struct progress *p, const char *phase, uint64_t done, uint64_t total,
                     uint64_t unreadable_sectors);

/* Takes the bar off its line, so that a message can be printed; the next update draws it again. */
void progress_clear(struct progress *p);

#endif
