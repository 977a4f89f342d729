/*
 * The API's documents: what the core says, as JSON, and what a client sends, read from it.
 * docs/api.md describes them.
 */
#ifndef EXHIBIT_ACQUIRE_API_JSON_H
#define EXHIBIT_ACQUIRE_API_JSON_H

#include <jansson.h>

#include "acquire/daemon/daemon_proto.h"
#include "common/err.h"

/* A DAEMON_JOB message as an object; a new reference. */
json_t *api_job(const struct daemon_message *m);

/* A DAEMON_EVENT message. */
json_t *api_event(const struct daemon_message *m);

json_t *api_error(enum outcome outcome, const char *text);

/* The body of a submit (n bytes of anything) as a DAEMON_SUBMIT message. OUTCOME_USAGE. */
int api_read_submit(const char *body, size_t n, struct daemon_message *m, struct err *err);

/* The body of a cancel, which may be empty. */
int api_read_cancel(const char *body, size_t n, bool *discard, struct err *err);

/* The body of a release: the device's path, which the caller frees. */
int api_read_device(const char *body, size_t n, char **device, struct err *err);

/* A body of which nothing is expected: empty, or {}. */
int api_read_nothing(const char *body, size_t n, struct err *err);

#endif
