#include "acquire/front/readback.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "acquire/front/run.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/spawn.h"
#include "common/text.h"

#define DOCUMENT_MAX ((size_t)256 << 20)

struct stream {
    int fd; /* -1 at its end */
    char *data;
    size_t n;
    size_t cap;
};

struct reading {
    struct stream out;  /* the document */
    struct stream line; /* standard error: progress lines, and words */
    char words[512];    /* the last thing said there that was not progress */
    const struct readback *spec;
};

/* With the front gone nobody waits for the result. */
static int
die_with_parent(const void *unused)
{
    (void)unused;
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static pid_t
start(const char *path, unsigned threads, int out, int errors, struct err *err)
{
    AUTO_FREE char *program = spawn_program_path("exhibit-verify", err);
    AUTO_FREE char *count = xasprintf("%u", threads);
    char *argv[] = {
        (char[]){"exhibit-verify"},
        (char[]){"--json"},
        (char[]){"--from-medium"},
        (char[]){"--progress"},
        (char[]){"json"},
        (char[]){"--threads"},
        count,
        (char[]){"--"},
        (char *)(uintptr_t)path,
        NULL,
    };
    struct spawn_as as = {.drop = die_with_parent};
    struct spawn_fd map[] = {
        {.ours = out, .theirs = STDOUT_FILENO},
        {.ours = errors, .theirs = STDERR_FILENO},
    };

    return program ? spawn_as(program, argv, map, 2, &as, err) : -1;
}

/* 1: something came; 0: the end. */
static int
take_in(struct stream *s, struct err *err)
{
    ssize_t r;

    if (s->cap - s->n < 4096) {
        s->cap = s->cap * 2 + 65536;
        s->data = xrealloc(s->data, s->cap, 1);
    }
    r = read(s->fd, s->data + s->n, s->cap - s->n - 1);
    if (r < 0 && errno == EINTR)
        return 1;
    if (r < 0)
        return err_errno(err, "cannot hear exhibit-verify");
    s->n += (size_t)r;
    s->data[s->n] = '\0';
    if (s->n > DOCUMENT_MAX)
        return err_set(err, OUTCOME_FAILED, "exhibit-verify says too much");
    if (r == 0) {
        (void)close(s->fd);
        s->fd = -1;
    }
    return r > 0;
}

static void
hear_line(struct reading *r, const char *line)
{
    json_t *m = *line == '{' ? json_loads(line, 0, NULL) : NULL;
    struct err ignored = ERR_INIT;
    uint64_t done;
    uint64_t total;

    if (m && json_get_u64(m, "bytes_done", &done, &ignored) == 0 &&
        json_get_u64(m, "bytes_total", &total, &ignored) == 0)
        progress_update(r->spec->progress, "verify", done, total, r->spec->unreadable);
    else
        (void)snprintf(r->words, sizeof r->words, "%s", line);
    json_decref(m);
}

static void
hear_lines(struct reading *r)
{
    struct stream *s = &r->line;
    char *start_of = s->data;
    char *nl;

    while (s->data && (nl = memchr(start_of, '\n', s->n - (size_t)(start_of - s->data))) != NULL) {
        *nl = '\0';
        hear_line(r, start_of);
        start_of = nl + 1;
    }
    if (!s->data)
        return;
    s->n -= (size_t)(start_of - s->data);
    memmove(s->data, start_of, s->n + 1);
}

/* A signal that was meant for the job is passed on: exhibit-verify then ends by itself. */
static int
listen_to(struct reading *r, pid_t pid, struct err *err)
{
    sigset_t none;

    (void)sigemptyset(&none);
    while (r->out.fd >= 0 || r->line.fd >= 0) {
        struct pollfd p[2] = {
            {.fd = r->out.fd, .events = POLLIN},
            {.fd = r->line.fd, .events = POLLIN},
        };

        if (ppoll(p, 2, NULL, &none) < 0) {
            if (errno != EINTR)
                return err_errno(err, "cannot hear exhibit-verify");
            if (run_was_interrupted())
                (void)kill(pid, SIGTERM);
            continue;
        }
        if (p[0].revents && take_in(&r->out, err) < 0)
            return -1;
        if (p[1].revents && take_in(&r->line, err) < 0)
            return -1;
        hear_lines(r);
    }
    return 0;
}

static json_t *
document_of(const struct reading *r, int status, struct err *err)
{
    json_t *v = NULL;

    if ((status == 0 || status == OUTCOME_FINDINGS) && r->out.data)
        v = json_loadb(r->out.data, r->out.n, JSON_REJECT_DUPLICATES, NULL);
    if (v && json_is_object(v) && json_text_or_null(v, "verdict"))
        return v;
    json_decref(v);
    if (status > 128)
        (void)err_set(err, OUTCOME_FAILED,
                      "it could not be read back: exhibit-verify was ended by signal %d",
                      status - 128);
    else
        (void)err_set(err, status == OUTCOME_INTERRUPTED ? OUTCOME_INTERRUPTED : OUTCOME_FAILED,
                      "it could not be read back: %s",
                      r->words[0] ? r->words : "exhibit-verify ended without a result");
    return NULL;
}

json_t *
readback_run(const struct readback *spec, struct err *err)
{
    struct reading r = {.out.fd = -1, .line.fd = -1, .spec = spec};
    int out[2];
    int errors[2];
    json_t *v = NULL;
    int status = 1;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0) {
        (void)err_errno(err, "cannot make a pipe");
        return NULL;
    }
    pid = start(spec->path, spec->threads, out[1], errors[1], err);
    (void)close(out[1]);
    (void)close(errors[1]);
    r.out.fd = out[0];
    r.line.fd = errors[0];
    if (pid > 0 && listen_to(&r, pid, err) == 0 && spawn_wait(pid, &status, err) == 0)
        v = document_of(&r, status, err);
    if (r.out.fd >= 0)
        (void)close(r.out.fd);
    if (r.line.fd >= 0)
        (void)close(r.line.fd);
    free(r.out.data);
    free(r.line.data);
    return v;
}
