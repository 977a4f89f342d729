#include "tests/lib/unit.h"

#include <fcntl.h>
#include <signal.h>

#include "common/cleanup.h"
#include "common/spawn.h"

/* The child is /bin/sh, so that what it inherited is told by another program. */
static int
shell(const char *script, const struct spawn_fd *fds, size_t n)
{
    char sh[] = "sh";
    char c[] = "-c";
    char text[512];
    char *argv[] = {sh, c, text, NULL};
    struct err err = ERR_INIT;
    int status = -1;
    pid_t pid;

    (void)snprintf(text, sizeof text, "%s", script);
    pid = spawn("/bin/sh", argv, fds, n, &err);
    if (pid < 0 || spawn_wait(pid, &status, &err) != 0)
        fail_msg("%s", err.text);
    return status;
}

static void
statuses(void **state)
{
    char name[] = "absent";
    char *argv[] = {name, NULL};
    struct err err = ERR_INIT;
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(shell("exit 0", NULL, 0), 0);
    assert_int_equal(shell("exit 42", NULL, 0), 42);
    assert_int_equal(shell("kill -9 $$", NULL, 0), 128 + SIGKILL);
    pid = spawn("/nonexistent/program", argv, NULL, 0, &err);
    if (pid > 0) {
        assert_int_equal(spawn_wait(pid, &status, &err), 0);
        assert_int_equal(status, 127);
    }
}

/* What was open here must not be open there: the source, above all. */
static void
nothing_else_is_inherited(void **state)
{
    int leaked[40];
    int fds[2];

    (void)state;
    for (size_t i = 0; i < COUNT(leaked); i++)
        leaked[i] = open("/dev/null", O_RDONLY);
    assert_int_equal(pipe(fds), 0);
    /* The shell itself opens one more to read the directory. */
    assert_int_equal(shell("for f in /proc/self/fd/*; do"
                           "  case ${f##*/} in 0|1|2|5) ;; *) [ ! -e $f ] || exit 9 ;; esac;"
                           "done; [ -e /proc/self/fd/5 ]",
                           &(struct spawn_fd){fds[0], 5}, 1),
                     0);
    for (size_t i = 0; i < COUNT(leaked); i++)
        (void)close(leaked[i]);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Descriptors whose old and new numbers cross must not overwrite each other. */
static void
crossing_numbers(void **state)
{
    FILE *a = fopen("a", "w+");
    FILE *b = fopen("b", "w+");

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_true(fputs("A", a) >= 0 && fputs("B", b) >= 0);
    rewind(a);
    rewind(b);
    struct spawn_fd fds[] = {{fileno(a), fileno(b)}, {fileno(b), fileno(a)}};
    char script[128];

    (void)snprintf(script, sizeof script, "[ $(cat <&%d) = B ] && [ $(cat <&%d) = A ]", fileno(a),
                   fileno(b));
    assert_int_equal(shell(script, fds, 2), 0);
    (void)fclose(a);
    (void)fclose(b);
}

static void
standard_streams_can_be_replaced(void **state)
{
    char text[16] = "";
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(shell("echo hello", &(struct spawn_fd){fds[1], 1}, 1), 0);
    assert_int_equal(read(fds[0], text, sizeof text - 1), 6);
    assert_string_equal(text, "hello\n");
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* A program started while signals are blocked must die of them as usual; one that is ignored (by
   nohup) stays ignored. */
static void
signals_are_as_new(void **state)
{
    sigset_t all;
    sigset_t old;

    (void)state;
    (void)signal(SIGINT, SIG_IGN);
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &old);
    assert_int_equal(shell("kill -TERM $$; exit 5", NULL, 0), 128 + SIGTERM);
    assert_int_equal(shell("kill -INT $$; exit 5", NULL, 0), 5);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    (void)signal(SIGINT, SIG_DFL);
}

static void
programs_stand_beside_this_one(void **state)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *self = spawn_program_path("test_spawn", &err);

    (void)state;
    assert_non_null(self);
    assert_int_equal(access(self, X_OK), 0);
    assert_null(spawn_program_path("sh", &err)); /* PATH is not searched */
    assert_non_null(strstr(err.text, "'sh'"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses),           cmocka_unit_test(nothing_else_is_inherited),
        cmocka_unit_test(crossing_numbers),   cmocka_unit_test(standard_streams_can_be_replaced),
        cmocka_unit_test(signals_are_as_new), cmocka_unit_test(programs_stand_beside_this_one),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
