#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "acquire/worker/pipeline.h"
#include "common/cleanup.h"
#include "common/mapfile.h"
#include "common/text.h"
#include "tests/lib/ewf_oracle.h"
#include "tests/lib/fault_source.h"
#include "tests/lib/written.h"

#define MIB ((size_t)1 << 20)
#define MEDIA (5 * MIB)

static uint8_t *media;
static int raw_dir = -1;
static int e01_dir = -1;

static int
open_new(const char *name)
{
    return mkdir(name, 0700) == 0 ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static int
enter(void **state)
{
    struct rng rng;

    if (scratch_enter(state) != 0)
        return -1;
    rng = rng_start("pipeline");
    raw_dir = open_new("raw");
    e01_dir = open_new("e01");
    media = xcalloc(1, MEDIA);
    media_fill(media, MEDIA, &rng);
    return raw_dir < 0 || e01_dir < 0 ? -1 : 0;
}

static int
leave(void **state)
{
    (void)close(raw_dir);
    (void)close(e01_dir);
    free(media);
    return scratch_leave(state);
}

/* A sink that fails at its nth block, and counts what it is given. */
struct test_sink {
    struct sink base;
    uint64_t fail_at; /* UINT64_MAX: never */
    int sys;          /* the errno that it fails with */
    uint64_t puts;
    uint64_t bytes;
};

static int
count_put(struct sink *base, const struct block *b, struct err *err)
{
    struct test_sink *s = (struct test_sink *)base;

    if (s->puts++ == s->fail_at) {
        errno = s->sys;
        return err_errno(err, "the test's sink fails");
    }
    s->bytes += b->length;
    return 0;
}

static int
count_finish(struct sink *base, const struct sink_final *final, struct err *err)
{
    (void)base;
    (void) final;
    (void)err;
    return 0;
}

static void
count_free(struct sink *base)
{
    (void)base;
}

static const struct sink_ops count_ops = {
    .put = count_put, .finish = count_finish, .free = count_free};

static struct test_sink
failing_at(uint64_t n, int sys)
{
    return (struct test_sink){.base = {.ops = &count_ops}, .fail_at = n, .sys = sys};
}

static struct lane *
new_lane(const char *algorithm)
{
    struct err err = ERR_INIT;
    struct lane *l = lane_new(algorithm, 0, &err);

    assert_non_null(l);
    return l;
}

/* --- the whole way, into both kinds of image at once --- */

struct whole {
    struct fault_spec faults;
    uint64_t offset, length;
    uint8_t *expected;
    struct ranges bad; /* of the image */
    struct segment_log *logs[2];
    struct pipeline_sink sinks[2];
    struct lane *lanes[2];
    struct manifest_hashes hashes;
};

static void
make_sinks(struct whole *w, uint64_t segment_size)
{
    struct err err = ERR_INIT;
    struct sink_spec spec = {.name = "EV",
                             .media_size = w->length,
                             .sector_size = w->faults.sector_size,
                             .segment_size = segment_size};
    struct e01_spec e01 = {.sectors_per_chunk = 32768 / w->faults.sector_size};

    w->logs[0] = segment_log_new(raw_dir, false, &err);
    w->logs[1] = segment_log_new(e01_dir, true, &err);
    spec.dir = raw_dir;
    spec.log = w->logs[0];
    w->sinks[0].sink = sink_raw_new(&spec, &err);
    spec.dir = e01_dir;
    spec.log = w->logs[1];
    w->sinks[1].sink = sink_e01_new(&spec, &e01, &err);
    assert_non_null(w->sinks[0].sink);
    assert_non_null(w->sinks[1].sink);
    w->lanes[0] = new_lane("md5");
    w->lanes[1] = new_lane("sha256");
}

/* Damages the source and works out what the image must hold. */
static char *
damage(struct whole *w, struct rng *rng)
{
    uint32_t sector = w->faults.sector_size;
    struct ranges in_source = {0};
    char *map;

    w->expected = xcalloc(1, w->length);
    memcpy(w->expected, media + w->offset, w->length);
    for (uint64_t n = rng_below(rng, 40); n > 0; n--) {
        uint64_t at = rng_below(rng, MEDIA / sector) * sector;
        uint64_t length = (1 + rng_below(rng, 5)) * sector;

        if (length > MEDIA - at)
            length = MEDIA - at;
        ranges_add(&in_source, at, length);
    }
    for (size_t i = 0; i < in_source.n; i++) {
        uint64_t from = in_source.v[i].offset;
        uint64_t to = from + in_source.v[i].length;

        from = from < w->offset ? w->offset : from;
        to = to > w->offset + w->length ? w->offset + w->length : to;
        if (from >= to)
            continue;
        memset(w->expected + (from - w->offset), 0, to - from);
        ranges_add(&w->bad, from - w->offset, to - from);
    }
    map = mapfile_text(MEDIA, &in_source, "a test");
    ranges_free(&in_source);
    return map;
}

static void
finish_sinks(struct whole *w, const struct ranges *unreadable)
{
    struct sink_final final = {.hashes = &w->hashes, .unreadable = unreadable};

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(lane_count(w->lanes[i]), 1);
        manifest_hash_add(&w->hashes, lane_algorithm(w->lanes[i]), lane_hex(w->lanes[i], 0));
    }
    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;

        assert_false(w->sinks[i].failed);
        if (w->sinks[i].sink->ops->finish(w->sinks[i].sink, &final, &err) != 0 ||
            segment_log_finish(w->logs[i], &err) != 0)
            fail_msg("%s", err.text);
    }
}

