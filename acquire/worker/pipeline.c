#include "acquire/worker/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "acquire/job/mend.h"
#include "common/text.h"
#include "common/thread.h"

struct worker { /* one thread and what it works on */
    struct pipeline *p;
    size_t consumer; /* its place in the ring; lanes first, then sinks */
    union {
        struct lane *lane;
        struct pipeline_sink *sink;
        struct packer *packer;
    } on;
    pthread_t thread;
    bool started;
};

struct pipeline {
    struct pipeline_spec spec;
    struct ring *ring;
    struct reader *reader;
    struct worker *workers; /* reader, lanes, sinks, packers */
    size_t n_workers;
    atomic_uint_fast64_t done;
    pthread_mutex_t lock; /* guards failed, err and sinks_left */
    bool failed;
    struct err err;
    size_t sinks_left;
    uint64_t pack_from; /* no sink wants the media before */
};

/* The first failure is the one that is told. */
static void
fail(struct pipeline *p, const struct err *err)
{
    (void)pthread_mutex_lock(&p->lock);
    if (!p->failed) {
        p->failed = true;
        p->err = *err;
    }
    (void)pthread_mutex_unlock(&p->lock);
    ring_abort(p->ring);
}

static void *
run_reader(void *arg)
{
    struct pipeline *p = ((struct worker *)arg)->p;
    uint64_t at = 0;

    while (at < p->spec.reader.length) {
        struct err err = ERR_INIT;
        struct block *b = ring_reserve(p->ring);
        ssize_t n;

        if (!b)
            return NULL;
        n = reader_fill(p->reader, b->data, PIPELINE_BLOCK_SIZE, at, &err);
        if (n < 0) {
            fail(p, &err);
            return NULL;
        }
        b->offset = at;
        b->length = (size_t)n;
        at += (uint64_t)n;
        ring_publish(p->ring);
        atomic_store(&p->done, at);
    }
    ring_finish(p->ring);
    return NULL;
}

static bool
has_failed(struct pipeline *p)
{
    bool failed;

    (void)pthread_mutex_lock(&p->lock);
    failed = p->failed;
    (void)pthread_mutex_unlock(&p->lock);
    return failed;
}

static void *
run_lane(void *arg)
{
    struct worker *w = arg;
    const struct block *b;

    while ((b = ring_next(w->p->ring, w->consumer)) != NULL) {
        lane_feed(w->on.lane, b->data, b->length);
        ring_release(w->p->ring, w->consumer);
    }
    /* What a stop cut off is no piece, and its digest no one's. */
    if (!has_failed(w->p))
        lane_end(w->on.lane);
    return NULL;
}

static void *
run_packer(void *arg)
{
    struct worker *w = arg;
    struct block *b;

    /* The lanes must take every block, a packer any: what is left of the cores is for these. */
    thread_give_way();
    while ((b = ring_take_unpacked(w->p->ring)) != NULL) {
        if (b->offset + b->length > w->p->pack_from)
            packer_pack(w->on.packer, b);
        ring_packed(w->p->ring, b);
    }
    return NULL;
}

void
pipeline_sink_drop(struct pipeline_sink *s)
{
    if (mend_can(s->err.sys))
        s->err.outcome = OUTCOME_INTERRUPTED;
    s->failed = true;
}

/* With the last sink goes the job. */
static void
drop_sink(struct pipeline *p, struct pipeline_sink *s)
{
    bool last;

    pipeline_sink_drop(s);
    (void)pthread_mutex_lock(&p->lock);
    last = --p->sinks_left == 0;
    (void)pthread_mutex_unlock(&p->lock);
    if (last)
        fail(p, &s->err);
}

static void *
run_sink(void *arg)
{
    struct worker *w = arg;
    struct pipeline_sink *s = w->on.sink;
    const struct block *b;

    while ((b = ring_next(w->p->ring, w->consumer)) != NULL) {
        if (!s->failed && b->offset + b->length > s->sink->from &&
            s->sink->ops->put(s->sink, b, &s->err) != 0)
            drop_sink(w->p, s);
        ring_release(w->p->ring, w->consumer);
    }
    return NULL;
}

static int
start(struct pipeline *p, void *(*run)(void *), struct worker with, struct err *err)
{
    struct worker *w = &p->workers[p->n_workers++];

    *w = with;
    w->p = p;
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        return err_set(err, OUTCOME_FAILED, "cannot start a thread");
    w->started = true;
    return 0;
}

