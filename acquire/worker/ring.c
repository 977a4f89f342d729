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
    size_t n_lanes;
    size_t n_consumers;   /* the lanes, then the sinks */
    size_t n_rooms;       /* 0: blocks are not packed */
    uint8_t **rooms;      /* the memory of all of them, which are spare or some block's */
    pthread_mutex_t lock; /* guards everything below */
    struct consumer *consumers;
    pthread_cond_t room;    /* for the filling side */
    pthread_cond_t to_pack; /* for the packers */
    uint64_t published;     /* blocks published so far: their sequence numbers are below */
    uint64_t taken;         /* blocks taken by packers, which have got a room */
    uint64_t vacated;       /* blocks that have given it back */
    uint8_t **spare;        /* a stack: the room used last is the one still in a cache */
    size_t n_spare;
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
    b->chunks = calloc(spec->block_size / spec->chunk_size + 1, sizeof *b->chunks);
    return b->chunks ? 0 : -1;
}

static int
allocate(struct ring *r, const struct ring_spec *spec)
{
    for (size_t i = 0; i < r->n_blocks; i++) {
        if (block_init(&r->blocks[i], spec) != 0)
            return -1;
    }
    for (size_t i = 0; i < r->n_rooms; i++) {
        r->rooms[i] = malloc(spec->block_size);
        if (!r->rooms[i])
            return -1;
        r->spare[r->n_spare++] = r->rooms[i];
    }
    return 0;
}

struct ring *
ring_new(const struct ring_spec *spec, struct err *err)
{
    struct ring *r = xcalloc(1, sizeof *r);

    r->n_blocks = spec->n_blocks;
    r->n_lanes = spec->n_lanes;
    r->n_consumers = spec->n_lanes + spec->n_sinks;
    r->n_rooms = spec->chunk_size == 0 ? 0 : spec->n_rooms;
    r->blocks = xcalloc(r->n_blocks, sizeof *r->blocks);
    r->consumers = xcalloc(r->n_consumers, sizeof *r->consumers);
    r->rooms = xcalloc(r->n_rooms, sizeof *r->rooms);
    r->spare = xcalloc(r->n_rooms, sizeof *r->spare);
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->room, NULL);
    (void)pthread_cond_init(&r->to_pack, NULL);
    for (size_t i = 0; i < r->n_consumers; i++)
        (void)pthread_cond_init(&r->consumers[i].wake, NULL);
    if (allocate(r, spec) != 0) {
        (void)err_set(err, OUTCOME_FAILED, "not enough memory for %zu blocks of %zu bytes",
                      spec->n_blocks, spec->block_size);
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
        free(r->blocks[i].data);
        free(r->blocks[i].chunks);
    }
    for (size_t i = 0; i < r->n_rooms; i++)
        free(r->rooms[i]);
    for (size_t i = 0; i < r->n_consumers; i++)
        (void)pthread_cond_destroy(&r->consumers[i].wake);
    (void)pthread_cond_destroy(&r->room);
    (void)pthread_cond_destroy(&r->to_pack);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->rooms);
    free(r->spare);
    free(r->consumers);
    free(r->blocks);
    free(r);
}

static struct block *
block_at(struct ring *r, uint64_t seq)
{
    return &r->blocks[seq % r->n_blocks];
}

/* The lowest sequence number that some consumer still needs, of those from `first` on. */
static uint64_t
oldest_needed(const struct ring *r, size_t first)
{
    uint64_t oldest = r->published;

    for (size_t i = first; i < r->n_consumers; i++) {
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
    while (!r->aborted && r->published - oldest_needed(r, 0) == r->n_blocks) {
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
ring_next(struct ring *r, size_t c)
{
    struct consumer *me = &r->consumers[c];
    bool need_packed = r->n_rooms > 0 && c >= r->n_lanes;
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

/* The rooms of what all sinks are done with. */
static void
vacate(struct ring *r)
{
    uint64_t oldest = oldest_needed(r, r->n_lanes);

    for (; r->vacated < oldest; r->vacated++) {
        struct block *b = block_at(r, r->vacated);

        r->spare[r->n_spare++] = b->packed;
        b->packed = NULL;
        (void)pthread_cond_signal(&r->to_pack);
    }
}

void
ring_release(struct ring *r, size_t c)
{
    (void)pthread_mutex_lock(&r->lock);
    r->consumers[c].next++;
    if (r->n_rooms > 0)
        vacate(r);
    if (r->room_wanted)
        (void)pthread_cond_signal(&r->room);
    (void)pthread_mutex_unlock(&r->lock);
}

struct block *
ring_take_unpacked(struct ring *r)
{
    struct block *b = NULL;

    /* In order, so that the block that the sinks wait for always has a room. */
    (void)pthread_mutex_lock(&r->lock);
    while (!r->aborted && (r->taken < r->published ? r->n_spare == 0 : !r->finished))
        (void)pthread_cond_wait(&r->to_pack, &r->lock);
    if (!r->aborted && r->taken < r->published) {
        b = block_at(r, r->taken++);
        b->packed = r->spare[--r->n_spare];
        if (r->finished && r->taken == r->published)
            (void)pthread_cond_broadcast(&r->to_pack); /* those who wait for rooms may go */
    }
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
