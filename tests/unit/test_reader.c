#include "tests/lib/unit.h"

#include <errno.h>

#include "acquire/worker/reader.h"
#include "common/mapfile.h"
#include "common/text.h"
#include "tests/lib/fault_source.h"

#define MEDIA_MAX ((size_t)192 << 10)
#define BUFFER ((size_t)64 << 10)

static uint8_t *buffer; /* aligned as a block of the ring is */

static int
make_buffer(void **state)
{
    void *p = NULL;

    (void)state;
    if (posix_memalign(&p, SOURCE_ALIGNMENT, BUFFER) != 0)
        return -1;
    buffer = p;
    return 0;
}

static int
free_buffer(void **state)
{
    (void)state;
    free(buffer);
    return 0;
}

/* What on_unreadable was told. */
struct told {
    struct ranges ranges;
    int sys;
};

static void
note(void *context, const struct range *range, int sys)
{
    struct told *t = context;

    /* Each range once, and ascending. */
    assert_false(ranges_overlap(&t->ranges, range->offset, range->length));
    ranges_add(&t->ranges, range->offset, range->length);
    t->sys = sys;
}

static void
assert_ranges_equal(const struct ranges *a, const struct ranges *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->v[i].offset, b->v[i].offset);
        assert_int_equal(a->v[i].length, b->v[i].length);
    }
}

/* Reads it all, block by block, into out. */
static int
read_all(struct reader *r, const struct reader_spec *spec, uint8_t *out, struct err *err)
{
    uint64_t at = 0;

    while (at < spec->length) {
        ssize_t n = reader_fill(r, buffer, BUFFER, at, err);

        if (n < 0)
            return -1;
        assert_true(n > 0 && (size_t)n <= BUFFER);
        assert_true(at + (uint64_t)n == spec->length || (size_t)n == BUFFER);
        memcpy(out + at, buffer, (size_t)n);
        at += (uint64_t)n;
    }
    return 0;
}

struct media {
    uint8_t data[MEDIA_MAX];
    uint8_t expected[MEDIA_MAX];
    uint8_t got[MEDIA_MAX];
};

/* Random damage over the sectors of the source; fills in what the image must hold. */
static void
make_damage(struct media *m, struct rng *rng, uint64_t size, const struct reader_spec *spec,
            struct ranges *in_source, struct ranges *in_image)
{
    uint32_t sector = spec->sector_size;
    uint64_t density = 2 + rng_below(rng, 60);

    for (size_t i = 0; i < size; i++)
        m->data[i] = (uint8_t)(1 + rng_below(rng, 255)); /* never the fill */
    for (uint64_t at = 0; at < size; at += sector) {
        if (rng_below(rng, density) == 0)
            ranges_add(in_source, at, size - at < sector ? size - at : sector);
    }
    memcpy(m->expected, m->data + spec->offset, spec->length);
    for (size_t i = 0; i < in_source->n; i++) {
        const struct range *r = &in_source->v[i];

        for (uint64_t b = r->offset; b < r->offset + r->length; b++) {
            if (b < spec->offset || b - spec->offset >= spec->length)
                continue;
            m->expected[b - spec->offset] = 0;
            ranges_add(in_image, b - spec->offset, 1);
        }
    }
}

static void
check_attempts(const struct source *s, const struct ranges *bad, const struct reader_spec *spec)
{
    uint32_t sector = spec->sector_size;

    for (size_t i = 0; i < bad->n; i++) {
        for (uint64_t at = bad->v[i].offset; at < bad->v[i].offset + bad->v[i].length;
             at += sector) {
            unsigned n = fault_source_single_reads(s, at / sector);

            if (at >= spec->offset && at < spec->offset + spec->length)
                assert_in_range(n, 1 + spec->retries, 2 + spec->retries);
            else
                assert_int_equal(n, 0);
        }
    }
}

