#include "verify/aside.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_MS 250

static int
keep_nothing_but(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0 || dup2(fd, STDERR_FILENO + 1) < 0)
        return -1;
    return close_range(STDERR_FILENO + 2, UINT_MAX, 0);
}

int
aside_start(struct aside *a, int type, void (*serve)(int fd, const void *with), const void *with,
            struct err *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0)
        return err_errno(err, "cannot make a socket");
    a->pid = fork();
    if (a->pid == 0) {
        if (keep_nothing_but(pair[1]) == 0)
            serve(STDERR_FILENO + 1, with);
        _exit(0);
    }
    (void)close(pair[1]);
    a->fd = pair[0];
    if (a->pid > 0)
        return 0;
    (void)err_errno(err, "cannot start a process");
    (void)close(a->fd);
    return -1;
}

void
aside_end(struct aside *a)
{
    if (shutdown(a->fd, SHUT_WR) == 0 &&
        poll(&(struct pollfd){.fd = a->fd, .events = POLLIN}, 1, END_MS) > 0)
        (void)waitpid(a->pid, NULL, 0);
    (void)close(a->fd);
}
