#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "acquire/front/destination.h"
#include "common/cleanup.h"
#include "common/segname.h"
#include "common/text.h"

static const char *const side_files[] = {
    ".manifest.json",
    ".log",
    ".map",
    ".md5",
    ".sha256",
    ".custody.jsonl",
    ".manifest.json.p7s",
    ".manifest.json.tsr",
    ".partial",
};

static void
write_file(const char *name, const char *text)
{
    AUTO_FD int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void
assert_text(const char *name, const char *text)
{
    AUTO_FD int fd = open(name, O_RDONLY | O_CLOEXEC);
    char buf[64] = "";

    if (fd < 0)
        fail_msg("'%s' is not there", name);
    assert_true(read(fd, buf, sizeof buf - 1) >= 0);
    assert_string_equal(buf, text);
}

static bool
is_there(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0;
}

static struct destination
opened(const char *path)
{
    struct destination d;
    struct err err = ERR_INIT;

    if (destination_open(&d, path, &err) != 0)
        fail_msg("%s", err.text);
    return d;
}

/* --- names --- */

static void
names_that_cannot_be(void **state)
{
    static const char *const bad[] = {
        "",      "/",      ".",      "..",     "a/..", "EV-01.E01", "EV-01.e01", "EV.raw",
        "EV.dd", "EV.001", "EV\n01", "EV\x7f", "E\\V", "EV\x1b[2J", "x/y/",
    };
    char *endless = xcalloc(1, 300);

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct destination d;
        struct err err = ERR_INIT;

        if (destination_open(&d, bad[i], &err) == 0)
            fail_msg("'%s' was taken", bad[i]);
        assert_true(err.outcome == OUTCOME_USAGE || err.outcome == OUTCOME_FAILED);
        destination_close(&d);
    }
    for (size_t n = 199; n < 299; n += 99) {
        struct destination d;
        struct err err = ERR_INIT;

        memset(endless, 'a', n);
        assert_int_equal(destination_open(&d, endless, &err), n < 200 ? 0 : -1);
        destination_close(&d);
    }
    free(endless);
}

static void
a_missing_directory_is_named(void **state)
{
    struct destination d;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(destination_open(&d, "no/such/EV-01", &err), -1);
    assert_int_equal(err.outcome, OUTCOME_FAILED);
    assert_non_null(strstr(err.text, "no/such"));
    destination_close(&d);
}

/* Looks with one name taken, by a file and by a link that leads nowhere. */
static bool
refused_with(const struct plan_request *r, const char *extension)
{
    AUTO_FREE char *name = xasprintf("EV-01%s", extension);
    struct destination d = opened("EV-01");
    bool refused = true;
    struct plan plan;

    for (int link = 0; link < 2; link++) {
        struct err err = ERR_INIT;

        assert_int_equal(plan_make(r, &plan, &err), 0);
        if (link)
            assert_int_equal(symlink("/nonexistent/target", name), 0);
        else
            write_file(name, "someone's");
        if (destination_check_names(&d, r, &plan, false, &err) == 0) {
            refused = false;
        } else {
            assert_int_equal(err.outcome, OUTCOME_REFUSED);
            assert_non_null(strstr(err.text, name));
        }
        if (!link)
            assert_text(name, "someone's");
        assert_int_equal(unlink(name), 0);
    }
    destination_close(&d);
    return refused;
}

static void
every_side_file_counts(void **state)
{
    struct plan_request r = {.media_size = 1 << 20, .sector_size = 512, .e01 = true};

    (void)state;
    for (size_t i = 0; i < COUNT(side_files); i++) {
        if (!refused_with(&r, side_files[i]))
            fail_msg("'%s' was overlooked", side_files[i]);
    }
}

static void
every_segment_up_to_one_past_the_last(void **state)
{
    struct plan_request e01 = {
        .media_size = 20 << 20, .sector_size = 512, .e01 = true, .segment_size = 1 << 20};
    struct plan_request split = {
        .media_size = 10 << 20, .sector_size = 512, .segment_size = 1 << 20};
    struct plan_request raw = {.media_size = 10 << 20, .sector_size = 512};
    struct err err = ERR_INIT;
    struct plan plan;
    char ext[SEGNAME_EXT_MAX];

    (void)state;
    assert_int_equal(plan_make(&e01, &plan, &err), 0);
    assert_true(plan.max_segments >= 20);
    for (uint32_t i = 1; i <= plan.max_segments + 3; i++) {
        assert_int_equal(segname_e01(i, ext), 0);
        assert_int_equal(refused_with(&e01, ext), i <= plan.max_segments + 1);
    }
    for (uint32_t i = 1; i <= 13; i++) {
        assert_int_equal(segname_raw_split(i, ext), 0);
        assert_int_equal(refused_with(&split, ext), i <= 11);
    }
    assert_true(refused_with(&raw, ".raw"));
    assert_false(refused_with(&raw, ".E01"));
}

