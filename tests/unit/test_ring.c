#include "tests/lib/unit.h"

#include <pthread.h>
#include <sched.h>

#include "acquire/worker/ring.h"
#include "acquire/worker/source.h"
#include "common/text.h"

#define BLOCK_SIZE ((size_t)SOURCE_ALIGNMENT)

/* One run: a filler, packers and consumers around a ring; each checks what it sees. */
struct run {
    struct ring *ring;
    uint64_t blocks;   /* to publish */
    uint64_t abort_at; /* the filler aborts before this block; UINT64_MAX: never */
    bool pack;
    size_t n_lanes;
    struct rng rng; /* the filler's */
};

struct consumer {
    struct run *run;
    size_t index;
    uint64_t seen;
    uint64_t seed;
};

static void
dawdle(struct rng *rng)
{
    if (rng_below(rng, 8) == 0)
        (void)sched_yield();
}

static void *
fill(void *arg)
{
    struct run *r = arg;

    for (uint64_t i = 0; i < r->blocks; i++) {
        struct block *b;

        if (i == r->abort_at) {
            ring_abort(r->ring);
            return NULL;
        }
        b = ring_reserve(r->ring);
        if (!b)
            return NULL;
        b->offset = i * BLOCK_SIZE;
        b->length = BLOCK_SIZE;
        memset(b->data, (int)(i & 0xff), BLOCK_SIZE);
        dawdle(&r->rng);
        ring_publish(r->ring);
    }
    ring_finish(r->ring);
    return NULL;
}

static void *
pack(void *arg)
{
    struct run *r = arg;
    struct block *b;

    while ((b = ring_take_unpacked(r->ring)) != NULL) {
        b->n_chunks = 1;
        b->chunks[0] = (struct packed_chunk){.data = b->packed, .size = 1, .media = BLOCK_SIZE};
        b->packed[0] = (uint8_t)~b->data[0];
        ring_packed(r->ring, b);
    }
    return NULL;
}

/* cmocka's assertions jump out of the thread that fails, so a thread only counts. */
static void *
consume(void *arg)
{
    struct consumer *c = arg;
    struct rng rng = {.state = c->seed};
    bool packed = c->run->pack && c->index >= c->run->n_lanes;
    const struct block *b;

    while ((b = ring_next(c->run->ring, c->index)) != NULL) {
        bool ok = b->offset == c->seen * BLOCK_SIZE && b->length == BLOCK_SIZE &&
                  b->data[0] == (uint8_t)c->seen && b->data[BLOCK_SIZE - 1] == (uint8_t)c->seen;

        if (packed)
            ok = ok && b->n_chunks == 1 && b->packed[0] == (uint8_t)~c->seen;
        dawdle(&rng);
        ring_release(c->run->ring, c->index);
        if (!ok)
            return arg; /* not NULL: wrong */
        c->seen++;
    }
    return NULL;
}

static void
one_run(struct rng *rng, uint64_t abort_at)
{
    struct ring_spec spec = {
        .n_blocks = 1 + rng_below(rng, 6),
        .block_size = BLOCK_SIZE,
        .n_lanes = rng_below(rng, 4),
        .n_sinks = 1 + rng_below(rng, 3),
        .chunk_size = rng_below(rng, 3) ? BLOCK_SIZE : 0,
        .n_rooms = 1 + rng_below(rng, 6),
    };
    struct run r = {.blocks = rng_below(rng, 150), .abort_at = abort_at};
    struct consumer consumers[8];
    pthread_t threads[16];
    struct err err = ERR_INIT;
    size_t n = 0;
    size_t n_packers = spec.chunk_size ? 1 + rng_below(rng, 4) : 0;
    size_t n_consumers = spec.n_lanes + spec.n_sinks;

    r.pack = spec.chunk_size != 0;
    r.n_lanes = spec.n_lanes;
    r.rng.state = rng_next(rng);
    r.ring = ring_new(&spec, &err);
    assert_non_null(r.ring);
    for (size_t i = 0; i < n_consumers; i++) {
        consumers[i] = (struct consumer){.run = &r, .index = i, .seed = rng_next(rng)};
        assert_int_equal(pthread_create(&threads[n++], NULL, consume, &consumers[i]), 0);
    }
    for (size_t i = 0; i < n_packers; i++)
        assert_int_equal(pthread_create(&threads[n++], NULL, pack, &r), 0);
    assert_int_equal(pthread_create(&threads[n++], NULL, fill, &r), 0);
    for (size_t i = 0; i < n; i++) {
        void *wrong = NULL;

        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    for (size_t i = 0; i < n_consumers; i++) {
        if (abort_at >= r.blocks)
            assert_int_equal(consumers[i].seen, r.blocks);
        else
            assert_true(consumers[i].seen <= abort_at);
    }
    ring_free(r.ring);
}

static void
everyone_sees_every_block_in_order(void **state)
{
    struct rng rng = rng_start("ring");

    (void)state;
    for (int round = 0; round < 150; round++)
        one_run(&rng, UINT64_MAX);
}

static void
an_abort_ends_everyone(void **state)
{
    struct rng rng = rng_start("ring abort");

    (void)state;
    for (int round = 0; round < 100; round++)
        one_run(&rng, rng_below(&rng, 100));
}

/* Nobody else around: what the calls say of an empty, a finished and an aborted ring. */
static void
the_ends_of_a_ring(void **state)
{
    struct ring_spec spec = {.n_blocks = 2,
                             .block_size = BLOCK_SIZE,
                             .n_lanes = 1,
                             .n_sinks = 1,
                             .chunk_size = 512,
                             .n_rooms = 1};
    struct err err = ERR_INIT;
    struct ring *r = ring_new(&spec, &err);
    struct block *b = ring_reserve(r);

    (void)state;
    assert_int_equal((uintptr_t)b->data % SOURCE_ALIGNMENT, 0);
    assert_false(b->is_packed);
    ring_publish(r);
    assert_ptr_equal(ring_next(r, 0), b);
    assert_ptr_equal(ring_next(r, 0), b); /* held until it is released */
    assert_null(b->packed);
    assert_ptr_equal(ring_take_unpacked(r), b);
    assert_non_null(b->packed);
    ring_packed(r, b);
    ring_release(r, 0);
    assert_non_null(b->packed); /* until the sink is done */
    assert_ptr_equal(ring_next(r, 1), b);
    ring_release(r, 1);
    assert_null(b->packed);
    ring_finish(r);
    assert_null(ring_next(r, 0));
    assert_null(ring_take_unpacked(r));
    ring_abort(r);
    assert_null(ring_reserve(r));
    assert_null(ring_next(r, 0));
    ring_free(r);
    ring_free(NULL);
}

/* The sanitizers' allocators end the program instead of returning NULL. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOCATION_CANNOT_FAIL
#endif
#endif

static void
too_much_memory_is_an_error(void **state)
{
    struct ring_spec spec = {.n_blocks = 2, .block_size = (size_t)1 << 60, .n_lanes = 1};
    struct err err = ERR_INIT;

    (void)state;
#ifdef ALLOCATION_CANNOT_FAIL
    print_message("SKIP: allocation cannot fail under a sanitizer\n");
    skip();
#endif
    assert_null(ring_new(&spec, &err));
    assert_non_null(strstr(err.text, "not enough memory"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everyone_sees_every_block_in_order),
        cmocka_unit_test(an_abort_ends_everyone),
        cmocka_unit_test(the_ends_of_a_ring),
        cmocka_unit_test(too_much_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
