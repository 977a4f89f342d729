/*
 * A front's conversation with its supervisor.
 */
#ifndef EXHIBIT_SESSION_H
#define EXHIBIT_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/privilege.h"
#include "common/supervisor_proto.h"

struct session;

/* Names a descriptor in the environment: a socket to a supervisor that somebody else has started
   for this one job, as the daemon does for people who may not start one as root. */
#define SESSION_VARIABLE "EXHIBIT_SUPERVISOR_FD"

/* Starts the supervisor, unless SESSION_VARIABLE names one (which is then removed from the
   environment); its workers will run as `as`, which is whose job that one was started for. */
struct session *session_start(const struct privilege *as, struct err *err);

/* Starts one that lends the device for a comparison instead of starting workers; `as` is on record
   as who asked. */
struct session *session_start_compare(const struct privilege *as, struct err *err);

/* The descriptor of the device that is held, read-only; the caller closes it. */
int session_borrow(struct session *s, struct err *err);

/* Sends a request with descriptors and waits for its answer (of type `expected`), which replaces
 *m. A refusal is the error. */
int session_ask(struct session *s, struct supervisor_message *m, const int *fds, size_t n,
                enum supervisor_type expected, struct err *err);

/* For poll(): readable when the supervisor has something to say. */
int session_fd(const struct session *s);

/* After session_fd() was readable: takes it in. -1: the supervisor has gone. */
int session_hear(struct session *s, struct err *err);

/* The next of the attempts that the supervisor has told of while it was heard or asked; false if
   there is none. */
bool session_next_attempt(struct session *s, struct supervisor_attempt *out);

/* True once the worker has ended: with its exit status, or 128 + the signal. */
bool session_worker_ended(const struct session *s, int *status);

/* True once the supervisor was found to have ended by itself. */
bool session_has_gone(const struct session *s);

/* Nothing more will be asked, now that all is done: the supervisor ends while the front goes on. */
void session_leave(struct session *s);

/* Ends the conversation and waits for the supervisor's end (30 s at most for one that somebody else
   has started). A worker that still runs is killed. */
void session_end(struct session *s);

#endif