static void
nothing_taken_is_fine(void **state)
{
    struct plan_request r = {.media_size = 1 << 20, .sector_size = 512, .e01 = true};
    struct destination d = opened("EV-02");
    struct err err = ERR_INIT;
    uint64_t space = 0;
    uint64_t id = 0;
    struct plan plan;
    struct stat st;

    (void)state;
    assert_int_equal(plan_make(&r, &plan, &err), 0);
    assert_int_equal(destination_check_names(&d, &r, &plan, false, &err), 0);
    assert_int_equal(destination_space(&d, &space, &id, &err), 0);
    assert_int_equal(stat(".", &st), 0);
    assert_int_equal(id, st.st_dev);
    destination_close(&d);
}

/* --- making and publishing --- */

static struct destination
made(const char *path)
{
    struct destination d = opened(path);
    struct err err = ERR_INIT;

    if (destination_make(&d, &err) != 0)
        fail_msg("%s", err.text);
    return d;
}

static void
the_partial_directory_is_private(void **state)
{
    struct destination d = made("EV-03");
    struct destination again = opened("EV-03");
    struct err err = ERR_INIT;
    struct stat st;

    (void)state;
    assert_int_equal(stat("EV-03.partial", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(destination_make(&again, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    write_file("EV-03.partial/x", "x");
    assert_false(destination_remove_empty(&d));
    assert_int_equal(unlink("EV-03.partial/x"), 0);
    assert_true(destination_remove_empty(&d));
    assert_true(destination_remove_empty(&d)); /* it is gone */
    destination_close(&again);
    destination_close(&d);
    destination_close(&d); /* twice is fine */
}

static void
fill_partial(void)
{
    write_file("EV-04.partial/EV-04.E01", "segment 1");
    write_file("EV-04.partial/EV-04.E02", "segment 2");
    write_file("EV-04.partial/EV-04.log", "log");
    write_file("EV-04.partial/EV-04.manifest.json", "manifest");
}

static void
remove_files(const char *prefix)
{
    static const char *const ext[] = {"E01", "E02", "log", "manifest.json"};

    for (size_t i = 0; i < COUNT(ext); i++) {
        AUTO_FREE char *name = xasprintf("%sEV-04.%s", prefix, ext[i]);

        (void)unlink(name);
    }
}

static void
publishing_moves_everything(void **state)
{
    struct destination d = made("EV-04");
    struct err err = ERR_INIT;

    (void)state;
    fill_partial();
    if (destination_publish(&d, "EV-04.manifest.json", &err) != 0)
        fail_msg("%s", err.text);
    assert_text("EV-04.E01", "segment 1");
    assert_text("EV-04.E02", "segment 2");
    assert_text("EV-04.log", "log");
    assert_text("EV-04.manifest.json", "manifest");
    assert_false(is_there("EV-04.partial"));
    remove_files("");
    destination_close(&d);
}

/* Whichever name is taken meanwhile: all is as before, and what was planted is as it was. */
static void
a_name_taken_meanwhile_rolls_back(void **state)
{
    static const char *const planted[] = {"EV-04.E01", "EV-04.E02", "EV-04.log",
                                          "EV-04.manifest.json"};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(planted); i++) {
        const char *name = planted[i / 2];
        struct destination d = made("EV-04");
        struct err err = ERR_INIT;

        fill_partial();
        if (i % 2)
            assert_int_equal(symlink("nowhere", name), 0);
        else
            write_file(name, "planted");
        assert_int_equal(destination_publish(&d, "EV-04.manifest.json", &err), -1);
        assert_int_equal(err.outcome, OUTCOME_REFUSED);
        assert_text("EV-04.partial/EV-04.E01", "segment 1");
        assert_text("EV-04.partial/EV-04.E02", "segment 2");
        assert_text("EV-04.partial/EV-04.log", "log");
        assert_text("EV-04.partial/EV-04.manifest.json", "manifest");
        for (size_t k = 0; k < COUNT(planted); k++)
            assert_int_equal(is_there(planted[k]), k == i / 2);
        if (i % 2 == 0)
            assert_text(name, "planted");
        assert_false(is_there("nowhere"));
        assert_int_equal(unlink(name), 0);
        remove_files("EV-04.partial/");
        assert_true(destination_remove_empty(&d));
        destination_close(&d);
    }
}

/* The manifest vouches for the rest, so without it nothing is published. */
static void
without_the_last_file_nothing_is_published(void **state)
{
    struct destination d = made("EV-04");
    struct err err = ERR_INIT;

    (void)state;
    write_file("EV-04.partial/EV-04.E01", "segment 1");
    assert_int_equal(destination_publish(&d, "EV-04.manifest.json", &err), -1);
    assert_text("EV-04.partial/EV-04.E01", "segment 1");
    assert_false(is_there("EV-04.E01"));
    remove_files("EV-04.partial/");
    assert_true(destination_remove_empty(&d));
    destination_close(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_cannot_be),
        cmocka_unit_test(a_missing_directory_is_named),
        cmocka_unit_test(every_side_file_counts),
        cmocka_unit_test(every_segment_up_to_one_past_the_last),
        cmocka_unit_test(nothing_taken_is_fine),
        cmocka_unit_test(the_partial_directory_is_private),
        cmocka_unit_test(publishing_moves_everything),
        cmocka_unit_test(a_name_taken_meanwhile_rolls_back),
        cmocka_unit_test(without_the_last_file_nothing_is_published),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
