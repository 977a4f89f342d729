/*
 * What the files of the core share.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_CORE_IMPL_H
#define EXHIBIT_ACQUIRE_DAEMON_CORE_IMPL_H

#include "acquire/daemon/daemon_core.h"
#include "acquire/daemon/daemon_listen.h"
#include "acquire/daemon/daemon_proto.h"
#include "acquire/daemon/daemon_run.h"
#include "acquire/daemon/daemon_store.h"

#define CLIENTS_MAX 1024
#define TURNED_AWAY_MAX 64

/* What an API process is being answered. A request is permitted in CLIENT_IDLE alone. */
enum client_state {
    CLIENT_IDLE,
    CLIENT_LISTING,   /* the jobs after `id` */
    CLIENT_FOLLOWING, /* job `id`'s events, or those of devices (0), after `number` */
    CLIENT_WAITING,   /* for `helper` to end */
};

struct client {
    int sock;  /* to its API process; -1: has gone */
    pid_t pid; /* the API process; 0: has ended */
    struct daemon_peer peer;
    enum client_state state;
    uint64_t id, number;
    pid_t helper;
    int helper_out; /* what it says, or -1 */
    bool blocked;   /* its socket is full */
};

struct core {
    const struct daemon_settings *settings;
    struct queue *queue;
    struct store *store;
    int listener;
    struct client *clients[CLIENTS_MAX];
    size_t n_clients;
    struct job_events attached;       /* disks that came while it ran */
    int turned_away[TURNED_AWAY_MAX]; /* connections that were answered and are about to end */
    size_t turned;
    uint64_t turned_last; /* monotonic ns */
    bool ending;
    uint64_t ending_since;         /* monotonic ns */
    bool watched;                  /* systemd wants to hear that it lives: sd_watchdog_enabled(3) */
    uint64_t begun;                /* the same */
    struct daemon_message message; /* the one that is being sent or received */
};

/* One line on stderr, for the journal; escaped. */
void core_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- daemon_jobs.c --- */

/* Keeps the job; what goes wrong is told on stderr. */
void core_save(struct core *c, const struct daemon_job *job);
/* Does what a change of the job asks for, and keeps it. */
void core_act(struct core *c, struct daemon_job *job, enum job_action action);
/* Starts what may start. */
void core_start_jobs(struct core *c);
/* Takes in what a job's front has said. */
void core_hear(struct core *c, struct daemon_job *job);
/* A child has ended; true if it was a job's. */
bool core_reap_job(struct core *c, pid_t pid, int status);
/* Jobs whose processes have all ended, and what was left behind by a daemon before. */
void core_settle_jobs(struct core *c);
/* Forgets those that ended longest ago, where a user has many. */
void core_forget_jobs(struct core *c);
/* Signals all jobs to end. `again`: at once. */
void core_stop_jobs(struct core *c);

/* --- daemon_clients.c --- */

void core_accept(struct core *c);
/* One request of the API process. */
void core_serve(struct core *c, struct client *client);
/* Sends what is due to it. */
void core_feed(struct core *c, struct client *client);
bool core_reap_client(struct core *c, pid_t pid, int status);
/* Closes what has gone. */
void core_sweep(struct core *c);
void core_close_clients(struct core *c);

/* --- daemon_requests.c --- */

/* Answers c->message, which came from the client. -1: it was not permitted. */
int core_answer(struct core *c, struct client *client);
/* A helper that a request waited for has ended with that status. */
void core_helped(struct core *c, struct client *client, int status);
/* Sends c->message; a client that does not take it is let go. */
void core_send(struct core *c, struct client *client, int fd);
/* Puts a job into c->message. */
void core_fill_job(struct core *c, const struct daemon_job *job);

#endif
