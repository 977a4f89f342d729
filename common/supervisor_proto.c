#include "common/supervisor_proto.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr align;
    char buf[CMSG_SPACE(SUPERVISOR_FDS_MAX * sizeof(int))];
};

int
supervisor_send(int sock, const struct supervisor_message *m, const int *fds, size_t n,
                struct err *err)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)m, .iov_len = sizeof *m};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    union control control = {0};
    ssize_t r;

    if (n > 0) {
        struct cmsghdr *c;

        h.msg_control = control.buf;
        h.msg_controllen = CMSG_SPACE(n * sizeof *fds);
        c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof *fds);
        memcpy(CMSG_DATA(c), fds, n * sizeof *fds);
    }
    do {
        r = sendmsg(sock, &h, MSG_NOSIGNAL);
    } while (r < 0 && errno == EINTR);
    if (r != (ssize_t)sizeof *m)
        return err_errno(err, "cannot send to the supervisor or its front");
    return 0;
}

int
supervisor_tell(int sock, const struct supervisor_message *m, struct err *err)
{
    if (send(sock, m, sizeof *m, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof *m)
        return err_errno(err, "cannot send to the front");
    return 0;
}

static size_t
take_fds(struct msghdr *h, int *fds)
{
    size_t n = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
        memcpy(fds, CMSG_DATA(c), n * sizeof *fds);
    }
    return n;
}

static bool
texts_end(const struct supervisor_message *m)
{
    const struct supervisor_attempt *a = &m->attempt;

    return memchr(m->text, '\0', sizeof m->text) && memchr(m->serial, '\0', sizeof m->serial) &&
           memchr(m->monitor_missing, '\0', sizeof m->monitor_missing) &&
           memchr(m->guard_missing, '\0', sizeof m->guard_missing) &&
           memchr(a->name, '\0', sizeof a->name) && memchr(a->what, '\0', sizeof a->what) &&
           memchr(a->node, '\0', sizeof a->node);
}

int
supervisor_receive(int sock, struct supervisor_message *m, int *fds, size_t *n, struct err *err)
{
    struct iovec iov = {.iov_base = m, .iov_len = sizeof *m};
    union control control = {0};
    struct msghdr h = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.buf,
        .msg_controllen = sizeof control.buf,
    };
    ssize_t r;

    *n = 0;
    do {
        r = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
    } while (r < 0 && errno == EINTR);
    if (r < 0 && errno == ECONNRESET)
        return 0;
    if (r < 0)
        return err_errno(err, "cannot receive from the supervisor or its front");
    *n = take_fds(&h, fds);
    if (r == 0 && *n == 0)
        return 0;
    if (r == (ssize_t)sizeof *m && !(h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && texts_end(m))
        return 1;
    for (size_t i = 0; i < *n; i++)
        (void)close(fds[i]);
    *n = 0;
    return err_set(err, OUTCOME_FAILED, "malformed message on the supervisor's socket");
}
