/*
 * The core's side of the jobs: starting, hearing, ending and keeping them.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "acquire/daemon/daemon_core_impl.h"
#include "acquire/daemon/daemon_options.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/spawn.h"
#include "common/text.h"

/* Fronts of a daemon that was killed have been signalled by the kernel; after so long, again. */
#define LEFT_BEHIND_NS UINT64_C(30000000000)

void
core_log(const char *fmt, ...)
{
    char text[1024];
    AUTO_FREE char *safe = NULL;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    safe = text_printable(text);
    (void)fprintf(stderr, "exhibitd: %s\n", safe);
}

void
core_save(struct core *c, const struct daemon_job *job)
{
    struct err err = ERR_INIT;

    if (store_save(c->store, job, &err) != 0)
        (void)err_report(&err);
}

/* Removes what the job wrote, as its user; as soon as nobody writes there any more. */
static void
start_discarding(struct daemon_job *job)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *path = spawn_program_path("exhibit-discard", &err);
    AUTO_FREE struct run_user *user = xcalloc(1, sizeof *user);
    char *argv[] = {(char[]){"exhibit-discard"}, (char[]){"--"}, job->dest, NULL};
    struct spawn_as as = {.drop = run_become, .to = user};
    pid_t pid;

    privilege_find((uid_t)job->facts.uid, job->gid, &user->as);
    user->daemon = getpid();
    pid = path ? spawn_as(path, argv, NULL, 0, &as, &err) : -1;
    if (pid < 0)
        daemon_job_say(job, err.text, clock_now_ms());
    else
        job->discarder = pid;
}

void
core_act(struct core *c, struct daemon_job *job, enum job_action action)
{
    switch (action) {
    case JOB_ACT_PAUSE:
        run_signal(job->run, SIGUSR1);
        break;
    case JOB_ACT_CONTINUE:
        run_signal(job->run, SIGUSR2);
        break;
    case JOB_ACT_STOP:
        run_signal(job->run, SIGINT);
        break;
    case JOB_ACT_DISCARD:
        if (!job->waits_for_left)
            start_discarding(job);
        break;
    case JOB_ACT_NONE:
        break;
    }
    core_save(c, job);
}

/* --- starting --- */

/* A job may have waited for days: who has left the group since starts none any more. */
static bool
may_start(const struct core *c, const struct daemon_job *job)
{
    uid_t uid = (uid_t)job->facts.uid;

    return uid == 0 || !job->listed || daemon_is_listed(uid, job->gid, c->settings->group);
}

static void
refuse_job(struct core *c, struct daemon_job *job)
{
    AUTO_FREE char *why =
        xasprintf("%s may not use the daemon any more: not in its group", job->user);

    daemon_job_say(job, why, clock_now_ms());
    (void)daemon_job_ended(job, OUTCOME_REFUSED, clock_now_ms());
    core_log("job %" PRIu64 ": not started: %s", job->facts.id, why);
    core_save(c, job);
}

static void
start_job(struct core *c, struct daemon_job *job)
{
    struct run_spec spec = {.job = job, .policy = c->settings->policy};
    struct err err = ERR_INIT;
    char **argv = daemon_options_argv(job, job->begun);

    daemon_job_begin(job, clock_now_ms());
    /* Before it runs: a daemon that is killed here must not begin it twice. */
    core_save(c, job);
    spec.argv = argv;
    job->run = run_start(&spec, &err);
    free((void *)argv);
    if (!job->run) {
        daemon_job_say(job, err.text, clock_now_ms());
        (void)daemon_job_ended(job, OUTCOME_FAILED, clock_now_ms());
    } else {
        run_processes(job->run, job->processes);
        core_log("job %" PRIu64 " of %s: started, '%s' to '%s'", job->facts.id, job->user,
                 job->source, job->dest);
    }
    core_save(c, job);
}

void
core_start_jobs(struct core *c)
{
    struct daemon_job *job;

    while (!c->ending && (job = queue_next(c->queue)) != NULL) {
        if (may_start(c, job))
            start_job(c, job);
        else
            refuse_job(c, job);
    }
}

/* --- while it runs --- */

