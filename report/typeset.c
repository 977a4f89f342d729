#include "report/typeset.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/sandbox.h"
#include "common/spawn.h"
#include "common/text.h"

#define PROGRAM "weasyprint"
#define PDF_BYTES_MAX ((size_t)512 << 20)
#define TICK_MS 250
#define SECOND UINT64_C(1000000000)

/* Only absolute directories count: a report is also made in directories full of evidence. */
static char *
find_program(struct err *err)
{
    const char *path = getenv("PATH");

    if (!path)
        path = "/usr/local/bin:/usr/bin:/bin";
    while (*path) {
        size_t n = strcspn(path, ":");
        char *candidate = xasprintf("%.*s/%s", (int)n, path, PROGRAM);

        if (*path == '/' && access(candidate, X_OK) == 0)
            return candidate;
        free(candidate);
        path += n + (path[n] == ':');
    }
    (void)err_set(err, OUTCOME_FAILED,
                  "cannot make a PDF: the program '" PROGRAM "' is not installed; install the "
                  "package " PROGRAM ", or print the HTML report");
    return NULL;
}

/* A file in memory that holds the page: unlike a pipe, it needs nobody to feed it. */
static int
page_fd(const struct typeset_request *q, struct err *err)
{
    int fd = memfd_create("page", MFD_CLOEXEC);
    size_t done = 0;

    if (fd < 0)
        return err_errno(err, "cannot make a file in memory");
    while (done < q->n) {
        ssize_t n = write(fd, q->page + done, q->n - done);

        if (n <= 0) {
            (void)err_errno(err, "cannot write to a file in memory");
            (void)close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

static pid_t
start(const char *program, const struct typeset_request *q, int page, int *fd, struct err *err)
{
    struct sandbox_filter *filter = sandbox_offline_new(err);
    const char *argv[] = {PROGRAM,
                          "--quiet",
                          "--encoding",
                          "utf-8",
                          "--base-url",
                          "about:blank",
                          "--pdf-variant",
                          "pdf/a-3b",
                          "--pdf-identifier",
                          q->identifier,
                          "-",
                          "-",
                          NULL};
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int pipes[2];
    pid_t pid;

    if (!filter)
        return -1;
    if (null < 0 || pipe2(pipes, O_CLOEXEC) != 0) {
        sandbox_filter_free(filter);
        return err_errno(err, "cannot make a pipe");
    }
    struct spawn_fd fds[] = {
        {page, STDIN_FILENO}, {pipes[1], STDOUT_FILENO}, {null, STDERR_FILENO}};

    pid = spawn_as(program, (char *const *)argv, fds, sizeof fds / sizeof fds[0],
                   &(struct spawn_as){sandbox_filter_apply, filter}, err);
    sandbox_filter_free(filter);
    (void)close(pipes[1]);
    if (pid < 0)
        (void)close(pipes[0]);
    else
        *fd = pipes[0];
    return pid;
}

/* 1: there is something to read; -1: there will not be, in time. */
static int
await(const struct typeset_request *q, int fd, uint64_t deadline, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n;

        if (q->stop && *q->stop)
            return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
        n = poll(&p, 1, TICK_MS);
        if (n > 0)
            return 1;
        if (n < 0 && errno != EINTR)
            return err_errno(err, "cannot wait for " PROGRAM);
        if (clock_monotonic_ns() > deadline)
            return err_set(err, OUTCOME_FAILED,
                           "cannot make a PDF: " PROGRAM " was stopped after %u seconds",
                           q->deadline);
    }
}

static int
collect(const struct typeset_request *q, int fd, char **pdf, size_t *n, struct err *err)
{
    uint64_t deadline = clock_monotonic_ns() + q->deadline * SECOND;
    size_t room = 0;

    for (;;) {
        ssize_t got;

        if (await(q, fd, deadline, err) != 1)
            return -1;
        if (*n == room) {
            room = room ? 2 * room : (size_t)1 << 20;
            if (room > PDF_BYTES_MAX)
                return err_set(err, OUTCOME_FAILED, "cannot make a PDF: it would be too large");
            *pdf = xrealloc(*pdf, room, 1);
        }
        got = read(fd, *pdf + *n, room - *n);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return err_errno(err, "cannot read from " PROGRAM);
        *n += got > 0 ? (size_t)got : 0;
    }
}

static int
judge(const char *program, const char *pdf, size_t n, int status, struct err *err)
{
    if (status == 127)
        return err_set(err, OUTCOME_FAILED,
                       "cannot make a PDF: '%s' cannot be run; install the package " PROGRAM,
                       program);
    if (status != 0)
        return err_set(err, OUTCOME_FAILED, "cannot make a PDF: '%s' ended with status %d", program,
                       status);
    if (n < 8 || memcmp(pdf, "%PDF-", 5) != 0)
        return err_set(err, OUTCOME_FAILED, "cannot make a PDF: '%s' wrote something else",
                       program);
    return 0;
}

char *
typeset(const struct typeset_request *q, size_t *n, struct err *err)
{
    AUTO_FREE char *program = q->program ? xstrdup(q->program) : find_program(err);
    AUTO_FD int page = program ? page_fd(q, err) : -1;
    AUTO_FD int fd = -1;
    char *pdf = NULL;
    int status = 0;
    pid_t pid;
    int r;

    *n = 0;
    if (page < 0)
        return NULL;
    pid = start(program, q, page, &fd, err);
    if (pid < 0)
        return NULL;
    r = collect(q, fd, &pdf, n, err);
    if (r != 0)
        (void)kill(pid, SIGKILL);
    if (spawn_wait(pid, &status, r == 0 ? err : &(struct err)ERR_INIT) != 0)
        r = -1;
    if (r == 0)
        r = judge(program, pdf, *n, status, err);
    if (r == 0)
        return pdf;
    free(pdf);
    return NULL;
}
