/*
 * The jobs that exhibitd remembers: one file ID.json each, in a directory that is root's alone,
 * written whole or not at all. What is read back is checked all the same.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_STORE_H
#define EXHIBIT_ACQUIRE_DAEMON_STORE_H

#include <jansson.h>

#include "acquire/daemon/daemon_job.h"
#include "acquire/daemon/daemon_queue.h"

#define DAEMON_STATE_DIR "/var/lib/exhibit/jobs"
#define STORE_SCHEMA "exhibit.job/1"

struct store;

/* Makes the directory (0700, in a parent that exists or is made) and locks it: one daemon at a
   time (OUTCOME_REFUSED). */
struct store *store_open(const char *dir, struct err *err);
void store_close(struct store *s);

int store_save(struct store *s, const struct daemon_job *job, struct err *err);
void store_remove(struct store *s, uint64_t id);

/* Puts all jobs that can be read into the queue; those that cannot are told on stderr and left
   where they are. A job that was running is queued, urgent. */
int store_load(struct store *s, struct queue *q, struct err *err);

/* The document, and back; for tests as well. */
json_t *store_job_to_json(const struct daemon_job *job);
struct daemon_job *store_job_from_json(const json_t *v, struct err *err);

#endif
