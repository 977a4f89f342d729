#include "tests/lib/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/outfile.h"

static size_t
entries(const char *path)
{
    AUTO_DIR DIR *d = opendir(path);
    size_t n = 0;

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        n += e->d_name[0] != '.' || (e->d_name[1] != '\0' && e->d_name[1] != '.');
    return n;
}

static void
assert_content(const char *name, const char *wanted)
{
    struct err err = ERR_INIT;
    size_t n;
    AUTO_FREE char *got = infile_read(AT_FDCWD, name, 1 << 20, &n, &err);

    if (!got)
        fail_msg("%s", err.text);
    assert_int_equal(n, strlen(wanted));
    assert_string_equal(got, wanted);
}

static int
fresh_dir(const char *name)
{
    int fd;

    assert_int_equal(mkdir(name, 0755), 0);
    fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void
written_whole_and_never_over_another(void **state)
{
    struct err err = ERR_INIT;
    AUTO_FD int dir = fresh_dir("w");

    (void)state;
    assert_int_equal(outfile_write(dir, "a", "one", 3, false, &err), 0);
    assert_content("w/a", "one");
    assert_int_equal(outfile_write(dir, "a", "two", 3, false, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    assert_content("w/a", "one");
    assert_int_equal(outfile_write(dir, "a", "two", 3, true, &err), 0);
    assert_content("w/a", "two");
    assert_int_equal(outfile_write(dir, "empty", "", 0, false, &err), 0);
    assert_content("w/empty", "");
    assert_int_equal(entries("w"), 2); /* no temporary file is left */
}

/* A planted link must neither be followed nor replaced. */
static void
links_are_not_followed(void **state)
{
    struct err err = ERR_INIT;
    AUTO_FD int dir = fresh_dir("l");

    (void)state;
    assert_int_equal(outfile_write(dir, "victim", "safe", 4, false, &err), 0);
    assert_int_equal(symlink("victim", "l/link"), 0);
    assert_int_equal(symlink("nowhere", "l/dangling"), 0);
    assert_int_equal(outfile_write(dir, "link", "evil", 4, false, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    assert_int_equal(outfile_write(dir, "dangling", "evil", 4, false, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    assert_content("l/victim", "safe");
    assert_int_equal(access("l/nowhere", F_OK), -1);
    /* Replacing takes the link's place, not its target's. */
    assert_int_equal(outfile_write(dir, "link", "new", 3, true, &err), 0);
    assert_content("l/victim", "safe");
    assert_content("l/link", "new");
}

static void
moves(void **state)
{
    struct err err = ERR_INIT;
    AUTO_FD int from = fresh_dir("from");
    AUTO_FD int to = fresh_dir("to");

    (void)state;
    assert_int_equal(outfile_write(from, "a", "one", 3, false, &err), 0);
    assert_int_equal(outfile_write(from, "b", "two", 3, false, &err), 0);
    assert_int_equal(outfile_move(from, "a", to, "x", &err), 0);
    assert_content("to/x", "one");
    assert_int_equal(outfile_move(from, "b", to, "x", &err), -1);
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    assert_content("to/x", "one");
    assert_content("from/b", "two");
    assert_int_equal(outfile_move(from, "absent", to, "y", &err), -1);
    assert_int_equal(err.outcome, OUTCOME_FAILED);
    assert_int_equal(entries("from"), 1);
    assert_int_equal(entries("to"), 1);
}

static void
a_directory_that_takes_no_file(void **state)
{
    struct err err = ERR_INIT;
    AUTO_FD int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_true(proc >= 0);
    assert_int_equal(outfile_write(proc, "x", "y", 1, false, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_FAILED);
    assert_true(err.sys != 0);
}

static void
reading_is_bounded(void **state)
{
    struct err err = ERR_INIT;
    AUTO_FD int dir = fresh_dir("r");
    size_t n;

    (void)state;
    assert_int_equal(outfile_write(dir, "f", "0123456789", 10, false, &err), 0);
    assert_null(infile_read(AT_FDCWD, "r/f", 9, &n, &err));
    assert_non_null(strstr(err.text, "larger than 9 bytes"));
    AUTO_FREE char *all = infile_read(AT_FDCWD, "r/f", 10, &n, &err);
    assert_non_null(all);
    assert_int_equal(n, 10);
    assert_null(infile_read(AT_FDCWD, "r", 100, &n, &err));
    assert_non_null(strstr(err.text, "a directory"));
    assert_null(infile_read(AT_FDCWD, "r/absent", 100, &n, &err));
    assert_int_equal(err.sys, ENOENT);
    assert_int_equal(mkfifo("r/fifo", 0600), 0);
    assert_null(infile_read(AT_FDCWD, "r/fifo", 100, &n, &err)); /* and does not wait */
}

static void
parents(void **state)
{
    static const char *const bad[] = {"", "/", "a/", ".", "..", "a/.", "a/..", "./"};
    struct err err = ERR_INIT;
    const char *base;
    struct stat want;
    struct stat got;
    int fd;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (path_open_parent(bad[i], &base, &err) != -1)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(err.outcome, OUTCOME_USAGE);
    }
    fd = path_open_parent("file", &base, &err);
    assert_true(fd >= 0);
    assert_string_equal(base, "file");
    assert_int_equal(fstat(fd, &got), 0);
    assert_int_equal(stat(".", &want), 0);
    assert_int_equal(got.st_ino, want.st_ino);
    (void)close(fd);
    fd = path_open_parent("/file", &base, &err);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &got), 0);
    assert_int_equal(stat("/", &want), 0);
    assert_int_equal(got.st_ino, want.st_ino);
    (void)close(fd);
    assert_int_equal(path_open_parent("absent/file", &base, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_FAILED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_whole_and_never_over_another),
        cmocka_unit_test(links_are_not_followed),
        cmocka_unit_test(moves),
        cmocka_unit_test(a_directory_that_takes_no_file),
        cmocka_unit_test(reading_is_bounded),
        cmocka_unit_test(parents),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
