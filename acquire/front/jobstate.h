/*
 * What the front keeps of a job on its destinations, so that it can be continued: the journals, one
 * in each DEST.partial and all alike, and, when a job is continued, what they say
 * (docs/journal.md).
 */
#ifndef EXHIBIT_ACQUIRE_JOBSTATE_H
#define EXHIBIT_ACQUIRE_JOBSTATE_H

#include <jansson.h>

#include "acquire/front/acquisition.h"
#include "common/ranges.h"

/* Set in the environment by the daemon: the number of its job. Since the daemon may not know how
   far a job came that it lost sight of, --resume begins it where there is nothing to go on from;
   and it is the daemon that goes on with it. */
#define DAEMON_JOB_VARIABLE "EXHIBIT_DAEMON_JOB"

/* With --resume, before anything else: opens the destinations and their journals, takes the options
   and the beginning from them. No journal: OUTCOME_FAILED; one that another run holds:
   OUTCOME_REFUSED; options that conflict: OUTCOME_USAGE. OUTCOME_DONE is an "error" too, or
   OUTCOME_FINDINGS, as the manifest says: nothing was left to do but to clear away. */
int jobstate_find(struct acquisition *a, struct err *err);

/* Whether source and plan are those that the job was begun with (OUTCOME_REFUSED). */
int jobstate_check(const struct acquisition *a, struct err *err);

/* In DEST.partial, opened already: begins the journals, or clears away what a continued job makes
   anew and hands what is kept to the worker (a->resume). */
int jobstate_begin(struct acquisition *a, struct err *err);

/* Each as soon as the worker has told it; what is unreadable, neighbours together, stands in the
   journals before the next of the others. A journal that cannot be written any more is dropped; -1
   with the last one. */
int jobstate_unreadable(struct acquisition *a, const struct range *range, int sys, struct err *err);
int jobstate_resumed(struct acquisition *a, struct err *err);
int jobstate_segment(struct acquisition *a, size_t sink, struct err *err);
int jobstate_durable(struct acquisition *a, size_t sink, struct err *err);
/* `pass` as the manifest has it; it is noted there too. */
int jobstate_pass(struct acquisition *a, const json_t *pass, struct err *err);

/* The job ends before its end. */
void jobstate_ended(struct acquisition *a, const char *reason);
/* The image is whole: each segment of it gets the directory that it will lie in, where that is not
   DEST's. */
void jobstate_place_segments(struct acquisition *a);
/* The directory of a place, from 1, absolute; the caller frees it. */
char *jobstate_directory(const struct acquisition *a, size_t place);
/* The files of destination i (after those: of a place) are about to move out of their .partial. */
int jobstate_moving(struct acquisition *a, size_t i, struct err *err);
/* All of the job is where it belongs, or nothing has come of it: no journal is left. */
void jobstate_remove(struct acquisition *a);

/* Whether there is something to go on from. */
bool jobstate_is_kept(const struct acquisition *a);

void jobstate_free(struct acquisition *a);

#endif