static void
one_random_medium(struct media *m, struct rng *rng)
{
    static const uint32_t sectors[] = {512, 512, 4096, 2048};
    struct told told = {0};
    struct ranges in_source = {0};
    struct ranges in_image = {0};
    struct err err = ERR_INIT;
    struct reader_spec spec = {.sector_size = sectors[rng_below(rng, COUNT(sectors))],
                               .retries = (unsigned)rng_below(rng, 3),
                               .on_unreadable = note,
                               .context = &told};
    uint64_t size = 1 + rng_below(rng, MEDIA_MAX); /* odd media */
    struct fault_spec faults = {.data = m->data, .sector_size = spec.sector_size, .strict = true};
    struct reader *r;
    char *map;

    if (rng_below(rng, 2))
        size = (size + spec.sector_size - 1) / spec.sector_size * spec.sector_size;
    if (size > MEDIA_MAX)
        size = MEDIA_MAX;
    if (size > spec.sector_size && rng_below(rng, 3) == 0)
        spec.offset = rng_below(rng, size / spec.sector_size) * spec.sector_size;
    spec.length = size - spec.offset;
    if (rng_below(rng, 4) == 0)
        spec.length = 1 + rng_below(rng, spec.length);
    make_damage(m, rng, size, &spec, &in_source, &in_image);
    map = mapfile_text(size, &in_source, "a test");
    faults.size = size;
    faults.map = map;
    faults.partial = rng_below(rng, 2) != 0;
    faults.read_max = rng_below(rng, 3) ? 0 : spec.sector_size + rng_below(rng, 20000);
    faults.error = rng_below(rng, 4) ? EIO : ENODATA;
    spec.source = fault_source_new(&faults);
    r = reader_new(&spec);
    assert_int_equal(read_all(r, &spec, m->got, &err), 0);
    assert_memory_equal(m->got, m->expected, spec.length);
    /* A last range that the image cuts inside a sector is no shorter in the source. */
    assert_ranges_equal(reader_unreadable(r), &in_image);
    assert_ranges_equal(&told.ranges, &in_image);
    check_attempts(spec.source, &in_source, &spec);
    reader_free(r);
    source_close(spec.source);
    free(map);
    ranges_free(&told.ranges);
    ranges_free(&in_source);
    ranges_free(&in_image);
}

static void
every_readable_byte_comes_over(void **state)
{
    struct media *m = xcalloc(1, sizeof *m);
    struct rng rng = rng_start("reader");

    (void)state;
    for (int round = 0; round < 400; round++)
        one_random_medium(m, &rng);
    free(m);
}

/* Runs the reader over 64 KiB with these faults; the return is reader_fill's. */
static ssize_t
run_with(struct fault_spec *faults, unsigned retries, struct ranges *unreadable, struct err *err)
{
    struct reader_spec spec = {.length = BUFFER, .sector_size = 512, .retries = retries};
    struct reader *r;
    ssize_t n;

    faults->size = BUFFER;
    faults->sector_size = 512;
    spec.source = fault_source_new(faults);
    r = reader_new(&spec);
    n = reader_fill(r, buffer, BUFFER, 0, err);
    assert_true(fault_source_reads(spec.source) < 10000);
    for (size_t i = 0; unreadable && i < reader_unreadable(r)->n; i++)
        ranges_add(unreadable, reader_unreadable(r)->v[i].offset,
                   reader_unreadable(r)->v[i].length);
    reader_free(r);
    source_close(spec.source);
    return n;
}

static void
a_sector_that_recovers_is_read(void **state)
{
    struct fault_spec faults = {.map = "0 + 1\n0 0x200 +\n0x200 0x200 *\n0x400 0xFC00 +\n",
                                .fail_times = 6};
    struct ranges bad = {0};
    struct err err = ERR_INIT;

    (void)state;
    /* With the block, then alone, then in each of four retry passes: the fifth succeeds. */
    assert_int_equal(run_with(&faults, 5, &bad, &err), BUFFER);
    assert_int_equal(bad.n, 0);
    faults.fail_times = 1000;
    assert_int_equal(run_with(&faults, 1, &bad, &err), BUFFER);
    assert_int_equal(bad.n, 1);
    assert_int_equal(bad.v[0].offset, 0x200);
    ranges_free(&bad);
}

static void
a_lost_device_interrupts(void **state)
{
    static const int gone[] = {ENODEV, ENXIO, ENOMEDIUM};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(gone); i++) {
        struct fault_spec faults = {.map = "0 + 1\n0 0x8000 +\n0x8000 0x8000 -\n",
                                    .error = gone[i]};

        assert_int_equal(run_with(&faults, 1, NULL, &err), -1);
        assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
        assert_int_equal(err.sys, gone[i]);
    }
}

