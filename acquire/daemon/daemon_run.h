/*
 * The processes of one job: exhibit-acquire as the user, and the supervisor that was started for
 * it as root, with a socket between them that the front is handed. The front dies with the daemon
 * (it ends as at a signal, resumable), and the supervisor with its front.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_RUN_H
#define EXHIBIT_ACQUIRE_DAEMON_RUN_H

#include <stdbool.h>

#include "acquire/daemon/daemon_job.h"
#include "common/err.h"
#include "common/privilege.h"

struct run_spec {
    const struct daemon_job *job;
    char *const *argv;   /* of exhibit-acquire */
    char *const *policy; /* the supervisor's arguments after the purpose; NULL at the end */
};

/* Starts both. */
struct run *run_start(const struct run_spec *spec, struct err *err);
void run_free(struct run *r);

/* Who they are, for a daemon that comes after this one. */
void run_processes(const struct run *r, struct job_process processes[JOB_PROCESSES]);

/* For poll(): the front's stderr; -1 once it is at its end. */
int run_fd(const struct run *r);

/* Reads what is there, at most a few lines; calls `take` with each whole one. */
void run_read(struct run *r, void (*take)(void *to, const char *line, size_t n), void *to);

/* A child has ended: true if it was one of this run's. */
bool run_reaped(struct run *r, pid_t pid, int status);

/* True once both have ended, and the worker too; the front's status in *status (128 + signal). A
   supervisor that outlives its front for long is killed, and such a worker waited for no longer. */
bool run_is_over(struct run *r, int *status);

/* Signals the front. */
void run_signal(const struct run *r, int sig);

/* Whether a process of a daemon before still runs; `sig` (0: none) is sent to it then. */
bool run_left_behind(const struct job_process *p, int sig);

/* Whether a worker of that user has lost its supervisor. It has been killed, but in the midst of a
   read it still holds the device, and whoever opens that is refused. */
bool run_has_orphan(uid_t uid);

/* Becomes the user (a struct run_user), and dies with the daemon; for spawn_as(). */
struct run_user {
    struct privilege as;
    pid_t daemon;
};
int run_become(const void *user);

#endif
