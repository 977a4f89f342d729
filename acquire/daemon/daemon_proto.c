#include "acquire/daemon/daemon_proto.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD offsetof(struct daemon_message, texts)

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
};

void
daemon_message_begin(struct daemon_message *m, enum daemon_type type)
{
    memset(m, 0, HEAD);
    m->type = type;
}

bool
daemon_message_add(struct daemon_message *m, const char *text)
{
    size_t n = text ? strlen(text) + 1 : 1;

    if (n > DAEMON_TEXTS_MAX - m->length)
        return false;
    memcpy(m->texts + m->length, text ? text : "", n);
    m->length += (uint32_t)n;
    return true;
}

const char *
daemon_message_text(const struct daemon_message *m, size_t *at)
{
    const char *text = m->texts + *at;

    if (*at >= m->length)
        return NULL;
    *at += strlen(text) + 1;
    return text;
}

int
daemon_send(int sock, const struct daemon_message *m, int fd, struct err *err)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)m, .iov_len = HEAD + m->length};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    struct cmsghdr *c;

    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        packet.msg_control = &control;
        packet.msg_controllen = sizeof control.room;
        c = CMSG_FIRSTHDR(&packet);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    while (sendmsg(sock, &packet, MSG_NOSIGNAL) < 0) {
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR)
            return err_errno(err, "cannot send to the other process");
    }
    return 1;
}

/* Those that nobody asked for are closed. */
static void
take_descriptors(struct msghdr *packet, int *fd)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(packet); c; c = CMSG_NXTHDR(packet, c)) {
        size_t n;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int got;

            memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
            if (fd && *fd < 0)
                *fd = got;
            else
                (void)close(got);
        }
    }
}

int
daemon_receive(int sock, struct daemon_message *m, int *fd, struct err *err)
{
    union control control;
    struct iovec part = {.iov_base = m, .iov_len = sizeof *m};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    ssize_t n;

    if (fd)
        *fd = -1;
    while ((n = recvmsg(sock, &packet, MSG_CMSG_CLOEXEC)) < 0) {
        if (errno != EINTR)
            return err_errno(err, "cannot receive from the other process");
    }
    if (n == 0)
        return 0;
    take_descriptors(&packet, fd);
    if ((packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && (size_t)n >= HEAD &&
        m->length == (size_t)n - HEAD && (m->length == 0 || m->texts[m->length - 1] == '\0'))
        return 1;
    if (fd && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    return err_set(err, OUTCOME_FAILED, "a packet that is no message");
}

const char *
job_state_name(enum job_state state)
{
    static const char *const names[] = {
        [JOB_QUEUED] = "queued",       [JOB_RUNNING] = "running", [JOB_PAUSED] = "paused",
        [JOB_DONE] = "done",           [JOB_FAILED] = "failed",   [JOB_INTERRUPTED] = "interrupted",
        [JOB_CANCELLED] = "cancelled",
    };

    return (size_t)state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

bool
job_state_is_end(enum job_state state)
{
    return state >= JOB_DONE;
}
