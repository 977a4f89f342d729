/*
 * The worker, as its supervisor starts it and sees it end.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "acquire/job/worker_fds.h"
#include "acquire/supervisor/supervisor.h"
#include "common/cleanup.h"
#include "common/spawn.h"
#include "common/text.h"

/* How long a killed worker is waited for: 2 s. */
#define WORKER_END_STEPS 40
#define WORKER_END_STEP_NS 50000000L

/* A worker without its supervisor would hold the device, and read for nobody. Set after the change
   of identity, which would undo it. */
static int
become_worker(const void *user)
{
    if (privilege_drop(user) != 0)
        return -1;
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static int
start_worker(struct supervisor *s, const int *fds, size_t n, size_t n_dirs, struct err *err)
{
    char *path = spawn_program_path("exhibit-worker", err);
    AUTO_FREE char *dirs = xasprintf("%zu", n_dirs);
    char *argv[] = {(char[]){"exhibit-worker"}, dirs, NULL};
    struct spawn_fd map[2 + WORKER_DIRS_MAX] = {
        {.ours = fds[0], .theirs = WORKER_FD_EVENTS},
        {.ours = s->source >= 0 ? s->source : fds[n - 1], .theirs = WORKER_FD_SOURCE},
    };
    struct spawn_as as = {.drop = become_worker, .to = &s->user};

    if (!path)
        return -1;
    for (size_t i = 0; i < n_dirs; i++)
        map[2 + i] = (struct spawn_fd){.ours = fds[1 + i], .theirs = WORKER_FD_DIR + (int)i};
    s->worker = spawn_as(path, argv, map, 2 + n_dirs, &as, err);
    free(path);
    return s->worker < 0 ? -1 : 0;
}

int
supervisor_start(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_STARTED};
    size_t n_dirs = 1 + (size_t)m->n_copies;
    struct err err = ERR_INIT;
    struct stat st;

    if (m->n_copies >= WORKER_DIRS_MAX || n != 1 + n_dirs + (s->source < 0 ? 1 : 0))
        return -1;
    /* Devices go through OPEN, where the policy is. */
    if (s->source < 0 && (fstat(fds[n - 1], &st) != 0 || !S_ISREG(st.st_mode)))
        return -1;
    if (start_worker(s, fds, n, n_dirs, &err) != 0) {
        s->worker = 0;
        return supervisor_refuse(&err);
    }
    s->state = STATE_RUNNING;
    out.status = (int32_t)s->worker;
    return supervisor_reply(&out);
}

int
supervisor_reap(struct supervisor *s)
{
    struct supervisor_message out = {.type = SUPERVISOR_ENDED};
    int status;

    if (s->worker == 0 || waitpid(s->worker, &status, WNOHANG) != s->worker)
        return 0;
    s->worker = 0;
    s->state = STATE_ENDED;
    out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    s->record.worker_status = out.status;
    return supervisor_reply(&out);
}

/* A worker that waits in the kernel for a drive that does not answer cannot be killed. It dies with
   its read; until then it, and nobody else, holds the device. */
void
supervisor_end_worker(struct supervisor *s)
{
    const struct timespec step = {.tv_nsec = WORKER_END_STEP_NS};
    pid_t got = 0;
    int status = 0;

    (void)kill(s->worker, SIGKILL);
    for (int i = 0; i < WORKER_END_STEPS && got == 0; i++) {
        got = waitpid(s->worker, &status, WNOHANG);
        if (got == 0)
            (void)nanosleep(&step, NULL);
    }
    if (got == s->worker)
        s->record.worker_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else
        s->record.worker_stuck = s->worker;
}
