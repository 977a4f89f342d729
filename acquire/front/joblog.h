/*
 * DEST.log: the plain text for the case file, written as things happen, to each destination. Every
 * line is made printable first.
 */
#ifndef EXHIBIT_ACQUIRE_JOBLOG_H
#define EXHIBIT_ACQUIRE_JOBLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct joblog;

struct joblog *joblog_new(void);
/* Adds a destination: NAME.log in the directory; one that is there is continued if `again`. At most
   two. */
int joblog_add(struct joblog *log, int dir, const char *name, bool again, struct err *err);

/* One line, with and without the time in front. A write that fails is kept for joblog_end(). */
void joblog_event(struct joblog *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void joblog_line(struct joblog *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes the file of destination i (in the order of joblog_add) durable. -1 if any write to it
   failed. */
int joblog_sync(struct joblog *log, size_t i, struct err *err);
/* Writes no more to the file of destination i, which has failed. */
void joblog_drop(struct joblog *log, size_t i);
void joblog_free(struct joblog *log);

#endif
