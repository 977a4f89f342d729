/*
 * One job of exhibitd: what was asked for, where it stands, and what may be done with it in which
 * state. Nothing here starts, signals or writes anything: the core does what comes back.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_JOB_H
#define EXHIBIT_ACQUIRE_DAEMON_JOB_H

#include <stdbool.h>
#include <sys/types.h>

#include "acquire/daemon/daemon_events.h"
#include "acquire/daemon/daemon_proto.h"
#include "common/err.h"

#define JOB_PROCESSES 2 /* the front and its supervisor */

struct run;

/* A process as it can be told from a later one with the same number. */
struct job_process {
    pid_t pid;      /* 0: none */
    uint64_t start; /* in the kernel's ticks since boot */
};

struct daemon_job {
    struct job_facts facts;
    gid_t gid;
    bool listed; /* its user was in the group by the user database's word: so they must stay */
    char *user;  /* name, or the number as text */
    char *source, *dest;
    char **options;
    size_t n_options;
    char phase[JOB_PHASE_MAX];
    char *message; /* the last thing said, or NULL */
    bool begun;    /* was started before: there may be something to go on from */
    bool urgent;   /* was running when the daemon ended: goes before those that wait */
    bool discard;  /* what was written is to be removed at the end */
    bool resumable;
    bool pause_asked; /* not yet signalled: it reads nothing yet */
    struct job_process processes[JOB_PROCESSES];
    struct run *run;     /* its processes, or NULL; the core's */
    pid_t discarder;     /* removes what was written, or 0 */
    bool waits_for_left; /* processes of a daemon before have not ended yet */
    struct job_events events;
};

/* What the core has to do now. */
enum job_action {
    JOB_ACT_NONE,
    JOB_ACT_PAUSE,    /* signal the process to pause */
    JOB_ACT_CONTINUE, /* to go on */
    JOB_ACT_STOP,     /* to end */
    JOB_ACT_DISCARD,  /* remove what it wrote */
};

struct daemon_job *daemon_job_new(void);
void daemon_job_free(struct daemon_job *job);

/* Sets the state, the time that belongs to it, and notes it as an event. */
void daemon_job_set_state(struct daemon_job *job, enum job_state state, int64_t now_ms);

/* It is about to be started, again perhaps. */
void daemon_job_begin(struct daemon_job *job, int64_t now_ms);

/* The last thing said; noted as an event. */
void daemon_job_say(struct daemon_job *job, const char *text, int64_t now_ms);

/* What a user may ask for. A refusal comes with its reason. */
enum daemon_refusal daemon_job_pause(struct daemon_job *job, int64_t now_ms,
                                     enum job_action *action, struct err *err);
enum daemon_refusal daemon_job_continue(struct daemon_job *job, int64_t now_ms,
                                        enum job_action *action, struct err *err);
enum daemon_refusal daemon_job_cancel(struct daemon_job *job, bool discard, int64_t now_ms,
                                      enum job_action *action, struct err *err);

/* A line of the front's stderr: progress, or a message for people. Anyone's bytes. A pause that had
   to wait may be due then. */
enum job_action daemon_job_hear(struct daemon_job *job, const char *line, size_t n, int64_t now_ms);

/* The front has ended with that status (128 + signal). */
enum job_action daemon_job_ended(struct daemon_job *job, int status, int64_t now_ms);

/* The job as it stands after the daemon's own end and new beginning: what was running is queued,
   urgent; what was paused still is; what was being cancelled is. Its events begin with that. */
void daemon_job_set_aside(struct daemon_job *job, int64_t now_ms);

#endif
