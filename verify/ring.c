#include "verify/ring.h"

#include <errno.h>
#include <pthread.h>

#include "common/text.h"

struct slot {
    struct block block;
    bool filled;    /* under the lock */
    size_t pending; /* lanes that have not done it; under the lock */
};

struct ring {
    const struct image *image;
    size_t n_blocks;
    size_t block_chunks;
    size_t n_lanes;
    struct slot *slots;

    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t room;  /* a slot became free */
    pthread_cond_t ready; /* a block was filled, or the end is known */
    pthread_cond_t moved; /* the oldest block was done, or a lane ended */
    uint64_t next_chunk;  /* the first that nobody has claimed */
    uint64_t claimed;     /* blocks */
    uint64_t freed;       /* blocks; slots are freed in order, as every lane goes in order */
    uint64_t done;        /* media offset up to which blocks are freed */
    bool ended;           /* `claimed` is final */
    bool stopped;
    size_t lanes_ended;
};

static int
allocate(struct ring *r, size_t chunk_size)
{
    for (size_t i = 0; i < r->n_blocks; i++) {
        struct block *b = &r->slots[i].block;

        b->data = malloc(r->block_chunks * chunk_size);
        b->chunks = calloc(r->block_chunks, sizeof *b->chunks);
        if (!b->data || !b->chunks)
            return -1;
    }
    return 0;
}

struct ring *
ring_new(const struct ring_spec *spec, struct err *err)
{
    struct ring *r = xcalloc(1, sizeof *r);
    pthread_condattr_t attr;

    r->image = spec->image;
    r->n_blocks = spec->n_blocks;
    r->block_chunks = spec->block_chunks;
    r->n_lanes = spec->n_lanes;
    r->slots = xcalloc(spec->n_blocks, sizeof *r->slots);
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->room, NULL);
    (void)pthread_cond_init(&r->ready, NULL);
    (void)pthread_cond_init(&r->moved, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (allocate(r, image_info(spec->image)->chunk_size) != 0) {
        (void)err_set(err, OUTCOME_FAILED, "not enough memory to verify");
        ring_free(r);
        return NULL;
    }
    return r;
}

void
ring_free(struct ring *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_blocks; i++) {
        free(r->slots[i].block.data);
        free(r->slots[i].block.chunks);
        free(r->slots[i].block.held.data);
    }
    (void)pthread_cond_destroy(&r->moved);
    (void)pthread_cond_destroy(&r->ready);
    (void)pthread_cond_destroy(&r->room);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->slots);
    free(r);
}

/* The lock is held. */
static struct block *
claim_next(struct ring *r, uint64_t *gap_first, uint64_t *gap_count)
{
    uint64_t total = image_info(r->image)->chunk_count;
    uint64_t at = image_next_mapped(r->image, r->next_chunk);
    struct slot *s;

    *gap_first = r->next_chunk;
    *gap_count = at - r->next_chunk;
    r->next_chunk = at;
    if (at >= total) {
        r->ended = true;
        (void)pthread_cond_broadcast(&r->ready);
        return NULL;
    }
    s = &r->slots[r->claimed++ % r->n_blocks];
    s->filled = false;
    s->pending = r->n_lanes;
    s->block.first = at;
    s->block.count = total - at < r->block_chunks ? (size_t)(total - at) : r->block_chunks;
    s->block.gap_before = *gap_count > 0;
    r->next_chunk += s->block.count;
    return &s->block;
}

struct block *
ring_claim(struct ring *r, uint64_t *gap_first, uint64_t *gap_count)
{
    struct block *b = NULL;

    *gap_count = 0;
    (void)pthread_mutex_lock(&r->lock);
    while (!r->stopped && !r->ended && r->claimed - r->freed >= r->n_blocks)
        (void)pthread_cond_wait(&r->room, &r->lock);
    if (!r->stopped && !r->ended)
        b = claim_next(r, gap_first, gap_count);
    (void)pthread_mutex_unlock(&r->lock);
    return b;
}

void
ring_filled(struct ring *r, struct block *b)
{
    struct slot *s = (struct slot *)b; /* its first member */

    (void)pthread_mutex_lock(&r->lock);
    s->filled = true;
    (void)pthread_cond_broadcast(&r->ready);
    (void)pthread_mutex_unlock(&r->lock);
}

const struct block *
ring_take(struct ring *r, uint64_t seq)
{
    struct slot *s = &r->slots[seq % r->n_blocks];
    const struct block *b = NULL;

    (void)pthread_mutex_lock(&r->lock);
    while (!r->stopped && !(seq < r->claimed && s->filled) && !(r->ended && seq >= r->claimed))
        (void)pthread_cond_wait(&r->ready, &r->lock);
    if (!r->stopped && seq < r->claimed) {
        b = &s->block;
    } else {
        r->lanes_ended++;
        (void)pthread_cond_broadcast(&r->moved);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return b;
}

void
ring_done(struct ring *r, uint64_t seq)
{
    struct slot *s = &r->slots[seq % r->n_blocks];

    (void)pthread_mutex_lock(&r->lock);
    if (--s->pending == 0) {
        r->freed++;
        r->done = s->block.media_offset + s->block.length;
        (void)pthread_cond_broadcast(&r->room);
    }
    (void)pthread_mutex_unlock(&r->lock);
}

void
ring_stop(struct ring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    r->stopped = true;
    (void)pthread_cond_broadcast(&r->room);
    (void)pthread_cond_broadcast(&r->ready);
    (void)pthread_cond_broadcast(&r->moved);
    (void)pthread_mutex_unlock(&r->lock);
}

bool
ring_wait(struct ring *r, unsigned ms, uint64_t *done)
{
    struct timespec until;
    bool over;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&r->lock);
    while (!r->stopped && r->lanes_ended < r->n_lanes) {
        if (pthread_cond_timedwait(&r->moved, &r->lock, &until) == ETIMEDOUT)
            break;
    }
    over = r->stopped || r->lanes_ended == r->n_lanes;
    *done = r->done;
    (void)pthread_mutex_unlock(&r->lock);
    return over;
}
