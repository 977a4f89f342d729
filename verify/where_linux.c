#include "verify/where.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/parser_run.h"
#include "common/text.h"
#include "verify/aside.h"

/* Of an answer: a thousand files with their paths and a hundred ranges each stay below. */
#define ANSWER_MAX ((uint32_t)16 << 20)
#define TICK_MS 250
#define SECOND UINT64_C(1000000000)

struct where {
    struct aside aside;
};

struct images {
    const struct where_image *v;
    size_t n;
};

/* What goes before the ranges. */
struct header {
    uint64_t image;
    uint64_t sector_size;
    uint64_t media_size;
    uint64_t n;
};

static int
send_all(int fd, const void *data, size_t n)
{
    const char *p = data;

    while (n > 0) {
        ssize_t r = send(fd, p, n, MSG_NOSIGNAL);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return -1;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

/* --- the process that starts parsers -------------------------------------------------------- */

static int
recv_all(int fd, void *data, size_t n)
{
    char *p = data;

    while (n > 0) {
        ssize_t r = recv(fd, p, n, 0);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return -1;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

/* One question and its answer; -1 ends the process. */
static int
serve_one(int fd, const struct where_image *images, size_t n)
{
    struct range v[PARSER_RANGES_MAX] = {{0}};
    struct ranges set = {0};
    struct header h;
    AUTO_FREE char *text = NULL;
    json_t *answer;
    uint32_t length;

    if (recv_all(fd, &h, sizeof h) != 0 || h.image >= n || !images[h.image].path ||
        h.sector_size == 0 || h.sector_size > 1u << 20 || h.media_size > INT64_MAX ||
        h.n > PARSER_RANGES_MAX || recv_all(fd, v, (size_t)h.n * sizeof *v) != 0)
        return -1;
    for (size_t i = 0; i < h.n; i++)
        ranges_add(&set, v[i].offset, v[i].length);
    answer = where_files(&images[h.image], &(struct where_question){.sector_size = h.sector_size,
                                                                    .media_size = h.media_size,
                                                                    .set = &set});
    ranges_free(&set);
    text = json_to_line(answer);
    json_decref(answer);
    length = strlen(text) > ANSWER_MAX ? 0 : (uint32_t)strlen(text);
    return send_all(fd, &length, sizeof length) == 0 && send_all(fd, text, length) == 0 ? 0 : -1;
}

static void
serve(int fd, const void *with)
{
    const struct images *images = with;

    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    /* A parser that is at work then finds nobody to talk to, and ends. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (serve_one(fd, images->v, images->n) == 0)
        continue;
}

struct where *
where_start(const struct where_image *images, size_t n, struct err *err)
{
    const struct images with = {images, n};
    struct where *w = xcalloc(1, sizeof *w);

    if (aside_start(&w->aside, SOCK_STREAM, serve, &with, err) == 0)
        return w;
    free(w);
    return NULL;
}

void
where_end(struct where *w)
{
    if (!w)
        return;
    aside_end(&w->aside);
    free(w);
}

/* --- the side that asks --------------------------------------------------------------------- */

/* All n bytes by the deadline (monotonic ns), unless *stop. */
static int
await(const struct where *w, void *data, size_t n, uint64_t deadline, const atomic_bool *stop,
      struct err *err)
{
    char *p = data;

    while (n > 0) {
        struct pollfd poll_fd = {.fd = w->aside.fd, .events = POLLIN};
        int ready = poll(&poll_fd, 1, TICK_MS);
        ssize_t r;

        if (*stop)
            return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
        if (clock_monotonic_ns() > deadline)
            return err_set(err, OUTCOME_FAILED, "the parser did not come to an end");
        if (ready <= 0)
            continue;
        r = read(w->aside.fd, p, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return err_set(err, OUTCOME_FAILED, "the process that starts the parser has gone");
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

json_t *
where_ask(struct where *w, const struct where_question *q, const atomic_bool *stop, struct err *err)
{
    uint64_t deadline = clock_monotonic_ns() + (WHERE_SECONDS_MAX + 10) * SECOND;
    struct header h = {
        .image = q->image,
        .sector_size = q->sector_size,
        .media_size = q->media_size,
        .n = q->set->n < PARSER_RANGES_MAX ? q->set->n : PARSER_RANGES_MAX,
    };
    AUTO_FREE char *text = NULL;
    uint32_t length = 0;
    json_t *answer;

    if (send_all(w->aside.fd, &h, sizeof h) != 0 ||
        send_all(w->aside.fd, q->set->v, (size_t)h.n * sizeof *q->set->v) != 0) {
        (void)err_set(err, OUTCOME_FAILED, "the process that starts the parser has gone");
        return NULL;
    }
    if (await(w, &length, sizeof length, deadline, stop, err) != 0)
        return NULL;
    text = length > 0 && length <= ANSWER_MAX ? malloc(length) : NULL;
    if (!text) {
        (void)err_set(err, OUTCOME_FAILED, "the list of files is too long");
        return NULL;
    }
    if (await(w, text, length, deadline, stop, err) != 0)
        return NULL;
    answer = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(json_object_get(answer, "files"))) {
        json_decref(answer);
        (void)err_set(err, OUTCOME_FAILED, "the list of files cannot be understood");
        return NULL;
    }
    return answer;
}

static bool
lies_within(const json_t *file, const struct ranges *set)
{
    struct ranges own = {0};
    struct err ignored = ERR_INIT;
    bool hit = false;

    if (json_to_ranges(json_object_get(file, "ranges"), &own, &ignored) == 0) {
        for (size_t i = 0; i < own.n && !hit; i++)
            hit = ranges_overlap(set, own.v[i].offset, own.v[i].length);
    }
    ranges_free(&own);
    return hit;
}

json_t *
where_within(const json_t *answer, const struct ranges *set)
{
    json_t *within = json_array();
    json_t *file;
    size_t i;

    json_array_foreach(json_object_get(answer, "files"), i, file)
    {
        if (lies_within(file, set))
            (void)json_array_append(within, file);
    }
    return within;
}
