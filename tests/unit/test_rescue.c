#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "acquire/worker/rescue.h"
#include "common/mapfile.h"
#include "common/text.h"
#include "tests/lib/fault_source.h"

#define SECTOR 512u
#define LENGTH (UINT64_C(1) << 20)
#define SECTORS ((unsigned)(LENGTH / SECTOR))

static uint8_t medium[LENGTH];

/* A source that ends with an errno after so many reads, as a gate that was stopped does. */
struct limited {
    struct source base;
    struct source *next;
    uint64_t left;
    int sys;
};

static ssize_t
limited_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    struct limited *l = (struct limited *)s;

    if (l->left == 0) {
        errno = l->sys;
        return -1;
    }
    l->left--;
    return source_pread(l->next, buf, n, offset);
}

static void
limited_close(struct source *s)
{
    source_close(((struct limited *)s)->next);
}

static const struct source_ops limited_ops = {.pread = limited_pread, .close = limited_close};

struct bench {
    int dir;
    char *map;         /* of the damage */
    struct ranges bad; /* the same */
    struct limited source;
    uint64_t passes, errors;
};

static void
count_pass(void *context, const struct rescue_pass *pass)
{
    struct bench *b = context;

    assert_true(pass->reads > 0 && pass->errors <= pass->reads);
    b->passes++;
}

static void
count_error(void *context, const struct range *range, int sys, enum rescue_phase phase)
{
    struct bench *b = context;

    assert_true(range->length > 0 && range->offset + range->length <= LENGTH);
    assert_int_equal(sys, EIO);
    assert_true(phase < RESCUE_OVER);
    b->errors++;
}

static void
damage(struct bench *b, struct rng *rng)
{
    unsigned n = (unsigned)rng_below(rng, 20);

    for (unsigned i = 0; i < n; i++) {
        unsigned at = (unsigned)rng_below(rng, SECTORS);
        unsigned len = 1 + (unsigned)rng_below(rng, rng_below(rng, 2) ? 3 : 200);

        ranges_add(&b->bad, (uint64_t)at * SECTOR,
                   (uint64_t)(at + len > SECTORS ? SECTORS - at : len) * SECTOR);
    }
    b->map = mapfile_text(LENGTH, &b->bad, "test");
}

static void
bench_begin(struct bench *b, struct rng *rng)
{
    *b = (struct bench){.dir = open(".", O_RDONLY | O_DIRECTORY)};
    for (size_t i = 0; i < LENGTH; i++)
        medium[i] = (uint8_t)(1 + rng_below(rng, 255)); /* never what a hole reads as */
    damage(b, rng);
}

static struct rescue *
open_all(struct bench *b, uint64_t reads, int sys, struct staging **staging)
{
    const struct fault_spec fault = {
        .data = medium, .size = LENGTH, .sector_size = SECTOR, .map = b->map, .strict = true};
    struct rescue_spec spec = {
        .length = LENGTH,
        .sector_size = SECTOR,
        .retries = 1,
        .on_error = count_error,
        .on_pass = count_pass,
        .context = b,
    };
    struct err err = ERR_INIT;
    struct rescue *r;

    b->source = (struct limited){
        .base = {.ops = &limited_ops}, .next = fault_source_new(&fault), .left = reads, .sys = sys};
    *staging = staging_open(b->dir, "x", LENGTH, &err);
    assert_non_null(*staging);
    spec.source = &b->source.base;
    spec.staging = *staging;
    r = rescue_open(&spec, &err);
    assert_non_null(r);
    return r;
}

static void
close_all(struct bench *b, struct rescue *r, struct staging *staging)
{
    rescue_free(r);
    staging_free(staging);
    source_close(&b->source.base);
}

static void
make_staging(const struct bench *b)
{
    struct err err = ERR_INIT;
    struct staging *s = staging_create(b->dir, "x", LENGTH, &err);

    assert_non_null(s);
    staging_free(s);
}

