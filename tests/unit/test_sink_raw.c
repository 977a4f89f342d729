#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "acquire/worker/sink.h"
#include "common/cleanup.h"
#include "common/segname.h"
#include "common/text.h"
#include "tests/lib/written.h"

#define MEDIA_MAX ((size_t)300 << 10)

static struct sink *
new_sink(int where, uint64_t segment, struct segment_log *log)
{
    struct sink_spec spec = {
        .dir = where, .name = "EV-01", .sector_size = 512, .segment_size = segment, .log = log};
    struct err err = ERR_INIT;
    struct sink *s = sink_raw_new(&spec, &err);

    assert_non_null(s);
    return s;
}

static int
feed(struct sink *s, uint8_t *data, size_t n, size_t block, struct err *err)
{
    for (size_t at = 0; at < n; at += block) {
        struct block b = {
            .offset = at, .length = n - at < block ? n - at : block, .data = data + at};

        if (s->ops->put(s, &b, err) != 0)
            return -1;
    }
    return 0;
}

static void
check_files(const uint8_t *data, size_t media, uint64_t segment, const struct segment *v, size_t n)
{
    assert_int_equal(n, segment ? (media + segment - 1) / segment : 1);
    check_segment_list(scratch_dir, v, n, media);
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *name = NULL;
        AUTO_FREE uint8_t *bytes = NULL;
        char ext[SEGNAME_EXT_MAX] = ".raw";
        size_t size;

        if (segment)
            assert_int_equal(segname_raw_split((uint32_t)i + 1, ext), 0);
        name = xasprintf("EV-01%s", ext);
        assert_string_equal(v[i].file, name);
        /* Every file but the last has exactly the size that was asked for. */
        if (i + 1 < n)
            assert_int_equal(v[i].size, segment);
        bytes = file_bytes(scratch_dir, name, &size);
        assert_int_equal(size, v[i].media_length);
        assert_memory_equal(bytes, data + v[i].media_offset, size);
    }
}

static void
segments_are_the_media(void **state)
{
    struct rng rng = rng_start("sink_raw");
    uint8_t *data = xcalloc(1, MEDIA_MAX);

    (void)state;
    media_fill(data, MEDIA_MAX, &rng);
    for (int round = 0; round < 60; round++) {
        size_t media = 1 + rng_below(&rng, MEDIA_MAX);
        uint64_t segment = rng_below(&rng, 4) ? 512 * (1 + rng_below(&rng, 100)) : 0;
        struct manifest_hashes hashes = {0};
        struct ranges bad = {0};
        struct sink_final final = {.hashes = &hashes, .unreadable = &bad};
        struct err err = ERR_INIT;
        struct segment_log *log = segment_log_new(scratch_dir, false, &err);
        struct sink *s = new_sink(scratch_dir, segment, log);
        AUTO_FREE struct segment *v = NULL;
        size_t n;

        if (rng_below(&rng, 4) == 0 && segment)
            media = (size_t)segment * (1 + rng_below(&rng, 3)); /* the last file is full */
        if (media > MEDIA_MAX)
            media = MEDIA_MAX;
        assert_int_equal(feed(s, data, media, 4096 * (1 + rng_below(&rng, 30)), &err), 0);
        assert_int_equal(s->ops->finish(s, &final, &err), 0);
        assert_int_equal(segment_log_finish(log, &err), 0);
        v = listed_segments(log, &n);
        check_files(data, media, segment, v, n);
        s->ops->free(s);
        segment_log_free(log);
        clear_directory(scratch_dir);
    }
    free(data);
}

static void
count_past_three_digits(void **state)
{
    struct err err = ERR_INIT;
    struct segment_log *log = segment_log_new(scratch_dir, false, &err);
    struct sink *s = new_sink(scratch_dir, 512, log);
    uint8_t *data = xcalloc(1, (size_t)512 * 1001);
    AUTO_FREE struct segment *v = NULL;
    size_t n;

    (void)state;
    assert_int_equal(feed(s, data, (size_t)512 * 1001, 65536, &err), 0);
    assert_int_equal(s->ops->finish(s, NULL, &err), 0);
    assert_int_equal(segment_log_finish(log, &err), 0);
    v = listed_segments(log, &n);
    assert_int_equal(n, 1001);
    assert_string_equal(v[998].file, "EV-01.999");
    assert_string_equal(v[999].file, "EV-01.1000");
    check_segment_list(scratch_dir, v, n, (uint64_t)512 * 1001);
    s->ops->free(s);
    segment_log_free(log);
    clear_directory(scratch_dir);
    free(data);
}

/* A name that is taken, by a file or by a link that leads nowhere, stops the sink. */
static void
nothing_is_overwritten(void **state)
{
    uint8_t data[2048] = {0};

    (void)state;
    for (int link = 0; link < 2; link++) {
        struct err err = ERR_INIT;
        struct segment_log *log = segment_log_new(scratch_dir, false, &err);
        struct sink *s = new_sink(scratch_dir, 512, log);
        struct stat st;

        if (link)
            assert_int_equal(symlinkat("elsewhere", scratch_dir, "EV-01.003"), 0);
        else
            assert_int_equal(mknodat(scratch_dir, "EV-01.003", S_IFREG | 0600, 0), 0);
        assert_int_equal(feed(s, data, sizeof data, 2048, &err), -1);
        assert_int_equal(err.sys, EEXIST);
        assert_non_null(strstr(err.text, "EV-01.003"));
        assert_int_not_equal(fstatat(scratch_dir, "elsewhere", &st, 0), 0);
        s->ops->free(s);
        segment_log_free(log);
        clear_directory(scratch_dir);
    }
}

/* Media of nothing at all: no file, no failure. */
static void
finish_without_media(void **state)
{
    struct err err = ERR_INIT;
    struct segment_log *log = segment_log_new(scratch_dir, false, &err);
    struct sink *s = new_sink(scratch_dir, 0, log);

    (void)state;
    assert_int_equal(s->ops->finish(s, NULL, &err), 0);
    assert_int_equal(segment_log_finish(log, &err), 0);
    assert_int_equal(segment_log_done(log), 0);
    s->ops->free(s);
    segment_log_free(log);
}

/* A file system of 256 KiB, in a mount namespace of this process's own. */
static void
a_full_disk_says_so(void **state)
{
    struct err err = ERR_INIT;
    uint8_t *data = xcalloc(1, (size_t)1 << 20);
    struct segment_log *log;
    struct sink *s;
    int full;

    (void)state;
    if (mkdirat(scratch_dir, "full", 0700) != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("full", "full", "tmpfs", 0, "size=256k") != 0) {
        print_message("SKIP: cannot mount a small file system here\n");
        free(data);
        skip();
    }
    full = open("full", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    log = segment_log_new(full, false, &err);
    s = new_sink(full, 0, log);
    assert_int_equal(feed(s, data, (size_t)1 << 20, (size_t)64 << 10, &err), -1);
    assert_int_equal(err.sys, ENOSPC);
    assert_non_null(strstr(err.text, "EV-01.raw"));
    s->ops->free(s);
    segment_log_free(log);
    (void)close(full);
    assert_int_equal(umount("full"), 0);
    free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_the_media), cmocka_unit_test(count_past_three_digits),
        cmocka_unit_test(nothing_is_overwritten), cmocka_unit_test(finish_without_media),
        cmocka_unit_test(a_full_disk_says_so),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
