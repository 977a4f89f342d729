#include "tests/lib/unit.h"

#include <errno.h>

#include "common/err.h"

static void
set_fills_everything(void **state)
{
    struct err err = {.sys = 99};

    (void)state;
    assert_int_equal(err_set(&err, OUTCOME_REFUSED, "'%s' is %d", "x", 7), -1);
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.text, "'x' is 7");
}

static void
errno_is_kept_and_named(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    errno = ENOENT;
    assert_int_equal(err_errno(&err, "cannot open '%s'", "/x"), -1);
    assert_int_equal(err.outcome, OUTCOME_FAILED);
    assert_int_equal(err.sys, ENOENT);
    assert_string_equal(err.text, "cannot open '/x': No such file or directory");
}

static void
context_goes_in_front(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    (void)err_set(&err, OUTCOME_USAGE, "too large");
    assert_int_equal(err_context(&err, "option '%s'", "--x"), -1);
    assert_int_equal(err_context(&err, "outer"), -1);
    assert_string_equal(err.text, "outer: option '--x': too large");
    assert_int_equal(err.outcome, OUTCOME_USAGE);
}

/* A path from a hostile place can be as long as it likes. */
static void
long_texts_are_cut(void **state)
{
    struct err err = ERR_INIT;
    char big[3 * sizeof err.text];

    (void)state;
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    (void)err_set(&err, OUTCOME_FAILED, "%s", big);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    (void)err_context(&err, "%s", big);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    errno = EIO;
    (void)err_errno(&err, "%s", big);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

/* Escapes in a file name must not reach the terminal. */
static void
report_escapes(void **state)
{
    struct err err = ERR_INIT;
    char line[256];
    int saved = dup(STDERR_FILENO);
    int fds[2];
    ssize_t n;
    int code;

    (void)state;
    (void)err_set(&err, OUTCOME_FINDINGS, "bad '%s'", "\033[2Jx\n\xff");
    assert_int_equal(pipe(fds), 0);
    (void)fflush(stderr);
    assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
    code = err_report(&err);
    (void)fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    n = read(fds[0], line, sizeof line - 1);
    assert_true(n > 0);
    line[n] = '\0';
    assert_string_equal(line, "exhibit: bad '\\x1b[2Jx\\x0a\\xff'\n");
    assert_int_equal(code, 3);
    (void)close(saved);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_everything),  cmocka_unit_test(errno_is_kept_and_named),
        cmocka_unit_test(context_goes_in_front), cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(report_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