/* Vanishing in the middle of a recovery must not count as so many bad sectors. */
static void
a_device_lost_during_recovery_interrupts(void **state)
{
    struct fault_spec faults = {.map = "0 + 1\n0 0x4000 +\n0x4000 0x200 -\n0x4200 0xBE00 +\n",
                                .partial = true,
                                .vanish_at = 0x9000};
    struct ranges bad = {0};
    struct err err = ERR_INIT;

    (void)state;
    faults.partial = false;
    assert_int_equal(run_with(&faults, 1, &bad, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
    assert_int_equal(err.sys, ENODEV);
    assert_true(ranges_total(&bad) <= 0x200);
    ranges_free(&bad);
}

static void
other_errors_end_the_job(void **state)
{
    static const int other[] = {EINVAL, EPERM, EACCES, ENOMEM, EBADF};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(other); i++) {
        struct fault_spec faults = {.map = "0 + 1\n0 0x10000 -\n", .error = other[i]};

        assert_int_equal(run_with(&faults, 1, NULL, &err), -1);
        assert_int_equal(err.outcome, OUTCOME_FAILED);
        assert_non_null(strstr(err.text, "cannot read the source at byte 0"));
    }
}

static void
errors_of_the_medium_do_not(void **state)
{
    static const int medium[] = {EIO, ENODATA, EREMOTEIO, EILSEQ, ETIMEDOUT, ENOLINK, EBADE};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(medium); i++) {
        struct fault_spec faults = {.map = "0 + 1\n0 0x10000 -\n", .error = medium[i]};
        struct ranges bad = {0};

        assert_int_equal(run_with(&faults, 0, &bad, &err), BUFFER);
        assert_int_equal(ranges_total(&bad), BUFFER);
        ranges_free(&bad);
    }
}

/* A medium that ends before its size has changed; wherever it ends, also inside a sector. */
static void
an_early_end_is_told(void **state)
{
    static const uint64_t ends[] = {1, 100, 511, 512, 612, 1023, 30000, 65535};
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct fault_spec faults = {.end_at = ends[i]};

        assert_int_equal(run_with(&faults, 1, NULL, &err), -1);
        assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
        assert_non_null(strstr(err.text, "before its size"));
        /* The same found out while recovering. */
        faults.map = "0 + 1\n0 0x200 -\n0x200 0xFE00 +\n";
        assert_int_equal(run_with(&faults, 1, NULL, &err), -1);
        assert_int_equal(err.outcome, OUTCOME_INTERRUPTED);
    }
}

static void
a_slow_sector_is_waited_for(void **state)
{
    struct fault_spec faults = {.map = "0 + 1\n0 0x8000 +\n0x8000 0x200 /\n0x8200 0x7E00 +\n",
                                .stall_ms = 20};
    struct ranges bad = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(run_with(&faults, 1, &bad, &err), BUFFER);
    assert_int_equal(bad.n, 0);
}

/* Bytes that change between reads are taken once: good neighbours are not read again and again. */
static void
unsteady_bytes_are_read_as_they_come(void **state)
{
    struct fault_spec faults = {.map = "0 + 1\n0 0x8000 ?\n0x8000 0x200 -\n0x8200 0x7E00 ?\n",
                                .partial = true};
    struct ranges bad = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(run_with(&faults, 1, &bad, &err), BUFFER);
    assert_int_equal(bad.n, 1);
    assert_int_equal(buffer[0], 1); /* of the first read, … */
    assert_int_equal(buffer[0x7fff], (uint8_t)(1 + 0x7fff));
    ranges_free(&bad);
}

/* A block that is bad from end to end costs one read of the whole, and the attempts at each sector.
 */
static void
reads_are_bounded(void **state)
{
    struct fault_spec faults = {.size = BUFFER, .sector_size = 512, .map = "0 + 1\n0 0x10000 -\n"};
    struct reader_spec spec = {.length = BUFFER, .sector_size = 512, .retries = 2};
    struct err err = ERR_INIT;
    struct reader *r;

    (void)state;
    spec.source = fault_source_new(&faults);
    r = reader_new(&spec);
    assert_int_equal(reader_fill(r, buffer, BUFFER, 0, &err), BUFFER);
    assert_int_equal(fault_source_reads(spec.source), 1 + 128 * 3);
    reader_free(r);
    source_close(spec.source);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_readable_byte_comes_over),
        cmocka_unit_test(a_sector_that_recovers_is_read),
        cmocka_unit_test(a_lost_device_interrupts),
        cmocka_unit_test(a_device_lost_during_recovery_interrupts),
        cmocka_unit_test(other_errors_end_the_job),
        cmocka_unit_test(errors_of_the_medium_do_not),
        cmocka_unit_test(an_early_end_is_told),
        cmocka_unit_test(a_slow_sector_is_waited_for),
        cmocka_unit_test(unsteady_bytes_are_read_as_they_come),
        cmocka_unit_test(reads_are_bounded),
    };

    return cmocka_run_group_tests(tests, make_buffer, free_buffer);
}
