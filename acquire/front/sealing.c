#include "acquire/front/sealing.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/size.h"
#include "common/spawn.h"
#include "common/text.h"

#define ARGS_MAX 64
#define FDS_MAX 5

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

/* What the child keeps besides the standard descriptors. */
struct handed {
    struct spawn_fd v[FDS_MAX];
    size_t n;
};

static bool
is_handed(const struct handed *h, int theirs)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->v[i].theirs == theirs)
            return true;
    }
    return false;
}

/* Under its own number, by which the options name it. */
static void
hand_over(struct handed *h, int fd)
{
    if (fd > STDERR_FILENO && !is_handed(h, fd))
        h->v[h->n++] = (struct spawn_fd){fd, fd};
}

/* A shell's <(command) is "/dev/fd/63": the name of a descriptor, of use only where it is open. */
static int
descriptor_named(const char *path)
{
    static const char *const places[] = {"/dev/fd/", "/proc/self/fd/"};
    struct err ignored = ERR_INIT;
    uint64_t n;

    for (size_t i = 0; path && i < sizeof places / sizeof places[0]; i++) {
        size_t length = strlen(places[i]);

        if (strncmp(path, places[i], length) == 0 &&
            number_parse(path + length, 0, INT16_MAX, "descriptor", &n, &ignored) == 0)
            return (int)n;
    }
    return -1;
}

/* Returns the number by which the child knows the socket. */
static int
descriptors_of(const struct signer_spec *signer, int theirs, struct handed *h)
{
    int number = STDERR_FILENO + 1;

    hand_over(h, signer->passphrase_fd);
    hand_over(h, descriptor_named(signer->passphrase_file));
    hand_over(h, descriptor_named(signer->key));
    hand_over(h, descriptor_named(signer->cert));
    while (is_handed(h, number))
        number++;
    h->v[h->n++] = (struct spawn_fd){theirs, number};
    return number;
}

static void
args_of(const struct acquire_options *o, int socket, struct args *a)
{
    AUTO_FREE char *passphrase_fd = xasprintf("%d", o->signer.passphrase_fd);

    a->v[a->n++] = xstrdup("seal");
    a->v[a->n++] = xasprintf("--wait-fd=%d", socket);
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
    struct handed fds = {0};
    struct args args = {0};

    if (!path)
        return -1;
    args_of(o, descriptors_of(&o->signer, theirs, &fds), &args);
    s->pid = spawn(path, args.v, fds.v, fds.n, err);
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
