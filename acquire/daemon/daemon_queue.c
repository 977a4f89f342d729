#include "acquire/daemon/daemon_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct queue {
    struct queue_limits limits;
    struct daemon_job **jobs; /* by ascending id */
    size_t n, room;
    uint64_t last_id;
};

struct queue *
queue_new(const struct queue_limits *limits)
{
    struct queue *q = xcalloc(1, sizeof *q);

    q->limits = *limits;
    return q;
}

void
queue_free(struct queue *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->n; i++)
        daemon_job_free(q->jobs[i]);
    free((void *)q->jobs);
    free(q);
}

void
queue_skip(struct queue *q, uint64_t id)
{
    if (id > q->last_id && id < JOB_ID_MAX)
        q->last_id = id;
}

void
queue_add(struct queue *q, struct daemon_job *job)
{
    size_t i;

    if (q->n == q->room) {
        q->room = q->room ? 2 * q->room : 16;
        q->jobs = xrealloc((void *)q->jobs, q->room, sizeof(struct daemon_job *));
    }
    if (job->facts.id == 0)
        job->facts.id = q->last_id + 1;
    queue_skip(q, job->facts.id);
    for (i = q->n++; i > 0 && q->jobs[i - 1]->facts.id > job->facts.id; i--)
        q->jobs[i] = q->jobs[i - 1];
    q->jobs[i] = job;
}

static bool
has_ended(const struct daemon_job *job)
{
    return job_state_is_end((enum job_state)job->facts.state) && !job->discarder;
}

static size_t
count(const struct queue *q, uid_t uid, bool ended)
{
    size_t n = 0;

    for (size_t i = 0; i < q->n; i++)
        n += q->jobs[i]->facts.uid == uid && has_ended(q->jobs[i]) == ended;
    return n;
}

bool
queue_has_room(const struct queue *q, uid_t uid)
{
    return count(q, uid, false) < q->limits.per_user;
}

static bool
may_see(const struct daemon_job *job, uid_t viewer)
{
    return viewer == 0 || job->facts.uid == viewer;
}

struct daemon_job *
queue_find(const struct queue *q, uint64_t id, uid_t viewer)
{
    for (size_t i = 0; i < q->n; i++) {
        if (q->jobs[i]->facts.id == id)
            return may_see(q->jobs[i], viewer) ? q->jobs[i] : NULL;
    }
    return NULL;
}

struct daemon_job *
queue_after(const struct queue *q, uint64_t id, uid_t viewer)
{
    for (size_t i = 0; i < q->n; i++) {
        if (q->jobs[i]->facts.id > id && may_see(q->jobs[i], viewer))
            return q->jobs[i];
    }
    return NULL;
}

size_t
queue_count(const struct queue *q)
{
    return q->n;
}

struct daemon_job *
queue_at(const struct queue *q, size_t i)
{
    return q->jobs[i];
}

size_t
queue_running(const struct queue *q)
{
    size_t n = 0;

    for (size_t i = 0; i < q->n; i++)
        n += q->jobs[i]->run != NULL;
    return n;
}

static size_t
running_of(const struct queue *q, uint32_t uid)
{
    size_t n = 0;

    for (size_t i = 0; i < q->n; i++)
        n += q->jobs[i]->facts.uid == uid && q->jobs[i]->run;
    return n;
}

/* Whether a goes before b, which has the smaller id. */
static bool
goes_before(const struct queue *q, const struct daemon_job *a, const struct daemon_job *b)
{
    if (a->urgent != b->urgent)
        return a->urgent;
    return running_of(q, a->facts.uid) < running_of(q, b->facts.uid);
}

struct daemon_job *
queue_next(const struct queue *q)
{
    struct daemon_job *next = NULL;

    if (queue_running(q) >= q->limits.parallel)
        return NULL;
    for (size_t i = 0; i < q->n; i++) {
        struct daemon_job *job = q->jobs[i];

        if (job->facts.state == JOB_QUEUED && !job->waits_for_left &&
            (!next || goes_before(q, job, next)))
            next = job;
    }
    return next;
}

void
queue_remove(struct queue *q, const struct daemon_job *job)
{
    size_t at = 0;

    while (at < q->n && q->jobs[at] != job)
        at++;
    if (at < q->n)
        memmove((void *)&q->jobs[at], (void *)&q->jobs[at + 1],
                (--q->n - at) * sizeof(struct daemon_job *));
}

struct daemon_job *
queue_forget(struct queue *q)
{
    struct daemon_job *oldest = NULL;

    for (size_t i = 0; i < q->n; i++) {
        struct daemon_job *job = q->jobs[i];

        if (!has_ended(job) || count(q, job->facts.uid, true) <= q->limits.ended ||
            (oldest && oldest->facts.finished <= job->facts.finished))
            continue;
        oldest = job;
    }
    if (oldest)
        queue_remove(q, oldest);
    return oldest;
}
