#include "common/parser_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/spawn.h"
#include "common/text.h"

/* A message with ten histograms stays far below the first; a table of 2,048 rows below the second.
 */
#define LINE_BYTES_MAX ((size_t)256 << 10)
#define RUN_BYTES_MAX ((size_t)64 << 20)

/* The parser reports progress all the time; after this long without a word, it hangs. */
#define SILENCE_MAX 120u

#define TICK_MS 250
#define SECOND UINT64_C(1000000000)

struct run {
    const struct parser_request *request;
    parser_reply *reply;
    void *arg;
    struct parser_result *result;
    int fd;
    char *buf; /* LINE_BYTES_MAX */
    size_t used;
    size_t total;
    bool ended;        /* the last message came */
    uint64_t deadline; /* monotonic ns */
    uint64_t heard;    /* monotonic ns of the last bytes */
};

static void
finish(struct run *r, enum parser_end end, const char *text)
{
    r->result->end = end;
    (void)snprintf(r->result->text, sizeof r->result->text, "%s", text);
}

/* false: no further message is wanted */
static bool
take_line(struct run *r, const char *line, size_t n)
{
    struct err err = ERR_INIT;
    json_t *message = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = message ? json_text_or_null(message, "kind") : NULL;
    bool more = false;

    if (!kind || r->ended) {
        finish(r, PARSER_NONSENSE, "the parser sent a line that is no message");
    } else if (strcmp(kind, "end") == 0) {
        r->ended = true;
        more = true;
    } else if (strcmp(kind, "error") == 0) {
        const char *text = json_text_or_null(message, "text");

        finish(r, PARSER_FAILED, text ? text : "the parser failed");
    } else if (r->reply(r->arg, kind, message, &err) != 0) {
        (void)err_context(&err, "the parser sent a bad message of kind '%.32s'", kind);
        finish(r, PARSER_NONSENSE, err.text);
    } else {
        more = true;
    }
    json_decref(message);
    return more;
}

static bool
take_lines(struct run *r)
{
    char *line = r->buf;
    char *end;

    while ((end = memchr(line, '\n', r->used - (size_t)(line - r->buf)))) {
        if (!take_line(r, line, (size_t)(end - line)))
            return false;
        line = end + 1;
    }
    r->used -= (size_t)(line - r->buf);
    memmove(r->buf, line, r->used);
    if (r->used == LINE_BYTES_MAX || r->total > RUN_BYTES_MAX) {
        finish(r, PARSER_NONSENSE, "the parser sent more than it may");
        return false;
    }
    return true;
}

/* Waits for bytes: 1 if there are some, 0 if the run is over (result says why), -1 on *stop. */
static int
await(struct run *r, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = r->fd, .events = POLLIN};
        uint64_t now;
        int n;

        if (r->request->stop && *r->request->stop)
            return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
        n = poll(&p, 1, TICK_MS);
        if (n > 0)
            return 1;
        if (n < 0 && errno != EINTR)
            return err_errno(err, "cannot wait for the parser");
        now = clock_monotonic_ns();
        if (now > r->deadline || now - r->heard > SILENCE_MAX * SECOND) {
            (void)snprintf(r->result->text, sizeof r->result->text,
                           "the parser did not come to an end and was stopped after %u seconds",
                           now > r->deadline ? r->request->deadline : SILENCE_MAX);
            r->result->end = PARSER_TIMED_OUT;
            return 0;
        }
    }
}

/* Reads until the end of the pipe, or until there is nothing more to wait for. */
static int
listen_to(struct run *r, struct err *err)
{
    for (;;) {
        int ready = await(r, err);
        ssize_t n;

        if (ready <= 0)
            return ready;
        n = read(r->fd, r->buf + r->used, LINE_BYTES_MAX - r->used);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return err_errno(err, "cannot read from the parser");
        if (n == 0)
            return 0;
        r->used += (size_t)n;
        r->total += (size_t)n;
        r->heard = clock_monotonic_ns();
        if (r->heard > r->deadline) { /* it keeps talking, past its time */
            finish(r, PARSER_TIMED_OUT, "the parser did not come to an end in its time");
            return 0;
        }
        if (!take_lines(r))
            return 0;
    }
}

