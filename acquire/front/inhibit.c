#include "acquire/front/inhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"

#define CONFIRM_MS 500
#define END_STEPS 500
#define END_STEP_NS 1000000L

struct inhibit {
    pid_t pid;
    int hold; /* the write end of the pipe that the lock hangs on */
    int hear; /* the read end of the one that cat writes to: without, a late one would die */
    int64_t begun;
};

/* Its own session, so that the terminal's signals pass it by; every signal as at first; no
   descriptor of ours but the two pipes. */
static int
start(const char *program, const char *why, const int in[2], const int out[2], pid_t *pid)
{
    char *reason = xasprintf("--why=%s", why);
    const char *argv[] = {"systemd-inhibit",
                          "--what=sleep:idle:shutdown:handle-lid-switch",
                          "--who=Exhibit",
                          reason,
                          "--mode=block",
                          "/usr/bin/cat",
                          NULL};
    const char *envp[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int rc;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    rc = rc ? rc
            : posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    rc = rc ? rc
            : posix_spawn(pid, program, &actions, &attributes, (char *const *)argv,
                          (char *const *)envp);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    free(reason);
    return rc;
}

static int64_t
now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* cat runs only under the lock: the byte that comes back through it proves that the lock is held.
   1 held, 0 ended without, -1 nothing heard in time. */
static int
hear(const struct inhibit *inhibit)
{
    int64_t end = inhibit->begun + CONFIRM_MS;

    for (;;) {
        struct pollfd p = {.fd = inhibit->hear, .events = POLLIN};
        int64_t left = end - now_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        char byte;

        if (n > 0) {
            ssize_t got = read(inhibit->hear, &byte, 1);

            if (got >= 0)
                return got > 0;
        }
        if (n == 0 || (errno != EINTR && errno != EAGAIN))
            return -1;
    }
}

static int
pipe_above_stdio(int fds[2])
{
    int raw[2];

    if (pipe2(raw, O_CLOEXEC) < 0)
        return -1;
    /* Where stdin or stdout is closed, pipe2() would hand out their numbers. */
    fds[0] = fcntl(raw[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    fds[1] = fcntl(raw[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    (void)close(raw[0]);
    (void)close(raw[1]);
    return fds[0] < 0 || fds[1] < 0 ? -1 : 0;
}

static void
close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

struct inhibit *
inhibit_begin_with(const char *program, const char *why, char *state, size_t n)
{
    int fds[4] = {-1, -1, -1, -1}, *in = fds, *out = fds + 2, rc;
    struct inhibit *inhibit;
    pid_t pid = -1;

    if (pipe_above_stdio(in) < 0 || pipe_above_stdio(out) < 0 || write(in[1], ".", 1) != 1) {
        (void)snprintf(state, n, "not inhibited: no pipe: %s", strerror(errno));
        close_all(fds, 4);
        return NULL;
    }
    rc = start(program, why, in, out, &pid);
    if (rc) {
        (void)snprintf(state, n, "not inhibited: cannot run '%s': %s", program, strerror(rc));
        close_all(fds, 4);
        return NULL;
    }
    inhibit = xcalloc(1, sizeof *inhibit);
    *inhibit = (struct inhibit){pid, in[1], out[0], now_ms()};
    (void)close(in[0]);
    (void)close(out[1]);
    return inhibit;
}

struct inhibit *
inhibit_begin(const char *why, char *state, size_t n)
{
    return inhibit_begin_with("/usr/bin/systemd-inhibit", why, state, n);
}

struct inhibit *
inhibit_confirm(struct inhibit *inhibit, char *state, size_t n)
{
    int heard;

    if (!inhibit)
        return NULL;
    heard = hear(inhibit);
    if (heard > 0) {
        (void)snprintf(state, n, "inhibited");
        return inhibit;
    }
    if (heard < 0) {
        (void)snprintf(state, n, "not confirmed: systemd-inhibit did not answer in %d ms",
                       CONFIRM_MS);
        return inhibit;
    }
    (void)snprintf(state, n, "not inhibited: systemd-inhibit gave up; is systemd-logind running?");
    inhibit_end(inhibit);
    return NULL;
}

void
inhibit_end(struct inhibit *inhibit)
{
    const struct timespec step = {.tv_nsec = END_STEP_NS};
    pid_t got = 0;

    if (!inhibit)
        return;
    (void)close(inhibit->hold);
    (void)close(inhibit->hear);
    for (int i = 0; i < END_STEPS && got == 0; i++) {
        got = waitpid(inhibit->pid, NULL, WNOHANG);
        if (got < 0 && errno == EINTR)
            got = 0;
        if (got == 0)
            (void)nanosleep(&step, NULL);
    }
    /* If it is not ours to kill (we have given up root since), it ends by itself with the pipe. */
    if (got == 0 && kill(-inhibit->pid, SIGKILL) == 0) {
        while (waitpid(inhibit->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(inhibit);
}
