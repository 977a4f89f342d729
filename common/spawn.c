#include "common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

char *
spawn_program_path(const char *name, struct err *err)
{
    static const char *const places[] = {"", "../libexec/exhibit/"};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n < 0) {
        (void)err_errno(err, "cannot read '/proc/self/exe'");
        return NULL;
    }
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (slash)
        slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = xasprintf("%s%s%s", self, places[i], name);

        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    (void)err_set(err, OUTCOME_FAILED, "cannot find the program '%s' beside '%s'", name, self);
    return NULL;
}

/* Between fork and exec only async-signal-safe calls are allowed. The descriptors are first moved
   out of the way of every target, so that the order of the list does not matter. */
static int
place_fds(const struct spawn_fd *fds, size_t n)
{
    int moved[16];
    int last = STDERR_FILENO;

    if (n > sizeof moved / sizeof moved[0])
        return -1;
    for (size_t i = 0; i < n; i++) {
        moved[i] = fcntl(fds[i].ours, F_DUPFD, 64);
        if (moved[i] < 0)
            return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (dup2(moved[i], fds[i].theirs) < 0)
            return -1;
        if (fds[i].theirs > last)
            last = fds[i].theirs;
    }
    /* Numbers between the mapped ones are not used, or are mapped themselves. */
    for (int fd = STDERR_FILENO + 1; fd < last; fd++) {
        bool wanted = false;

        for (size_t i = 0; i < n; i++)
            wanted = wanted || fds[i].theirs == fd;
        if (!wanted)
            (void)close(fd);
    }
    return close_range((unsigned)last + 1, UINT_MAX, 0);
}

/* Handlers end with the exec; what is ignored stays so, as a SIGHUP under nohup should. */
static void
reset_signals(void)
{
    sigset_t none;

    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

pid_t
spawn(const char *path, char *const argv[], const struct spawn_fd *fds, size_t n_fds,
      struct err *err)
{
    return spawn_as(path, argv, fds, n_fds, NULL, err);
}

pid_t
spawn_as(const char *path, char *const argv[], const struct spawn_fd *fds, size_t n_fds,
         const struct spawn_as *as, struct err *err)
{
    pid_t pid = fork();

    if (pid < 0)
        return err_errno(err, "cannot start '%s'", path);
    if (pid > 0)
        return pid;
    reset_signals();
    if (place_fds(fds, n_fds) == 0 && (!as || as->drop(as->to) == 0))
        (void)execv(path, argv);
    _exit(127);
}

int
spawn_wait(pid_t pid, int *status, struct err *err)
{
    int s;

    while (waitpid(pid, &s, 0) < 0) {
        if (errno != EINTR)
            return err_errno(err, "cannot wait for process %ld", (long)pid);
    }
    *status = WIFEXITED(s) ? WEXITSTATUS(s) : 128 + WTERMSIG(s);
    return 0;
}