static void
check_hashes(const struct whole *w)
{
    char hex[DIGEST_HEX_MAX];

    hash_bytes("md5", w->expected, w->length, hex);
    assert_string_equal(lane_hex(w->lanes[0], 0), hex);
    hash_bytes("sha256", w->expected, w->length, hex);
    assert_string_equal(lane_hex(w->lanes[1], 0), hex);
}

static void
check_raw(const struct whole *w)
{
    size_t n;
    AUTO_FREE struct segment *v = listed_segments(w->logs[0], &n);

    check_segment_list(raw_dir, v, n, w->length);
    for (size_t i = 0; i < n; i++) {
        size_t size;
        AUTO_FREE uint8_t *bytes = file_bytes(raw_dir, v[i].file, &size);

        assert_memory_equal(bytes, w->expected + v[i].media_offset, size);
    }
}

static void
check_e01(const struct whole *w)
{
    size_t n;
    AUTO_FREE struct segment *v = listed_segments(w->logs[1], &n);
    struct ewf_oracle *o = ewf_oracle_open("e01/EV.E01");
    AUTO_FREE uint8_t *got = xcalloc(1, w->length);
    struct ranges errors = {0};
    char md5[64];

    check_segment_list(e01_dir, v, n, w->length);
    assert_int_equal(ewf_oracle_segments(o), n);
    assert_int_equal(ewf_oracle_media_size(o), w->length);
    ewf_oracle_read(o, got);
    assert_memory_equal(got, w->expected, w->length);
    ewf_oracle_hash(o, "MD5", md5, sizeof md5);
    assert_string_equal(md5, lane_hex(w->lanes[0], 0));
    ewf_oracle_errors(o, &errors);
    assert_int_equal(errors.n, w->bad.n);
    for (size_t i = 0; i < errors.n; i++) {
        assert_int_equal(errors.v[i].offset, w->bad.v[i].offset);
        assert_int_equal(errors.v[i].length, w->bad.v[i].length);
    }
    ranges_free(&errors);
    ewf_oracle_close(o);
}

static void
whole_free(struct whole *w)
{
    for (size_t i = 0; i < 2; i++) {
        w->sinks[i].sink->ops->free(w->sinks[i].sink);
        segment_log_free(w->logs[i]);
        lane_free(w->lanes[i]);
    }
    manifest_hashes_free(&w->hashes);
    ranges_free(&w->bad);
    free(w->expected);
    clear_directory(raw_dir);
    clear_directory(e01_dir);
}