struct hearing {
    struct core *core;
    struct daemon_job *job;
};

static void
take_line(void *to, const char *line, size_t n)
{
    struct hearing *h = to;
    enum job_action action = daemon_job_hear(h->job, line, n, clock_now_ms());

    if (action != JOB_ACT_NONE)
        core_act(h->core, h->job, action);
}

void
core_hear(struct core *c, struct daemon_job *job)
{
    struct hearing h = {c, job};

    run_read(job->run, take_line, &h);
}

/* --- its end --- */

void
core_forget_jobs(struct core *c)
{
    struct daemon_job *job;

    while ((job = queue_forget(c->queue)) != NULL) {
        store_remove(c->store, job->facts.id);
        daemon_job_free(job);
    }
}

/* The daemon's own end has ended it: it stays what it was, for the next start. */
static bool
ends_with_daemon(const struct core *c, const struct daemon_job *job, int status)
{
    return c->ending && !job->facts.stopping && (status == OUTCOME_INTERRUPTED || status >= 128);
}

static void
end_job(struct core *c, struct daemon_job *job, int status)
{
    enum job_action action = JOB_ACT_NONE;

    /* What it said last may still lie in the pipe. */
    for (int i = 0; i < 64 && run_fd(job->run) >= 0; i++)
        core_hear(c, job);
    run_free(job->run);
    job->run = NULL;
    if (ends_with_daemon(c, job, status)) {
        memset(job->processes, 0, sizeof job->processes);
    } else {
        action = daemon_job_ended(job, status, clock_now_ms());
        core_log("job %" PRIu64 " of %s: %s (exit %d)%s%s", job->facts.id, job->user,
                 job_state_name((enum job_state)job->facts.state), status, job->message ? ": " : "",
                 job->message ? job->message : "");
    }
    core_act(c, job, action);
}

static void
end_discarding(struct core *c, struct daemon_job *job, int status)
{
    job->discarder = 0;
    if (status == 0) {
        job->begun = false;
        daemon_job_say(job, "what had been written was removed", clock_now_ms());
    } else {
        daemon_job_say(job, "what had been written could not be removed", clock_now_ms());
    }
    core_log("job %" PRIu64 " of %s: %s", job->facts.id, job->user, job->message);
    core_save(c, job);
}

bool
core_reap_job(struct core *c, pid_t pid, int status)
{
    for (size_t i = 0; i < queue_count(c->queue); i++) {
        struct daemon_job *job = queue_at(c->queue, i);

        if (job->run && run_reaped(job->run, pid, status))
            return true;
        if (job->discarder == pid) {
            end_discarding(c, job, status);
            return true;
        }
    }
    return false;
}

/* True as long as a process of a daemon before runs. */
static bool
is_left_behind(const struct core *c, const struct daemon_job *job)
{
    bool late = clock_monotonic_ns() - c->begun > LEFT_BEHIND_NS;
    bool left = false;

    for (size_t i = 0; i < JOB_PROCESSES; i++)
        left = run_left_behind(&job->processes[i], late ? SIGTERM : 0) || left;
    return left || (!late && run_has_orphan((uid_t)job->facts.uid));
}

static void
settle_left(struct core *c, struct daemon_job *job)
{
    if (!job->waits_for_left || is_left_behind(c, job))
        return;
    job->waits_for_left = false;
    memset(job->processes, 0, sizeof job->processes);
    core_act(c, job,
             job->facts.state == JOB_CANCELLED && job->discard && job->begun ? JOB_ACT_DISCARD
                                                                             : JOB_ACT_NONE);
}

void
core_settle_jobs(struct core *c)
{
    for (size_t i = 0; i < queue_count(c->queue); i++) {
        struct daemon_job *job = queue_at(c->queue, i);
        int status;

        if (job->run && run_is_over(job->run, &status))
            end_job(c, job, status);
        settle_left(c, job);
    }
}

void
core_stop_jobs(struct core *c)
{
    for (size_t i = 0; i < queue_count(c->queue); i++) {
        const struct daemon_job *job = queue_at(c->queue, i);

        if (job->run)
            run_signal(job->run, SIGINT);
    }
}