static void
bench_end(struct bench *b)
{
    staging_remove(b->dir, "x");
    assert_int_equal(access("x" STAGING_IMAGE_SUFFIX, F_OK), -1);
    assert_int_equal(access("x" STAGING_MAP_SUFFIX, F_OK), -1);
    ranges_free(&b->bad);
    free(b->map);
    (void)close(b->dir);
}

static void
assert_rescued(const struct bench *b, struct rescue *r)
{
    const struct ranges *bad = rescue_unreadable(r);
    static uint8_t got[LENGTH];

    assert_int_equal(bad->n, b->bad.n);
    for (size_t i = 0; i < bad->n; i++) {
        assert_int_equal(bad->v[i].offset, b->bad.v[i].offset);
        assert_int_equal(bad->v[i].length, b->bad.v[i].length);
        assert_int_equal(rescue_cause(r, bad->v[i].offset), EIO);
    }
    assert_int_equal(source_pread(rescue_source(r), got, LENGTH, 0), LENGTH);
    for (uint64_t at = 0; at < LENGTH; at++)
        assert_int_equal(got[at], ranges_overlap(&b->bad, at, 1) ? 0 : medium[at]);
}

/* However often it is stopped: what comes out is the medium but for its damage. */
static void
interrupted_anywhere(void **state)
{
    struct rng rng = rng_start("rescue");
    unsigned n = test_count("rescue: interrupted_anywhere", 30, 1000, "media");

    (void)state;
    for (unsigned i = 0; i < n; i++) {
        struct err err = ERR_INIT;
        struct staging *staging;
        struct rescue *r;
        struct bench b;
        uint64_t most = 2000;
        int result;

        bench_begin(&b, &rng);
        make_staging(&b);
        do {
            bool gone = rng_below(&rng, 2) == 0;

            r = open_all(&b, 1 + rng_below(&rng, most), gone ? ENODEV : ECANCELED, &staging);
            err = (struct err)ERR_INIT;
            result = rescue_run(r, &err);
            if (result == 0)
                assert_rescued(&b, r);
            else
                assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
            close_all(&b, r, staging);
            most += 100;
        } while (result != 0);
        assert_true(b.passes > 0);
        assert_true((b.errors > 0) == (b.bad.n > 0));
        /* A run over what is over reads nothing. */
        r = open_all(&b, 0, ENODEV, &staging);
        assert_int_equal(rescue_run(r, &err), 0);
        assert_rescued(&b, r);
        close_all(&b, r, staging);
        bench_end(&b);
    }
}

/* ddrescue may have gone on with the two files, told to leave the scraping out: its map says that
   it is finished, but what it has not tried to the end is not unreadable. */
static void
what_ddrescue_left_is_read(void **state)
{
    struct rng rng = rng_start("rescue: what ddrescue left");
    struct map_block all = {.length = LENGTH, .status = MAP_NON_SCRAPED};
    const struct mapfile map = {.phase = '+', .pass = 1, .blocks = &all, .n = 1};
    struct err err = ERR_INIT;
    struct staging *staging;
    struct rescue *r;
    struct bench b;

    (void)state;
    bench_begin(&b, &rng);
    make_staging(&b);
    staging = staging_open(b.dir, "x", LENGTH, &err);
    assert_int_equal(staging_save(staging, &map, &err), 0);
    staging_free(staging);
    r = open_all(&b, UINT64_MAX, 0, &staging);
    assert_int_equal(rescue_run(r, &err), 0);
    assert_rescued(&b, r);
    close_all(&b, r, staging);
    bench_end(&b);
}

struct watch {
    struct rescue *rescue;
    atomic_bool over;
};

static void *
watch(void *arg)
{
    struct watch *w = arg;
    struct rescue_pass pass;
    uint64_t rescued = 0;

    while (!atomic_load(&w->over)) {
        (void)rescue_progress(w->rescue, &pass);
        assert_true(pass.rescued >= rescued && pass.rescued <= LENGTH);
        rescued = pass.rescued;
        (void)sched_yield(); /* on few cores the rescue might not get the lock */
    }
    return NULL;
}