static int
start_packers(struct pipeline *p, struct err *err)
{
    for (unsigned i = 0; p->spec.pack && i < p->spec.n_packers; i++) {
        struct packer *packer = packer_new(p->spec.compression, p->spec.chunk_size, err);

        if (!packer)
            return -1;
        if (start(p, run_packer, (struct worker){.on.packer = packer}, err) != 0)
            return -1;
    }
    return 0;
}

static int
start_all(struct pipeline *p, struct err *err)
{
    size_t consumer = 0;

    if (start(p, run_reader, (struct worker){0}, err) != 0)
        return -1;
    for (size_t i = 0; i < p->spec.n_lanes; i++) {
        struct worker w = {.consumer = consumer++, .on.lane = p->spec.lanes[i]};

        if (start(p, run_lane, w, err) != 0)
            return -1;
    }
    for (size_t i = 0; i < p->spec.n_sinks; i++) {
        struct worker w = {.consumer = consumer++, .on.sink = &p->spec.sinks[i]};

        if (start(p, run_sink, w, err) != 0)
            return -1;
    }
    return start_packers(p, err);
}

/* Each packer has one block at hand and one that waits for those before it. */
static size_t
rooms(const struct pipeline_spec *spec)
{
    size_t n = (size_t)2 * spec->n_packers;

    return n > PIPELINE_ROOMS ? n : PIPELINE_ROOMS;
}

struct pipeline *
pipeline_start(const struct pipeline_spec *spec, struct err *err)
{
    struct pipeline *p = xcalloc(1, sizeof *p);
    struct ring_spec ring = {
        .n_blocks = spec->pack ? PIPELINE_BLOCKS_PACKED : PIPELINE_BLOCKS,
        .block_size = PIPELINE_BLOCK_SIZE,
        .n_lanes = spec->n_lanes,
        .n_sinks = spec->n_sinks,
        .chunk_size = spec->pack ? spec->chunk_size : 0,
        .n_rooms = rooms(spec),
    };

    p->spec = *spec;
    p->sinks_left = spec->n_sinks;
    p->pack_from = spec->n_sinks > 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < spec->n_sinks; i++) {
        if (spec->sinks[i].sink->from < p->pack_from)
            p->pack_from = spec->sinks[i].sink->from;
    }
    (void)pthread_mutex_init(&p->lock, NULL);
    p->reader = reader_new(&spec->reader);
    p->workers = xcalloc(1 + spec->n_lanes + spec->n_sinks + spec->n_packers, sizeof *p->workers);
    p->ring = ring_new(&ring, err);
    if (!p->ring || start_all(p, err) != 0) {
        pipeline_free(p);
        return NULL;
    }
    return p;
}

void
pipeline_stop(struct pipeline *p)
{
    struct err err = ERR_INIT;

    (void)err_set(&err, OUTCOME_INTERRUPTED, "interrupted");
    fail(p, &err);
}

uint64_t
pipeline_bytes_done(const struct pipeline *p)
{
    return atomic_load(&p->done);
}

static void
join_all(struct pipeline *p)
{
    for (size_t i = 0; i < p->n_workers; i++) {
        if (p->workers[i].started)
            (void)pthread_join(p->workers[i].thread, NULL);
        p->workers[i].started = false;
    }
}

int
pipeline_wait(struct pipeline *p, struct err *err)
{
    bool failed;

    join_all(p);
    (void)pthread_mutex_lock(&p->lock); /* pipeline_stop() may still come */
    failed = p->failed;
    if (failed)
        *err = p->err;
    (void)pthread_mutex_unlock(&p->lock);
    return failed ? -1 : 0;
}

const struct ranges *
pipeline_unreadable(const struct pipeline *p)
{
    return reader_unreadable(p->reader);
}

void
pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    if (p->ring)
        ring_abort(p->ring);
    join_all(p);
    /* The zero chunks of a block point into a packer, so the packers go last. */
    for (size_t i = 1 + p->spec.n_lanes + p->spec.n_sinks; i < p->n_workers; i++)
        packer_free(p->workers[i].on.packer);
    ring_free(p->ring);
    reader_free(p->reader);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p);
}
