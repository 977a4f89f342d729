#include "acquire/worker/gate.h"

#include <errno.h>
#include <pthread.h>

#include "common/clock.h"
#include "common/text.h"

struct gate {
    struct source base;
    struct source *next;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t opened;
    bool paused, stopped;
    bool reading;
    uint64_t offset; /* of the read under way */
    uint64_t since;  /* monotonic ns */
};

static bool
enter(struct gate *g, uint64_t offset)
{
    bool let_in;

    (void)pthread_mutex_lock(&g->lock);
    while (g->paused && !g->stopped)
        (void)pthread_cond_wait(&g->opened, &g->lock);
    let_in = !g->stopped;
    g->reading = let_in;
    g->offset = offset;
    g->since = clock_monotonic_ns();
    (void)pthread_mutex_unlock(&g->lock);
    return let_in;
}

static void
leave(struct gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->reading = false;
    (void)pthread_mutex_unlock(&g->lock);
}

static ssize_t
gate_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    struct gate *g = (struct gate *)s;
    ssize_t got;
    int saved;

    if (!enter(g, offset)) {
        errno = ECANCELED;
        return -1;
    }
    got = source_pread(g->next, buf, n, offset);
    saved = errno;
    leave(g);
    errno = saved;
    return got;
}

static void
gate_close(struct source *s)
{
    struct gate *g = (struct gate *)s;

    source_close(g->next);
    (void)pthread_cond_destroy(&g->opened);
    (void)pthread_mutex_destroy(&g->lock);
    free(g);
}

static const struct source_ops gate_ops = {.pread = gate_pread, .close = gate_close};

struct gate *
gate_new(struct source *next)
{
    struct gate *g = xcalloc(1, sizeof *g);

    g->base.ops = &gate_ops;
    g->next = next;
    (void)pthread_mutex_init(&g->lock, NULL);
    (void)pthread_cond_init(&g->opened, NULL);
    return g;
}

struct source *
gate_source(struct gate *g)
{
    return &g->base;
}

void
gate_pause(struct gate *g, bool paused)
{
    (void)pthread_mutex_lock(&g->lock);
    g->paused = paused;
    (void)pthread_cond_broadcast(&g->opened);
    (void)pthread_mutex_unlock(&g->lock);
}

void
gate_stop(struct gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->stopped = true;
    (void)pthread_cond_broadcast(&g->opened);
    (void)pthread_mutex_unlock(&g->lock);
}

bool
gate_waiting(struct gate *g, uint64_t *offset, uint64_t *ms)
{
    bool reading;

    (void)pthread_mutex_lock(&g->lock);
    reading = g->reading;
    *offset = g->offset;
    *ms = reading ? (clock_monotonic_ns() - g->since) / 1000000 : 0;
    (void)pthread_mutex_unlock(&g->lock);
    return reading;
}