/* As the worker's control thread asks; ThreadSanitizer is the judge. */
static void
another_thread_may_ask_how_far_it_is(void **state)
{
    struct rng rng = rng_start("rescue: progress");
    struct err err = ERR_INIT;
    struct staging *staging;
    struct watch w = {0};
    pthread_t thread;
    struct bench b;

    (void)state;
    bench_begin(&b, &rng);
    make_staging(&b);
    w.rescue = open_all(&b, UINT64_MAX, 0, &staging);
    assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
    assert_int_equal(rescue_run(w.rescue, &err), 0);
    atomic_store(&w.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close_all(&b, w.rescue, staging);
    bench_end(&b);
}

static void
another_source_is_noticed(void **state)
{
    struct rng rng = rng_start("rescue: another source");
    struct err err = ERR_INIT;
    struct samples samples;
    struct staging *staging;
    struct rescue *r;
    struct bench b;

    (void)state;
    bench_begin(&b, &rng);
    ranges_remove(&b.bad, LENGTH - SECTOR, SECTOR); /* the last sector is read, and a sample */
    free(b.map);
    b.map = mapfile_text(LENGTH, &b.bad, "test");
    make_staging(&b);
    r = open_all(&b, UINT64_MAX, 0, &staging);
    assert_int_equal(rescue_run(r, &err), 0);
    assert_int_equal(rescue_compare(r, &samples, &err), 0);
    assert_true(samples.compared > 0);
    assert_int_equal(samples.lost, 0); /* damage is no sample */
    medium[LENGTH - 1] ^= 1;
    assert_int_equal(rescue_compare(r, &samples, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    close_all(&b, r, staging);
    bench_end(&b);
}

static void
a_source_that_ends_early_has_changed(void **state)
{
    struct rng rng = rng_start("rescue: end");
    struct err err = ERR_INIT;
    struct staging *staging;
    struct rescue *r;
    struct bench b;

    (void)state;
    bench_begin(&b, &rng);
    free(b.map);
    b.map = NULL;
    make_staging(&b);
    r = open_all(&b, UINT64_MAX, 0, &staging);
    source_close(b.source.next);
    b.source.next = fault_source_new(&(struct fault_spec){
        .data = medium, .size = LENGTH, .sector_size = SECTOR, .end_at = LENGTH / 2 + 100});
    assert_int_equal(rescue_run(r, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
    close_all(&b, r, staging);
    bench_end(&b);
}

/* A file that is not what this job made is not written to. */
static void
foreign_staging_is_refused(void **state)
{
    int dir = open(".", O_RDONLY | O_DIRECTORY);
    struct err err = ERR_INIT;

    (void)state;
    assert_null(staging_open(dir, "y", LENGTH, &err));
    assert_int_equal(err.sys, ENOENT);
    assert_int_equal(symlink("/dev/null", "y" STAGING_IMAGE_SUFFIX), 0);
    assert_null(staging_open(dir, "y", LENGTH, &err));
    assert_null(staging_create(dir, "y", LENGTH, &err));
    assert_int_equal(unlink("y" STAGING_IMAGE_SUFFIX), 0);
    assert_int_equal(close(open("y" STAGING_IMAGE_SUFFIX, O_CREAT | O_WRONLY, 0600)), 0);
    assert_null(staging_open(dir, "y", LENGTH, &err));
    assert_true(staging_owns("y", "y.rescue.img") && staging_owns("y", "y.rescue.map"));
    assert_false(staging_owns("y", "y.rescue.img2") || staging_owns("y", "z.rescue.map"));
    (void)close(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_anywhere),
        cmocka_unit_test(what_ddrescue_left_is_read),
        cmocka_unit_test(another_thread_may_ask_how_far_it_is),
        cmocka_unit_test(another_source_is_noticed),
        cmocka_unit_test(a_source_that_ends_early_has_changed),
        cmocka_unit_test(foreign_staging_is_refused),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
