#include "acquire/daemon/daemon_core.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acquire/daemon/daemon_core_impl.h"
#include "common/clock.h"
#include "common/text.h"

#define JOBS_MAX 64 /* that run at a time */
/* At the daemon's end, jobs may take so long to write down where they stand; then they are hurried,
   and at last left to be ended with the daemon. */
#define HURRY_NS UINT64_C(60000000000)
#define GIVE_UP_NS UINT64_C(80000000000)

static volatile sig_atomic_t child_ended;
static volatile sig_atomic_t end_asked;

static void
on_child(int sig)
{
    (void)sig;
    child_ended = 1;
}

static void
on_end(int sig)
{
    (void)sig;
    end_asked = 1;
}

/* Blocked but in ppoll(), so that none arrives between the check and the wait. */
static void
catch_signals(void)
{
    static const int ends[] = {SIGTERM, SIGINT};
    struct sigaction child = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    struct sigaction end = {.sa_handler = on_end};
    sigset_t block;

    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGCHLD);
    (void)sigaction(SIGCHLD, &child, NULL);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)sigaddset(&block, ends[i]);
        (void)sigaction(ends[i], &end, NULL);
    }
    (void)sigprocmask(SIG_BLOCK, &block, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
}

/* --- the turn --- */

struct turn {
    struct pollfd fds[1 + JOBS_MAX + CLIENTS_MAX];
    struct daemon_job *jobs[JOBS_MAX];
    size_t n_jobs, n_clients;
};

/* The listener first, then the jobs, then the clients. */
static nfds_t
fill(struct core *c, struct turn *t)
{
    nfds_t n = 0;

    t->n_jobs = 0;
    t->fds[n++] = (struct pollfd){.fd = c->ending ? -1 : c->listener, .events = POLLIN};
    for (size_t i = 0; i < queue_count(c->queue) && t->n_jobs < JOBS_MAX; i++) {
        struct daemon_job *job = queue_at(c->queue, i);

        if (!job->run || run_fd(job->run) < 0)
            continue;
        t->jobs[t->n_jobs++] = job;
        t->fds[n++] = (struct pollfd){.fd = run_fd(job->run), .events = POLLIN};
    }
    t->n_clients = c->n_clients;
    for (size_t i = 0; i < c->n_clients; i++) {
        const struct client *client = c->clients[i];

        t->fds[n++] = (struct pollfd){.fd = client->sock,
                                      .events = (short)(POLLIN | (client->blocked ? POLLOUT : 0))};
    }
    return n;
}

static bool
needs_clock(const struct core *c)
{
    if (c->ending || c->turned > 0 || queue_running(c->queue) > 0)
        return true;
    for (size_t i = 0; i < queue_count(c->queue); i++) {
        if (queue_at(c->queue, i)->waits_for_left)
            return true;
    }
    return false;
}

static void
reap(struct core *c)
{
    int status;
    pid_t pid;

    child_ended = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

        /* The rest are helpers whose words went elsewhere. */
        if (!core_reap_job(c, pid, code))
            (void)core_reap_client(c, pid, code);
    }
}

static void
begin_end(struct core *c)
{
    core_log("stopping: jobs that run go on with the next start");
    daemon_notify("STOPPING=1");
    c->ending = true;
    c->ending_since = clock_monotonic_ns();
    core_stop_jobs(c);
}

/* False once there is nothing left to wait for. */
static bool
go_on_ending(struct core *c)
{
    uint64_t since = clock_monotonic_ns() - c->ending_since;

    if (queue_running(c->queue) == 0 || since > GIVE_UP_NS)
        return false;
    if (since > HURRY_NS)
        core_stop_jobs(c);
    return true;
}

static int
wait_turn(struct core *c, struct turn *t, struct err *err)
{
    const struct timespec tick = {.tv_sec = 1};
    sigset_t none;

    (void)sigemptyset(&none);
    if (ppoll(t->fds, fill(c, t), needs_clock(c) || c->watched ? &tick : NULL, &none) >= 0)
        return 0;
    if (errno != EINTR)
        return err_errno(err, "cannot wait");
    for (size_t i = 0; i < sizeof t->fds / sizeof t->fds[0]; i++)
        t->fds[i].revents = 0;
    return 0;
}

static void
take_turn(struct core *c, const struct turn *t)
{
    const struct pollfd *p = t->fds + 1;

    for (size_t i = 0; i < t->n_jobs; i++, p++) {
        if (p->revents)
            core_hear(c, t->jobs[i]);
    }
    for (size_t i = 0; i < t->n_clients; i++, p++) {
        if (p->fd >= 0 && (p->revents & ~POLLOUT))
            core_serve(c, c->clients[i]);
    }
    if (t->fds[0].revents)
        core_accept(c);
    if (child_ended)
        reap(c);
    core_settle_jobs(c);
    core_start_jobs(c);
    for (size_t i = 0; i < c->n_clients; i++)
        core_feed(c, c->clients[i]);
    core_sweep(c);
}

static int
serve(struct core *c, struct err *err)
{
    struct turn *t = xcalloc(1, sizeof *t);
    int r = 0;

    while (r == 0) {
        r = wait_turn(c, t, err);
        if (r == 0)
            take_turn(c, t);
        if (c->watched)
            daemon_notify("WATCHDOG=1");
        if (end_asked && !c->ending)
            begin_end(c);
        if (c->ending && !go_on_ending(c))
            break;
    }
    free(t);
    return r;
}

/* --- beginning and end --- */

static void
look_for_left(struct core *c)
{
    for (size_t i = 0; i < queue_count(c->queue); i++) {
        struct daemon_job *job = queue_at(c->queue, i);

        job->waits_for_left = job->processes[0].pid > 0 || job->processes[1].pid > 0 ||
                              (job->facts.state == JOB_CANCELLED && job->discard && job->begun);
    }
}

static int
begin(struct core *c, struct err *err)
{
    const struct daemon_settings *s = c->settings;

    c->store = store_open(s->state_dir, err);
    if (!c->store || store_load(c->store, c->queue, err) != 0)
        return -1;
    look_for_left(c);
    c->listener = daemon_listen_given();
    if (c->listener < 0)
        c->listener = daemon_listen(s->socket, s->group, err);
    return c->listener < 0 ? -1 : 0;
}

int
daemon_serve(const struct daemon_settings *settings, struct err *err)
{
    struct core *c = xcalloc(1, sizeof *c);
    int r;

    *c = (struct core){.settings = settings, .listener = -1, .begun = clock_monotonic_ns()};
    c->watched = getenv("WATCHDOG_USEC") != NULL;
    c->queue = queue_new(&settings->limits);
    catch_signals();
    /* Whoever loses its parent in a job becomes the core's own, to be waited for. */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    r = begin(c, err);
    if (r == 0) {
        core_log("ready; the jobs lie in '%s'", settings->state_dir);
        daemon_notify("READY=1");
        r = serve(c, err);
    }
    core_close_clients(c);
    core_sweep(c);
    if (c->listener >= 0)
        (void)close(c->listener);
    store_close(c->store);
    job_events_clear(&c->attached);
    queue_free(c->queue);
    free(c);
    return r;
}