static void
one_whole(struct rng *rng)
{
    struct whole w = {.faults = {.data = media, .size = MEDIA, .strict = true}};
    struct pipeline_spec spec = {.lanes = w.lanes,
                                 .n_lanes = 2,
                                 .sinks = w.sinks,
                                 .n_sinks = 2,
                                 .pack = true,
                                 .compression = (enum compression)rng_below(rng, 4),
                                 .chunk_size = 32768,
                                 .n_packers = 1 + (unsigned)rng_below(rng, 3)};
    struct err err = ERR_INIT;
    struct pipeline *p;
    char *map;

    w.faults.sector_size = rng_below(rng, 2) ? 512 : 4096;
    w.faults.partial = rng_below(rng, 2) != 0;
    w.offset = rng_below(rng, 2) ? rng_below(rng, 256) * w.faults.sector_size : 0;
    w.length = MEDIA - w.offset - rng_below(rng, 300) * w.faults.sector_size;
    map = damage(&w, rng);
    w.faults.map = map;
    make_sinks(&w, rng_below(rng, 2) ? MIB : 2048 * MIB);
    spec.reader = (struct reader_spec){.source = fault_source_new(&w.faults),
                                       .offset = w.offset,
                                       .length = w.length,
                                       .sector_size = w.faults.sector_size,
                                       .retries = 1};
    p = pipeline_start(&spec, &err);
    assert_non_null(p);
    assert_int_equal(pipeline_wait(p, &err), 0);
    assert_int_equal(pipeline_bytes_done(p), w.length);
    assert_int_equal(ranges_total(pipeline_unreadable(p)), ranges_total(&w.bad));
    finish_sinks(&w, pipeline_unreadable(p));
    check_hashes(&w);
    check_raw(&w);
    check_e01(&w);
    pipeline_free(p);
    source_close(spec.reader.source);
    whole_free(&w);
    free(map);
}

static void
a_damaged_source_into_both_images(void **state)
{
    struct rng rng = rng_start("pipeline");

    (void)state;
    for (int round = 0; round < 10; round++)
        one_whole(&rng);
}

/* --- what ends it --- */

struct plain {
    struct fault_spec faults;
    struct pipeline_sink *sinks;
    size_t n_sinks;
    bool pack;
};

static int
run_plain(const struct plain *with, struct lane *lane, struct err *err)
{
    struct source *source = fault_source_new(&with->faults);
    struct pipeline_spec spec = {
        .reader = {.source = source, .length = with->faults.size, .sector_size = 512},
        .lanes = &lane,
        .n_lanes = lane ? 1 : 0,
        .sinks = with->sinks,
        .n_sinks = with->n_sinks,
        .pack = with->pack,
        .compression = COMPRESSION_FAST,
        .chunk_size = 32768,
        .n_packers = 2};
    struct pipeline *p = pipeline_start(&spec, err);
    int r;

    assert_non_null(p);
    r = pipeline_wait(p, err);
    pipeline_free(p);
    source_close(source);
    return r;
}

static void
one_sink_fails_the_other_goes_on(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 5; at += 2) {
        struct test_sink bad = failing_at(at, ENOSPC);
        struct test_sink good = failing_at(UINT64_MAX, 0);
        struct pipeline_sink sinks[] = {{.sink = &bad.base}, {.sink = &good.base}};
        struct plain with = {.faults = {.data = media, .size = MEDIA, .sector_size = 512},
                             .sinks = sinks,
                             .n_sinks = 2,
                             .pack = at == 2};
        struct err err = ERR_INIT;
        char hex[DIGEST_HEX_MAX];
        struct lane *lane = new_lane("md5");

        assert_int_equal(run_plain(&with, lane, &err), 0);
        assert_true(sinks[0].failed);
        assert_int_equal(sinks[0].err.sys, ENOSPC);
        assert_int_equal(bad.puts, at + 1); /* not fed again */
        assert_false(sinks[1].failed);
        assert_int_equal(good.bytes, MEDIA);
        hash_bytes("md5", media, MEDIA, hex);
        assert_string_equal(lane_hex(lane, 0), hex);
        lane_free(lane);
    }
}

static void
the_last_sink_ends_the_job(void **state)
{
    static const int cases[] = {ENOSPC, EDQUOT, EIO}; /* the worker makes exit codes of them */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct test_sink first = failing_at(0, cases[i]);
        struct test_sink second = failing_at(2, cases[i]);
        struct pipeline_sink sinks[] = {{.sink = &first.base}, {.sink = &second.base}};
        struct plain with = {
            .faults = {.size = 4096 * MIB, .sector_size = 1u << 30}, .sinks = sinks, .n_sinks = 2};
        struct err err = ERR_INIT;

        assert_int_equal(run_plain(&with, NULL, &err), -1); /* long before the 4 GiB are read */
        assert_int_equal(err.sys, cases[i]);
        assert_true(sinks[0].failed && sinks[1].failed);
    }
}

