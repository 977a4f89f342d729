#include "common/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/size.h"
#include "common/spawn.h"
#include "common/text.h"

/* How long a supervisor that is not our child may take to end: it kills a worker, and waits for it
   two seconds. */
#define END_MS 30000

struct session {
    int sock;
    pid_t pid; /* 0: somebody else has started it */
    bool gone; /* it, not the worker */
    bool ended;
    int status;
    struct supervisor_attempt *attempts; /* told of, and not yet taken; SUPERVISOR_ATTEMPTS_MAX */
    size_t n_attempts, taken;
};

static pid_t
start_supervisor(const struct privilege *as, char *purpose, int theirs, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-supervisor", err);
    AUTO_FREE char *uid = xasprintf("%u", (unsigned)as->uid);
    AUTO_FREE char *gid = xasprintf("%u", (unsigned)as->gid);
    char *argv[] = {(char[]){"exhibit-supervisor"}, uid, gid, purpose, NULL};
    struct spawn_fd map = {.ours = theirs, .theirs = SUPERVISOR_FD};

    return path ? spawn(path, argv, &map, 1, err) : -1;
}

static struct session *
session_new(const struct privilege *as, char *purpose, struct err *err)
{
    struct session *s;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        (void)err_errno(err, "cannot make a socket");
        return NULL;
    }
    s = xcalloc(1, sizeof *s);
    s->sock = pair[0];
    s->pid = start_supervisor(as, purpose, pair[1], err);
    (void)close(pair[1]);
    if (s->pid < 0) {
        session_end(s);
        return NULL;
    }
    return s;
}

/* No program that this one starts is to have the socket, nor to look for it. */
static struct session *
session_given(const char *text, struct err *err)
{
    struct session *s;
    socklen_t n = sizeof(int);
    uint64_t fd;
    int type = 0;

    if (number_parse(text, 3, INT_MAX, SESSION_VARIABLE, &fd, err) != 0)
        return NULL;
    (void)unsetenv(SESSION_VARIABLE);
    if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &n) != 0 || type != SOCK_SEQPACKET ||
        fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0) {
        (void)err_set(err, OUTCOME_USAGE, SESSION_VARIABLE " names no socket of a supervisor");
        return NULL;
    }
    s = xcalloc(1, sizeof *s);
    s->sock = (int)fd;
    return s;
}

struct session *
session_start(const struct privilege *as, struct err *err)
{
    const char *given = getenv(SESSION_VARIABLE);

    return given ? session_given(given, err) : session_new(as, (char[]){SUPERVISOR_ACQUIRE}, err);
}

struct session *
session_start_compare(const struct privilege *as, struct err *err)
{
    return session_new(as, (char[]){SUPERVISOR_COMPARE}, err);
}

static void
note_attempt(struct session *s, const struct supervisor_attempt *a)
{
    if (!s->attempts)
        s->attempts = xcalloc(SUPERVISOR_ATTEMPTS_MAX, sizeof *s->attempts);
    if (s->n_attempts < SUPERVISOR_ATTEMPTS_MAX)
        s->attempts[s->n_attempts++] = *a;
}

bool
session_next_attempt(struct session *s, struct supervisor_attempt *out)
{
    if (s->taken == s->n_attempts)
        return false;
    *out = s->attempts[s->taken++];
    return true;
}

/* One message; what comes unasked is noted. 1: m holds an answer; 0: it was noted. A descriptor
   that comes along goes into *fd, if it is wanted. */
static int
hear(struct session *s, struct supervisor_message *m, int *fd, struct err *err)
{
    int fds[SUPERVISOR_FDS_MAX];
    size_t n = 0;
    int r = supervisor_receive(s->sock, m, fds, &n, err);

    for (size_t i = 0; i < n; i++) {
        if (fd && *fd < 0 && m->type == SUPERVISOR_LENT)
            *fd = fds[i];
        else
            (void)close(fds[i]);
    }
    if (r < 0)
        return -1;
    s->gone = r == 0;
    if (r == 0)
        return err_set(err, OUTCOME_FAILED, "the supervisor has gone");
    if (m->type == SUPERVISOR_ATTEMPT) {
        note_attempt(s, &m->attempt);
        return 0;
    }
    if (m->type != SUPERVISOR_ENDED)
        return 1;
    s->ended = true;
    s->status = m->status;
    return 0;
}

/* Waits for the answer, of type `expected`. */
static int
await(struct session *s, struct supervisor_message *m, enum supervisor_type expected, int *fd,
      struct err *err)
{
    int r;

    while ((r = hear(s, m, fd, err)) == 0)
        ;
    if (r < 0)
        return -1;
    if (m->type == SUPERVISOR_REFUSED)
        return err_set(err, (enum outcome)m->outcome, "%s", m->text);
    if (m->type != (uint32_t)expected)
        return err_set(err, OUTCOME_FAILED, "the supervisor gave an answer to something else");
    return 0;
}

int
session_ask(struct session *s, struct supervisor_message *m, const int *fds, size_t n,
            enum supervisor_type expected, struct err *err)
{
    if (supervisor_send(s->sock, m, fds, n, err) != 0) {
        s->gone = err->sys == EPIPE;
        return -1;
    }
    return await(s, m, expected, NULL, err);
}

int
session_borrow(struct session *s, struct err *err)
{
    struct supervisor_message m = {.type = SUPERVISOR_LEND};
    int fd = -1;

    if (supervisor_send(s->sock, &m, NULL, 0, err) != 0 ||
        await(s, &m, SUPERVISOR_LENT, &fd, err) != 0)
        return -1;
    if (fd < 0)
        return err_set(err, OUTCOME_FAILED, "the supervisor lent no descriptor");
    return fd;
}

int
session_fd(const struct session *s)
{
    return s->sock;
}

int
session_hear(struct session *s, struct err *err)
{
    struct supervisor_message m;

    return hear(s, &m, NULL, err) < 0 ? -1 : 0;
}

bool
session_worker_ended(const struct session *s, int *status)
{
    *status = s->status;
    return s->ended;
}

void
session_leave(struct session *s)
{
    (void)shutdown(s->sock, SHUT_WR);
}

/* Its last end of the socket goes with the process; what it still says is of no use. */
static void
await_end(int sock)
{
    struct pollfd p = {.fd = sock, .events = POLLIN};
    char nothing[1];

    (void)shutdown(sock, SHUT_WR);
    while (poll(&p, 1, END_MS) > 0 && recv(sock, nothing, sizeof nothing, 0) > 0)
        ;
}

bool
session_has_gone(const struct session *s)
{
    return s->gone;
}

void
session_end(struct session *s)
{
    struct err ignored = ERR_INIT;
    int status;

    if (!s)
        return;
    if (s->pid == 0)
        await_end(s->sock);
    (void)close(s->sock);
    if (s->pid > 0)
        (void)spawn_wait(s->pid, &status, &ignored);
    free(s->attempts);
    free(s);
}
