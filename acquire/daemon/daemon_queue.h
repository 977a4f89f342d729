/*
 * The table of jobs: who may see which, how many there may be, which is next. No I/O.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_QUEUE_H
#define EXHIBIT_ACQUIRE_DAEMON_QUEUE_H

#include <stdbool.h>
#include <sys/types.h>

#include "acquire/daemon/daemon_job.h"

struct queue_limits {
    size_t parallel; /* jobs that have processes; a paused one keeps its place */
    size_t per_user; /* jobs of one user that have not come to an end */
    size_t ended;    /* jobs of one user that have, and are still remembered */
};

struct queue;

struct queue *queue_new(const struct queue_limits *limits);
void queue_free(struct queue *q); /* with its jobs */

/* Takes the job over and gives it an id, unless it has one already (it was remembered). */
void queue_add(struct queue *q, struct daemon_job *job);

/* No later job gets this id, nor one below: a job that cannot be read had it. */
void queue_skip(struct queue *q, uint64_t id);

/* Whether this user may have one more that has not ended. */
bool queue_has_room(const struct queue *q, uid_t uid);

/* The job with that id, if this user may see it: their own, or any for root. Else NULL. */
struct daemon_job *queue_find(const struct queue *q, uint64_t id, uid_t viewer);

/* The first job after that id that this user may see, or NULL. */
struct daemon_job *queue_after(const struct queue *q, uint64_t id, uid_t viewer);

/* All jobs, by ascending id: how many, and each from 0. */
size_t queue_count(const struct queue *q);
struct daemon_job *queue_at(const struct queue *q, size_t i);

/* The next to start, or NULL: those that a restart interrupted first, then of the user with the
   fewest running, in the order they came. */
struct daemon_job *queue_next(const struct queue *q);

/* How many have processes. */
size_t queue_running(const struct queue *q);

/* Takes the job out of the table: the caller's now. Its id stays used. */
void queue_remove(struct queue *q, const struct daemon_job *job);

/* A job that has ended longest ago where its user has too many of those: taken out of the table,
   the caller's now. NULL: none. */
struct daemon_job *queue_forget(struct queue *q);

#endif
