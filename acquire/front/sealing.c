#include "acquire/front/sealing.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/spawn.h"
#include "common/text.h"

#define ARGS_MAX 64
#define WAIT_FD 3

struct sealing {
    pid_t pid; /* 0: it has ended */
    int fd;
};

struct args {
    char *v[ARGS_MAX + 1];
    size_t n;
};

static void
add(struct args *a, const char *name, const char *value)
{
    if (!value || a->n + 2 > ARGS_MAX)
        return;
    a->v[a->n++] = xasprintf("--%s", name);
    a->v[a->n++] = xstrdup(value);
}

static void
args_of(const struct acquire_options *o, struct args *a)
{
    AUTO_FREE char *passphrase_fd = xasprintf("%d", WAIT_FD + 1);

    a->v[a->n++] = xstrdup("seal");
    a->v[a->n++] = xstrdup("--wait-fd=3");
    if (o->quiet || o->json)
        a->v[a->n++] = xstrdup("--quiet");
    add(a, "sign-key", o->signer.key);
    add(a, "sign-cert", o->signer.cert);
    add(a, "passphrase-file", o->signer.passphrase_file);
    add(a, "passphrase-fd", o->signer.passphrase_fd >= 0 ? passphrase_fd : NULL);
    for (size_t i = 0; i < o->n_tsa; i++)
        add(a, "tsa", o->tsa[i]);
}

static int
spawn_seal(const struct acquire_options *o, struct sealing *s, int theirs, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-seal", err);
    const struct spawn_fd fds[] = {{theirs, WAIT_FD}, {o->signer.passphrase_fd, WAIT_FD + 1}};
    struct args args = {0};

    if (!path)
        return -1;
    args_of(o, &args);
    s->pid = spawn(path, args.v, fds, o->signer.passphrase_fd >= 0 ? 2 : 1, err);
    for (size_t i = 0; i < args.n; i++)
        free(args.v[i]);
    return s->pid < 0 ? -1 : 0;
}

/* One byte says that the key is good; another, and a text, why it is not. */
static int
wait_for_key(struct sealing *s, struct err *err)
{
    char answer[sizeof err->text + 1] = "";
    int status = 0;
    size_t n = 0;

    while (n < sizeof answer - 1 && answer[0] != 'r') {
        ssize_t r = read(s->fd, answer + n, sizeof answer - 1 - n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        n += (size_t)r;
    }
    if (answer[0] == 'r')
        return 0;
    if (spawn_wait(s->pid, &status, err) != 0)
        return -1;
    s->pid = 0;
    return err_set(err, status == OUTCOME_USAGE ? OUTCOME_USAGE : OUTCOME_FAILED, "%s",
                   n > 1 ? answer + 1 : "the image could not be signed");
}

int
sealing_start(const struct acquire_options *o, struct sealing **out, struct err *err)
{
    struct sealing *s;
    int pair[2];
    int r;

    *out = NULL;
    if (!o->signer.key && o->n_tsa == 0)
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_errno(err, "cannot make a socket");
    s = xcalloc(1, sizeof *s);
    s->fd = pair[0];
    r = spawn_seal(o, s, pair[1], err);
    (void)close(pair[1]);
    if (r == 0)
        r = wait_for_key(s, err);
    if (r != 0) {
        sealing_free(s);
        return -1;
    }
    *out = s;
    return 0;
}

/* The paths, each with its NUL; the end of the stream is the end of the list. */
bool
sealing_finish(struct sealing *s, const char *const *dests, size_t n)
{
    struct err err = ERR_INIT;
    int status = 0;

    for (size_t i = 0; i < n; i++)
        (void)send(s->fd, dests[i], strlen(dests[i]) + 1, MSG_NOSIGNAL);
    (void)shutdown(s->fd, SHUT_WR);
    if (spawn_wait(s->pid, &status, &err) != 0)
        return false;
    s->pid = 0;
    return status == 0;
}

void
sealing_free(struct sealing *s)
{
    struct err ignored = ERR_INIT;
    int status;

    if (!s)
        return;
    (void)close(s->fd);
    if (s->pid > 0)
        (void)spawn_wait(s->pid, &status, &ignored);
    free(s);
}
