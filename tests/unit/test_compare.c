/* The comparison with a source, block by block: what differs, what is left out on either side, and
   what counts as neither. */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>

#include "common/cleanup.h"
#include "verify/compare.h"
#include "verify/scan.h"

#define CHUNK 1048576 /* of the raw reader */
#define SIZE (3 * CHUNK + 1000)

static uint8_t media[SIZE];

static void
write_file(const char *name, const uint8_t *data, size_t n)
{
    AUTO_FD int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), (ssize_t)n);
}

static int
setup(void **state)
{
    struct rng rng = {42};

    if (scratch_enter(state) != 0)
        return -1;
    for (size_t i = 0; i < SIZE; i++)
        media[i] = (uint8_t)(1 + rng_next(&rng) % 255);
    write_file("image.raw", media, SIZE);
    return 0;
}

/* The result of one pass over image.raw beside `source`; the caller frees it. */
static struct compare *
pass(const char *source, uint64_t offset, uint64_t size, const struct ranges *unreadable)
{
    static const atomic_bool never;
    struct err err = ERR_INIT;
    AUTO_FD int fd = open(source, O_RDONLY | O_CLOEXEC);
    struct image *img = image_open("image.raw", NULL, &err);
    struct compare_spec spec = {
        .fd = fd, .offset = offset, .size = size, .sector_size = 512, .unreadable = unreadable};
    struct scan_spec scan = {.image = img, .threads = 2, .stop = &never, .n_consumers = 1};
    struct scan_result result;
    struct compare *c;

    assert_true(fd >= 0);
    assert_non_null(img);
    spec.block_max = scan_block_bytes(img);
    c = compare_new(&spec, &err);
    assert_non_null(c);
    scan.consumers[0] = (struct scan_consumer){compare_run, c};
    scan.progress = progress_new(PROGRESS_NONE);
    assert_int_equal(scan_run(&scan, &result, &err), 0);
    progress_free(scan.progress);
    scan_result_free(&result);
    image_free(img);
    return c;
}

static void
the_same_is_the_same(void **state)
{
    const struct ranges none = {0};
    struct compare *c = pass("image.raw", 0, SIZE, &none);

    (void)state;
    assert_int_equal(compare_results(c)->compared, SIZE);
    assert_int_equal(compare_results(c)->different.n, 0);
    assert_int_equal(compare_results(c)->unreadable.n, 0);
    compare_free(c);
}

/* Every changed byte is in a range, and every range has one: whole sectors, merged. */
static void
every_difference_is_found(void **state)
{
    static uint8_t changed[SIZE];
    const struct ranges none = {0};
    struct rng rng = rng_start("compare");

    (void)state;
    for (int round = 0; round < 20; round++) {
        size_t n = 1 + rng_below(&rng, 30);
        struct ranges wanted = {0};
        const struct compare_result *r;
        struct compare *c;

        memcpy(changed, media, SIZE);
        for (size_t i = 0; i < n; i++) {
            uint64_t at = rng_below(&rng, SIZE);
            uint64_t sector = at / 512 * 512;

            changed[at] ^= (uint8_t)(1 + rng_below(&rng, 254));
            changed[at] = changed[at] == media[at] ? (uint8_t)~media[at] : changed[at];
            ranges_add(&wanted, sector, SIZE - sector < 512 ? SIZE - sector : 512);
        }
        write_file("changed", changed, SIZE);
        c = pass("changed", 0, SIZE, &none);
        r = compare_results(c);
        assert_int_equal(r->different.n, wanted.n);
        assert_memory_equal(r->different.v, wanted.v, wanted.n * sizeof *wanted.v);
        assert_int_equal(r->compared, SIZE);
        compare_free(c);
        ranges_free(&wanted);
    }
}

static void
what_was_unreadable_is_not_compared(void **state)
{
    static uint8_t changed[SIZE];
    struct ranges unreadable = {0};
    struct compare *c;

    (void)state;
    memcpy(changed, media, SIZE);
    memset(changed + 1024, 0, 2048);
    write_file("changed", changed, SIZE);
    ranges_add(&unreadable, 1024, 1024);
    c = pass("changed", 0, SIZE, &unreadable);
    assert_int_equal(compare_results(c)->compared, SIZE - 1024);
    assert_int_equal(compare_results(c)->different.n, 1);
    assert_int_equal(compare_results(c)->different.v[0].offset, 2048);
    assert_int_equal(compare_results(c)->now_zero, 1024);
    compare_free(c);
    ranges_free(&unreadable);
}

/* The media may begin inside the source, at no multiple of anything; the source may end early. */
static void
places_and_ends(void **state)
{
    static uint8_t shifted[SIZE + 777];
    const struct ranges none = {0};
    struct compare *c;

    (void)state;
    memcpy(shifted + 777, media, SIZE);
    write_file("shifted", shifted, sizeof shifted);
    c = pass("shifted", 777, sizeof shifted, &none);
    assert_int_equal(compare_results(c)->compared, SIZE);
    assert_int_equal(compare_results(c)->different.n, 0);
    compare_free(c);
    write_file("short", media, CHUNK + 100);
    c = pass("short", 0, CHUNK + 100, &none);
    assert_int_equal(compare_results(c)->compared, CHUNK + 100);
    assert_int_equal(compare_results(c)->different.n, 0);
    assert_int_equal(compare_results(c)->unreadable.n, 0);
    compare_free(c);
    c = pass("short", 5 * CHUNK, CHUNK + 100, &none);
    assert_int_equal(compare_results(c)->compared, 0);
    compare_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_the_same),
        cmocka_unit_test(every_difference_is_found),
        cmocka_unit_test(what_was_unreadable_is_not_compared),
        cmocka_unit_test(places_and_ends),
    };

    return cmocka_run_group_tests(tests, setup, scratch_leave);
}
