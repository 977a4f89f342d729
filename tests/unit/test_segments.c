#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>

#include "acquire/worker/segments.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "tests/lib/written.h"

static void
append(const char *name, const void *p, size_t n)
{
    AUTO_FD int fd = openat(scratch_dir, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), n);
}

/* With hashes the pieces are given as they are written, else any part is called settled. */
static void
write_file(struct segment_log *log, const char *name, const uint8_t *data, bool hash,
           struct rng *rng)
{
    uint64_t size = 0;

    for (uint64_t steps = 1 + rng_below(rng, 7); steps > 0; steps--) {
        size_t part = rng_below(rng, 3) ? rng_below(rng, 3000) : rng_below(rng, (size_t)1 << 19);
        const uint8_t *from = data + rng_below(rng, (size_t)1 << 19);

        append(name, from, part);
        size += part;
        if (hash)
            segment_log_give(log, from, part);
        else if (rng_below(rng, 2))
            segment_log_settled(log, rng_below(rng, size + 1));
        segment_log_wait(log, rng_below(rng, SEGMENT_PIECES_MAX));
    }
}

static void
files_are_listed_and_hashed(void **state)
{
    struct rng rng = rng_start("segments");
    uint8_t *data = xcalloc(1, (size_t)1 << 20);

    (void)state;
    for (size_t i = 0; i < (size_t)1 << 20; i++)
        data[i] = (uint8_t)rng_next(&rng);
    for (int round = 0; round < 25; round++) {
        bool hash = rng_below(&rng, 3) != 0;
        size_t files = 1 + rng_below(&rng, 20);
        struct err err = ERR_INIT;
        struct segment_log *log = segment_log_new(scratch_dir, hash, &err);
        uint64_t media = 0;
        AUTO_FREE struct segment *v = NULL;
        size_t n = 0;

        assert_non_null(log);
        for (size_t i = 0; i < files; i++) {
            AUTO_FREE char *name = xasprintf("seg.%zu", i);

            segment_log_begin(log, name, media);
            write_file(log, name, data, hash, &rng);
            segment_log_close(log, 512 * (i + 1));
            media += 512 * (i + 1);
        }
        assert_int_equal(segment_log_finish(log, &err), 0);
        assert_int_equal(segment_log_finish(log, &err), 0); /* again: the same */
        v = listed_segments(log, &n);
        assert_int_equal(n, files);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(strlen(v[i].sha256), hash ? 64 : 0);
        check_segment_list(scratch_dir, v, n, media);
        segment_log_free(log);
        clear_directory(scratch_dir);
    }
    free(data);
}

/* Less is there than was written; or more. */
static void
another_size_is_noticed(void **state)
{
    (void)state;
    for (size_t n = 9; n <= 11; n += 2) {
        struct err err = ERR_INIT;
        struct segment_log *log = segment_log_new(scratch_dir, true, &err);

        append("cut.E01", "0123456789", 10);
        segment_log_begin(log, "cut.E01", 0);
        segment_log_give(log, (const uint8_t *)"01234567890", n);
        segment_log_close(log, 512);
        assert_int_equal(segment_log_finish(log, &err), -1);
        assert_non_null(strstr(err.text, "cut.E01"));
        assert_non_null(strstr(err.text, "size"));
        assert_int_equal(segment_log_done(log), 0);
        segment_log_free(log);
        clear_directory(scratch_dir);
    }
}

/* Who waits for his bytes is not left waiting by a log that has failed, and may end what he is at
   before he asks: it takes no more. */
static void
nobody_waits_for_a_log_that_failed(void **state)
{
    struct err err = ERR_INIT;
    struct segment_log *log = segment_log_new(scratch_dir, true, &err);

    (void)state;
    segment_log_begin(log, "gone.E01", 0);
    segment_log_close(log, 512);
    segment_log_begin(log, "next.E02", 512);
    segment_log_give(log, (const uint8_t *)"abc", 3);
    segment_log_wait(log, 0);
    for (int i = 0; i < 2 * SEGMENT_PIECES_MAX; i++) {
        segment_log_give(log, (const uint8_t *)"abc", 3);
        segment_log_wait(log, SEGMENT_PIECES_MAX - 1);
    }
    assert_int_equal(segment_log_check(log, &err), -1);
    assert_int_equal(err.sys, ENOENT);
    /* Until he hears of it, he may go on. */
    for (int i = 0; i < 2 * SEGMENT_PIECES_MAX; i++) {
        segment_log_give(log, (const uint8_t *)"abc", 3);
        segment_log_wait(log, 1);
    }
    segment_log_free(log);
}

