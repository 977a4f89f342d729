#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "acquire/worker/segment_writer.h"
#include "common/text.h"
#include "tests/lib/written.h"

#define TMPFS 0x01021994 /* statfs(2) */
#define ROOM ((size_t)256 << 10)

struct bench {
    int dir;
    struct segment_log *log;
    struct segment_writer *writer;
    struct rng rng;
    uint8_t *expected; /* of the open file */
    uint64_t size;
    uint64_t sent;
};

static void
bench_begin(struct bench *b, int dir)
{
    struct err err = ERR_INIT;

    *b = (struct bench){.dir = dir, .rng = rng_start("segment_writer")};
    b->expected = xcalloc(1, 64 * ROOM);
    b->log = segment_log_new(dir, true, &err);
    assert_non_null(b->log);
    b->writer = segment_writer_new(dir, b->log, ROOM, &err);
    assert_non_null(b->writer);
}

static void
bench_end(struct bench *b)
{
    segment_writer_free(b->writer);
    segment_log_free(b->log);
    free(b->expected);
    clear_directory(b->dir);
}

static void
add(struct bench *b)
{
    size_t left = ROOM - (size_t)(b->size - b->sent);
    size_t n = (size_t)rng_below(&b->rng, left + 1);
    uint8_t *p = segment_writer_add(b->writer, n);

    for (size_t i = 0; i < n; i++)
        p[i] = b->expected[b->size + i] = (uint8_t)rng_next(&b->rng);
    b->size += n;
    assert_int_equal(segment_writer_at(b->writer), b->size);
}

/* What has not been sent may still be changed. */
static void
change(struct bench *b)
{
    uint64_t at = b->sent + rng_below(&b->rng, b->size - b->sent + 1);

    if (at < b->size)
        *segment_writer_added(b->writer, at) = b->expected[at] = (uint8_t)rng_next(&b->rng);
}

static void
send(struct bench *b)
{
    struct err err = ERR_INIT;

    assert_int_equal(segment_writer_send(b->writer, &err), 0);
    b->sent = b->size;
}

static void
write_file(struct bench *b, const char *name, uint64_t media)
{
    struct err err = ERR_INIT;

    b->size = b->sent = 0;
    assert_int_equal(segment_writer_begin(b->writer, name, media, &err), 0);
    for (uint64_t steps = rng_below(&b->rng, 40); steps > 0; steps--) {
        uint64_t what = rng_below(&b->rng, 4);

        if (what < 2)
            add(b);
        else if (what == 2)
            change(b);
        else
            send(b);
    }
    assert_int_equal(segment_writer_end(b->writer, 512, &err), 0);
}

/* Files of any length, sent in any pieces: what lies there is what was added, and so are the
 * hashes. */
static void
files_hold_what_was_added(int dir)
{
    struct err err = ERR_INIT;
    struct segment *v;
    struct bench b;
    size_t n;

    bench_begin(&b, dir);
    for (unsigned i = 0; i < 60; i++) {
        char name[16];
        uint8_t *got;

        (void)snprintf(name, sizeof name, "x.%u", i);
        write_file(&b, name, 512 * (uint64_t)i);
        got = file_bytes(dir, name, &n);
        assert_int_equal(n, b.size);
        assert_memory_equal(got, b.expected, n);
        free(got);
    }
    assert_int_equal(segment_log_finish(b.log, &err), 0);
    v = listed_segments(b.log, &n);
    assert_int_equal(n, 60);
    check_segment_list(dir, v, n, 60 * 512);
    free(v);
    bench_end(&b);
}

/* A write that ends in the middle of a block: the error is that of the rest. */
static void
a_part_is_written(int dir)
{
    struct rlimit limit;
    struct rlimit old;
    struct err err = ERR_INIT;
    struct bench b;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    bench_begin(&b, dir);
    assert_int_equal(segment_writer_begin(b.writer, "x.E01", 0, &err), 0);
    memset(segment_writer_add(b.writer, ROOM), 1, ROOM);
    limit = (struct rlimit){.rlim_cur = ROOM / 2 + 1000, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(segment_writer_send(b.writer, &err), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(err.sys, EFBIG);
    bench_end(&b);
}

static void
on_a_disk(void **state)
{
    (void)state;
    files_hold_what_was_added(scratch_dir);
    a_part_is_written(scratch_dir);
}

/* Which takes no direct writes, or, since Linux 6.6, ones of any length. */
static void
in_memory(void **state)
{
    char path[] = "/dev/shm/exhibit-unit.XXXXXX";
    struct statfs fs;
    int dir;

    (void)state;
    if (statfs("/dev/shm", &fs) != 0 || fs.f_type != TMPFS || !mkdtemp(path)) {
        print_message("SKIP: no tmpfs at /dev/shm\n");
        skip();
    }
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    files_hold_what_was_added(dir);
    a_part_is_written(dir);
    (void)close(dir);
    assert_int_equal(rmdir(path), 0);
}

static void
what_exists_is_not_touched(void **state)
{
    struct err err = ERR_INIT;
    struct bench b;
    int fd;

    (void)state;
    bench_begin(&b, scratch_dir);
    fd = open("there.E01", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "abc", 3), 3);
    (void)close(fd);
    assert_int_equal(symlink("there.E01", "link.E01"), 0);
    assert_int_equal(segment_writer_begin(b.writer, "there.E01", 0, &err), -1);
    assert_int_equal(err.sys, EEXIST);
    assert_int_equal(segment_writer_begin(b.writer, "link.E01", 0, &err), -1);
    assert_int_equal(err.sys, EEXIST);
    bench_end(&b);
}

/* A job that stops leaves a file open. */
static void
it_can_end_in_the_middle(void **state)
{
    struct err err = ERR_INIT;
    struct bench b;

    (void)state;
    bench_begin(&b, scratch_dir);
    assert_int_equal(segment_writer_begin(b.writer, "open.E01", 0, &err), 0);
    for (unsigned i = 0; i < 9; i++) {
        (void)segment_writer_add(b.writer, ROOM);
        assert_int_equal(segment_writer_send(b.writer, &err), 0);
    }
    bench_end(&b);
    segment_writer_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_disk),
        cmocka_unit_test(in_memory),
        cmocka_unit_test(what_exists_is_not_touched),
        cmocka_unit_test(it_can_end_in_the_middle),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
