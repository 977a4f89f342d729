/*
 * exhibitd's core: the one root process that knows all jobs. It accepts connections and gives each
 * to an API process that is its client's own user, answers those, and starts, steers and remembers
 * the jobs. It reads no HTTP, opens no path that a client names, and waits for nobody.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_CORE_H
#define EXHIBIT_ACQUIRE_DAEMON_CORE_H

#include <stddef.h>
#include <sys/types.h>

#include "acquire/daemon/daemon_queue.h"
#include "common/err.h"

struct daemon_settings {
    const char *socket;    /* path */
    const char *state_dir; /* where jobs are kept */
    gid_t group;           /* whose members may connect */
    struct queue_limits limits;
    size_t clients, clients_of_user; /* connections at a time */
    char *const *policy;             /* the supervisor's arguments: acquire/daemon/daemon_run.h */
    const char *const *evidence; /* the configuration's marks: acquire/device/device_evidence.h */
    size_t n_evidence;
    char *const *defaults; /* options that stand before those of a job from when it is submitted */
    size_t n_defaults;     /* at most DAEMON_DEFAULTS_MAX */
};

/* Runs until SIGTERM or SIGINT; then the jobs are stopped in order, to go on with the next start.
   Returns 0, or -1 if it could not begin. */
int daemon_serve(const struct daemon_settings *settings, struct err *err);

#endif