/* A file of an earlier run is read, and must be what it was. */
static void
a_kept_file_is_compared(void **state)
{
    char name[] = "k.E01";
    struct kept_segment kept = {.file = name, .size = 3, .media_length = 512};

    (void)state;
    append("k.E01", "abc", 3);
    for (int good = 0; good < 2; good++) {
        struct err err = ERR_INIT;
        struct segment_log *log = segment_log_new(scratch_dir, true, &err);

        hash_bytes("SHA256", good ? "abc" : "abd", 3, kept.sha256);
        hash_bytes("MD5", good ? "abc" : "abd", 3, kept.md5);
        segment_log_keep(log, scratch_dir, &kept);
        assert_int_equal(segment_log_finish(log, &err), good ? 0 : -1);
        assert_true(good || strstr(err.text, "damaged"));
        segment_log_free(log);
    }
    clear_directory(scratch_dir);
}

/* The first file that cannot be had ends it; the files after are not waited for for ever. */
static void
a_missing_file_is_an_error(void **state)
{
    struct err err = ERR_INIT;
    struct segment_log *log = segment_log_new(scratch_dir, true, &err);

    (void)state;
    append("a.E01", "a", 1);
    segment_log_begin(log, "a.E01", 0);
    segment_log_give(log, (const uint8_t *)"a", 1);
    segment_log_close(log, 512);
    segment_log_begin(log, "gone.E02", 512);
    segment_log_close(log, 512);
    segment_log_begin(log, "a.E01", 1024);
    segment_log_close(log, 512);
    assert_int_equal(segment_log_finish(log, &err), -1);
    assert_non_null(strstr(err.text, "gone.E02"));
    assert_int_equal(err.sys, ENOENT);
    segment_log_free(log);
    clear_directory(scratch_dir);
}

static void
a_link_is_not_followed(void **state)
{
    struct err err = ERR_INIT;
    struct segment_log *log = segment_log_new(scratch_dir, true, &err);

    (void)state;
    append("real", "secret", 6);
    assert_int_equal(symlinkat("real", scratch_dir, "x.E01"), 0);
    segment_log_begin(log, "x.E01", 0);
    segment_log_close(log, 512);
    assert_int_equal(segment_log_finish(log, &err), -1);
    assert_int_equal(err.sys, ELOOP);
    segment_log_free(log);
    clear_directory(scratch_dir);
}

/* As when a job stops in the middle: one file is still open, or none was ever begun. */
static void
an_unfinished_file_is_left_alone(void **state)
{
    struct err err = ERR_INIT;
    struct segment_log *log = segment_log_new(scratch_dir, true, &err);

    (void)state;
    assert_int_equal(segment_log_finish(log, &err), 0);
    assert_int_equal(segment_log_done(log), 0);
    segment_log_free(log);
    log = segment_log_new(scratch_dir, true, &err);
    append("open.E01", "abc", 3);
    segment_log_begin(log, "open.E01", 0);
    segment_log_give(log, (const uint8_t *)"abc", 3);
    segment_log_free(log);
    segment_log_free(NULL);
    clear_directory(scratch_dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_listed_and_hashed),
        cmocka_unit_test(another_size_is_noticed),
        cmocka_unit_test(nobody_waits_for_a_log_that_failed),
        cmocka_unit_test(a_kept_file_is_compared),
        cmocka_unit_test(a_missing_file_is_an_error),
        cmocka_unit_test(a_link_is_not_followed),
        cmocka_unit_test(an_unfinished_file_is_left_alone),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
