#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "acquire/front/joblog.h"
#include "common/cleanup.h"
#include "common/outfile.h"

static char *
text_of(const char *name)
{
    struct err err = ERR_INIT;
    size_t n;
    char *text = infile_read(AT_FDCWD, name, 1 << 20, &n, &err);

    if (!text)
        fail_msg("%s", err.text);
    return text;
}

static void
both_logs_say_the_same(void **state)
{
    struct joblog *log = joblog_new();
    struct err err = ERR_INIT;
    AUTO_FREE char *a = NULL;
    AUTO_FREE char *b = NULL;

    (void)state;
    assert_int_equal(joblog_add(log, AT_FDCWD, "EV-01", false, &err), 0);
    assert_int_equal(joblog_add(log, AT_FDCWD, "COPY", false, &err), 0);
    joblog_line(log, "case: %s", "2026-017");
    joblog_event(log, "reading begins at %d", 7);
    assert_int_equal(joblog_sync(log, 0, &err), 0);
    joblog_free(log);
    a = text_of("EV-01.log");
    b = text_of("COPY.log");
    assert_string_equal(a, b);
    assert_int_equal(strncmp(a, "case: 2026-017\n2", 16), 0);
    assert_string_equal(strstr(a, "Z  "), "Z  reading begins at 7\n");
    assert_int_equal(unlink("EV-01.log"), 0);
    assert_int_equal(unlink("COPY.log"), 0);
}

/* One call is one line, whatever a disk's label or a file name holds. */
static void
foreign_text_stays_on_its_line(void **state)
{
    struct joblog *log = joblog_new();
    struct err err = ERR_INIT;
    AUTO_FREE char *text = NULL;

    (void)state;
    assert_int_equal(joblog_add(log, AT_FDCWD, "EV-01", false, &err), 0);
    joblog_line(log, "model: %s", "a\nverification: passed\r\x1b[2J\xff\xe2\x80\xae z");
    joblog_line(log, "%s", "");
    assert_int_equal(joblog_sync(log, 0, &err), 0);
    joblog_free(log);
    text = text_of("EV-01.log");
    for (const char *p = text; *p; p++)
        assert_true(*p == '\n' || ((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f));
    assert_int_equal(strncmp(text, "model: a", 8), 0);
    assert_string_equal(strchr(text, '\n'), "\n\n");
    assert_int_equal(unlink("EV-01.log"), 0);
}

static void
nothing_is_overwritten_or_followed(void **state)
{
    struct joblog *log = joblog_new();
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(symlink("elsewhere", "EV-01.log"), 0);
    assert_int_equal(joblog_add(log, AT_FDCWD, "EV-01", false, &err), -1);
    assert_int_equal(err.sys, EEXIST);
    assert_int_not_equal(access("elsewhere", F_OK), 0);
    joblog_line(log, "to nowhere");
    assert_int_equal(joblog_sync(log, 0, &err), 0);
    joblog_free(log);
    joblog_free(NULL);
    assert_int_equal(unlink("EV-01.log"), 0);
}

/* A log that could not be written must not pass for one that was. */
static void
a_failed_write_is_told_at_the_end(void **state)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
    struct joblog *log = joblog_new();
    struct err err = ERR_INIT;
    struct rlimit old;

    (void)state;
    assert_int_equal(joblog_add(log, AT_FDCWD, "EV-01", false, &err), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    joblog_line(log, "lost");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    joblog_line(log, "kept");
    assert_int_equal(joblog_sync(log, 0, &err), -1);
    assert_int_equal(err.sys, EFBIG);
    joblog_free(log);
    assert_int_equal(unlink("EV-01.log"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_logs_say_the_same),
        cmocka_unit_test(foreign_text_stays_on_its_line),
        cmocka_unit_test(nothing_is_overwritten_or_followed),
        cmocka_unit_test(a_failed_write_is_told_at_the_end),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