/* "OFFSET:LENGTH,OFFSET:LENGTH…", or "-". */
static char *
ranges_text(const struct ranges *set)
{
    size_t cap = 64 * (PARSER_RANGES_MAX + 1);
    char *text;
    size_t n = 0;

    if (!set || set->n == 0)
        return xstrdup("-");
    text = xcalloc(cap, 1);
    for (size_t i = 0; i < set->n && i < PARSER_RANGES_MAX; i++)
        n += (size_t)snprintf(text + n, cap - n, "%s%" PRIu64 ":%" PRIu64, i > 0 ? "," : "",
                              set->v[i].offset, set->v[i].length);
    return text;
}

static pid_t
start(const struct parser_request *q, int *fd, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-parser", err);
    AUTO_FREE char *sector = xasprintf("%" PRIu32, q->sector_size);
    AUTO_FREE char *from = xasprintf("%" PRIu64, q->start);
    AUTO_FREE char *length = xasprintf("%" PRIu64, q->length);
    /* A second line, behind the deadline itself: it ends a parser whose parent is gone. */
    AUTO_FREE char *cpu = xasprintf("%" PRIu64, (uint64_t)q->deadline + 2);
    AUTO_FREE char *examine = xasprintf("%" PRIu64, q->examine_max);
    AUTO_FREE char *ranges = ranges_text(q->ranges);
    /* execv() takes pointers to char for historical reasons and changes nothing. */
    const char *argv[] = {"exhibit-parser",
                          "--",
                          q->mode,
                          q->image,
                          q->manifest ? q->manifest : "-",
                          sector,
                          from,
                          length,
                          q->lenient ? "lenient" : "strict",
                          cpu,
                          examine,
                          ranges,
                          NULL};
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int pipes[2];
    pid_t pid;

    if (!path)
        return -1;
    if (null < 0 || pipe2(pipes, O_CLOEXEC) != 0)
        return err_errno(err, "cannot make a pipe to the parser");
    /* What libtsk prints on its own would carry evidence text to the terminal. */
    struct spawn_fd fds[] = {
        {null, STDIN_FILENO}, {pipes[1], STDOUT_FILENO}, {null, STDERR_FILENO}};

    pid = spawn(path, (char *const *)argv, fds, sizeof fds / sizeof fds[0], err);
    (void)close(pipes[1]);
    if (pid < 0)
        (void)close(pipes[0]);
    else
        *fd = pipes[0];
    return pid;
}

/* How the process ended decides only where its messages have not. */
static void
judge(struct run *r, int status)
{
    char text[128];

    if (r->result->end != PARSER_DONE)
        return;
    if (r->ended && status == 0)
        return;
    if (status > 128)
        (void)snprintf(text, sizeof text, "the parser was ended by signal %d (%s)", status - 128,
                       sigabbrev_np(status - 128) ? sigabbrev_np(status - 128) : "?");
    else
        (void)snprintf(text, sizeof text, "the parser ended early with status %d", status);
    finish(r, status == 128 + SIGXCPU ? PARSER_TIMED_OUT : PARSER_CRASHED, text);
}

int
parser_run(const struct parser_request *request, parser_reply *reply, void *arg,
           struct parser_result *result, struct err *err)
{
    AUTO_FD int fd = -1;
    AUTO_FREE char *buf = xcalloc(LINE_BYTES_MAX, 1);
    struct run r = {.request = request, .reply = reply, .arg = arg, .result = result, .buf = buf};
    int status = 0;
    pid_t pid;
    int got;

    *result = (struct parser_result){.end = PARSER_DONE};
    pid = start(request, &fd, err);
    if (pid < 0)
        return -1;
    r.fd = fd;
    r.heard = clock_monotonic_ns();
    r.deadline = r.heard + request->deadline * SECOND;
    got = listen_to(&r, err);
    /* An honest parser holds the pipe until it exits, and a kill then changes nothing; one that has
       been taken over may close it and stay. */
    (void)kill(pid, SIGKILL);
    if (spawn_wait(pid, &status, err) != 0)
        return -1;
    judge(&r, status);
    return got;
}