static void
a_vanished_source_interrupts(void **state)
{
    struct test_sink sink = failing_at(UINT64_MAX, 0);
    struct pipeline_sink sinks[] = {{.sink = &sink.base}};
    struct plain with = {
        .faults = {.data = media, .size = MEDIA, .sector_size = 512, .vanish_at = 3 * MIB},
        .sinks = sinks,
        .n_sinks = 1,
        .pack = true};
    struct err err = ERR_INIT;
    struct lane *lane = new_lane("md5");

    (void)state;
    assert_int_equal(run_plain(&with, lane, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
    assert_int_equal(err.sys, ENODEV);
    assert_true(sink.bytes < 3 * MIB);
    lane_free(lane);
}

static void
an_unwritable_directory_is_the_sinks_error(void **state)
{
    struct err err = ERR_INIT;
    struct segment_log *log = segment_log_new(raw_dir, false, &err);
    struct sink_spec spec = {.dir = raw_dir,
                             .name = "no/such/directory",
                             .media_size = MEDIA,
                             .sector_size = 512,
                             .log = log};
    struct pipeline_sink sinks[] = {{.sink = sink_raw_new(&spec, &err)}};
    struct plain with = {
        .faults = {.data = media, .size = MEDIA, .sector_size = 512}, .sinks = sinks, .n_sinks = 1};

    (void)state;
    assert_int_equal(run_plain(&with, NULL, &err), -1);
    assert_int_equal(err.sys, ENOENT);
    sinks[0].sink->ops->free(sinks[0].sink);
    segment_log_free(log);
}

/* --- stopping --- */

struct stopper {
    struct pipeline *p;
    uint64_t after; /* bytes done */
    atomic_bool over;
};

static void *
stop_it(void *arg)
{
    struct stopper *s = arg;

    while (pipeline_bytes_done(s->p) < s->after && !atomic_load(&s->over))
        (void)usleep(200);
    do {
        pipeline_stop(s->p);
        (void)sched_yield(); /* on few cores nobody else might get the lock */
    } while (!atomic_load(&s->over));
    return NULL;
}

/* Stops once so much is done; the source has no end worth waiting for, or a short one. */
static int
run_stopped(uint64_t size, uint64_t after, struct err *err)
{
    struct fault_spec faults = {.size = size, .sector_size = 1u << 26};
    struct test_sink sink = failing_at(UINT64_MAX, 0);
    struct pipeline_sink sinks[] = {{.sink = &sink.base}};
    struct lane *lane = lane_new("md5", 0, err);
    struct pipeline_spec spec = {
        .reader = {.source = fault_source_new(&faults), .length = size, .sector_size = 512},
        .sinks = sinks,
        .n_sinks = 1,
        .lanes = &lane,
        .n_lanes = 1,
        .pack = true,
        .compression = COMPRESSION_FAST,
        .chunk_size = 32768,
        .n_packers = 2};
    struct stopper stopper = {.after = after};
    pthread_t thread;
    int r;

    stopper.p = pipeline_start(&spec, err);
    assert_non_null(stopper.p);
    assert_int_equal(pthread_create(&thread, NULL, stop_it, &stopper), 0);
    r = pipeline_wait(stopper.p, err);
    atomic_store(&stopper.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (r == 0)
        assert_int_equal(sink.bytes, size);
    /* What was cut off has no digest. */
    if (r == 0 || size > UINT64_C(1) << 40)
        assert_int_equal(lane_count(lane), r == 0 ? 1 : 0);
    pipeline_free(stopper.p);
    lane_free(lane);
    source_close(spec.reader.source);
    return r;
}

static void
stopping_in_the_middle(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(run_stopped(UINT64_C(1) << 44, 10 * MIB, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
    assert_string_equal(err.text, "interrupted");
}

/* A stop that meets the end: either all came through, or it is called interrupted. */
static void
stopping_at_the_very_end(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct err err = ERR_INIT;
        int r = run_stopped(2 * MIB, (uint64_t)(round % 3) * MIB, &err);

        if (r != 0)
            assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_source_into_both_images),
        cmocka_unit_test(one_sink_fails_the_other_goes_on),
        cmocka_unit_test(the_last_sink_ends_the_job),
        cmocka_unit_test(a_vanished_source_interrupts),
        cmocka_unit_test(an_unwritable_directory_is_the_sinks_error),
        cmocka_unit_test(stopping_in_the_middle),
        cmocka_unit_test(stopping_at_the_very_end),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
