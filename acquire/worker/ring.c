#include "acquire/worker/ring.h"

#include <pthread.h>

#include "acquire/worker/source.h"
#include "common/text.h"

struct consumer {
    uint64_t next; /* sequence number of the block it holds or waits for */
    bool waiting;  /* sleeps on wake */
    pthread_cond_t wake;
};

struct ring {
    struct block *blocks;
    size_t n_blocks;
    size_t n_consumers;
    pthread_mutex_t lock; /* guards everything below */
    struct consumer *consumers;
    pthread_cond_t room;    /* for the filling side */
    pthread_cond_t to_pack; /* for the packers */
    uint64_t published;     /* blocks published so far: their sequence numbers are below */
    uint64_t taken;         /* blocks taken by packers */
    bool room_wanted;
    bool finished;
    bool aborted;
};

static int
block_init(struct block *b, const struct ring_spec *spec)
{
    void *data = NULL;

    if (posix_memalign(&data, SOURCE_ALIGNMENT, spec->block_size) != 0)
        return -1;
    b->data = data;
    if (spec->chunk_size == 0)
        return 0;
    b->packed = malloc(spec->block_size);
    b->chunks = calloc(spec->block_size / spec->chunk_size + 1, sizeof *b->chunks);
    return b->packed && b->chunks ? 0 : -1;
}

struct ring *
ring_new(const struct ring_spec *spec, struct err *err)
{
    struct ring *r = xcalloc(1, sizeof *r);

    r->n_blocks = spec->n_blocks;
    r->n_consumers = spec->n_consumers;
    r->blocks = xcalloc(spec->n_blocks, sizeof *r->blocks);
    r->consumers = xcalloc(spec->n_consumers, sizeof *r->consumers);
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->room, NULL);
    (void)pthread_cond_init(&r->to_pack, NULL);
    for (size_t i = 0; i < spec->n_consumers; i++)
        (void)pthread_cond_init(&r->consumers[i].wake, NULL);
    for (size_t i = 0; i < spec->n_blocks; i++) {
        if (block_init(&r->blocks[i], spec) != 0) {
            (void)err_set(err, OUTCOME_FAILED, "not enough memory for %zu blocks of %zu bytes",
                          spec->n_blocks, spec->block_size);
            ring_free(r);
            return NULL;
        }
    }
    return r;
}

void
ring_free(struct ring *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_blocks; i++) {
        free(r->blocks[i].data);
        free(r->blocks[i].packed);
        free(r->blocks[i].chunks);
    }
    for (size_t i = 0; i < r->n_consumers; i++)
        (void)pthread_cond_destroy(&r->consumers[i].wake);
    (void)pthread_cond_destroy(&r->room);
    (void)pthread_cond_destroy(&r->to_pack);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->consumers);
    free(r->blocks);
    free(r);
}

static struct block *
block_at(struct ring *r, uint64_t seq)
{
    return &r->blocks[seq % r->n_blocks];
}

/* The lowest sequence number that some consumer still needs. */
static uint64_t
oldest_needed(const struct ring *r)
{
    uint64_t oldest = r->published;

    for (size_t i = 0; i < r->n_consumers; i++) {
        if (r->consumers[i].next < oldest)
            oldest = r->consumers[i].next;
    }
    return oldest;
}

static void
wake_consumers(struct ring *r)
{
    for (size_t i = 0; i < r->n_consumers; i++) {
        if (r->consumers[i].waiting)
            (void)pthread_cond_signal(&r->consumers[i].wake);
    }
}

struct block *
ring_reserve(struct ring *r)
{
    struct block *b = NULL;

    (void)pthread_mutex_lock(&r->lock);
    while (!r->aborted && r->published - oldest_needed(r) == r->n_blocks) {
        r->room_wanted = true;
        (void)pthread_cond_wait(&r->room, &r->lock);
    }
    r->room_wanted = false;
    if (!r->aborted) {
        b = block_at(r, r->published);
        b->is_packed = false;
        b->n_chunks = 0;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return b;
}

void
ring_publish(struct ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->published++;
    (void)pthread_cond_signal(&r->to_pack);
    wake_consumers(r);
    (void)pthread_mutex_unlock(&r->lock);
}

void
ring_finish(struct ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->finished = true;
    (void)pthread_cond_broadcast(&r->to_pack);
    wake_consumers(r);
    (void)pthread_mutex_unlock(&r->lock);
}

const struct block *
ring_next(struct ring *r, size_t c, bool need_packed)
{
    struct consumer *me = &r->consumers[c];
    const struct block *b = NULL;

    (void)pthread_mutex_lock(&r->lock);
    for (;;) {
        bool there = me->next < r->published;

        if (r->aborted || (!there && r->finished))
            break;
        if (there && (!need_packed || block_at(r, me->next)->is_packed)) {
            b = block_at(r, me->next);
            break;
        }
        me->waiting = true;
        (void)pthread_cond_wait(&me->wake, &r->lock);
        me->waiting = false;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return b;
}

void
ring_release(struct ring *r, size_t c)
{
    (void)pthread_mutex_lock(&r->lock);
    r->consumers[c].next++;
    if (r->room_wanted)
        (void)pthread_cond_signal(&r->room);
    (void)pthread_mutex_unlock(&r->lock);
}

struct block *
ring_take_unpacked(struct ring *r)
{
    struct block *b = NULL;

    (void)pthread_mutex_lock(&r->lock);
    while (!r->aborted && r->taken == r->published && !r->finished)
        (void)pthread_cond_wait(&r->to_pack, &r->lock);
    if (!r->aborted && r->taken < r->published)
        b = block_at(r, r->taken++);
    (void)pthread_mutex_unlock(&r->lock);
    return b;
}

void
ring_packed(struct ring *r, struct block *b)
{
    (void)pthread_mutex_lock(&r->lock);
    b->is_packed = true;
    wake_consumers(r);
    (void)pthread_mutex_unlock(&r->lock);
}

void
ring_abort(struct ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->aborted = true;
    (void)pthread_cond_broadcast(&r->room);
    (void)pthread_cond_broadcast(&r->to_pack);
    for (size_t i = 0; i < r->n_consumers; i++)
        (void)pthread_cond_broadcast(&r->consumers[i].wake);
    (void)pthread_mutex_unlock(&r->lock);
}
