#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "common/options.h"

enum {
    OPT_SIZE = 1,
    OPT_SIZE_MAX,
    OPT_FLAG,
    OPT_QUIET,
};

static const struct option_spec specs[] = {
    {"size", 's', "SIZE", OPT_SIZE, "first line\nsecond line"},
    {"size-max", 0, "SIZE", OPT_SIZE_MAX, "another"},
    {"flag", 0, NULL, OPT_FLAG, "a flag"},
    {"quiet", 'q', NULL, OPT_QUIET, "say less"},
};

static const struct program program = {
    .name = "exhibit test",
    .usage = "FILE [options]",
    .summary = "Does a thing.",
    .options = specs,
    .n_options = sizeof specs / sizeof specs[0],
};

#define ARGV_MAX 12

/* Everything that a run over argv gives, as one line: "size=5 flag | a b", or "! error". */
static void
walk(const char *const *words, char *out, size_t size)
{
    char *argv[ARGV_MAX] = {NULL};
    char copies[ARGV_MAX][64];
    struct err err = ERR_INIT;
    struct options *o;
    const char *arg;
    int argc = 0;
    int id;
    size_t n = 0;
    int count;
    char **rest;

    for (; words[argc]; argc++) {
        (void)snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    out[0] = '\0';
    o = options_new(&program, argc, argv);
    while ((id = options_next(o, &arg, &err)) > 0)
        n += (size_t)snprintf(out + n, size - n, "%s%s%s ", specs[id - 1].name, arg ? "=" : "",
                              arg ? arg : "");
    if (id < 0) {
        assert_int_equal(err.outcome, OUTCOME_USAGE);
        (void)snprintf(out, size, "! %.400s", err.text);
    } else {
        n += (size_t)snprintf(out + n, size - n, "|");
        rest = options_operands(o, &count);
        for (int i = 0; i < count; i++)
            n += (size_t)snprintf(out + n, size - n, " %s", rest[i]);
    }
    options_free(o);
}

static void
command_lines(void **state)
{
    static const struct {
        const char *argv[ARGV_MAX];
        const char *result;
    } cases[] = {
        {{"p"}, "|"},
        {{"p", "a", "b"}, "| a b"},
        {{"p", "a", "--size", "5", "b", "--flag"}, "size=5 flag | a b"},
        {{"p", "--size=5"}, "size=5 |"},
        {{"p", "--size="}, "size= |"},
        {{"p", "-s5", "-q"}, "size=5 quiet |"},
        {{"p", "-qs", "5"}, "quiet size=5 |"},
        {{"p", "--size", "--flag"}, "size=--flag |"},
        {{"p", "--size-max", "1", "--size", "2"}, "size-max=1 size=2 |"},
        {{"p", "--flag", "--", "--size", "-x"}, "flag | --size -x"},
        {{"p", "-"}, "| -"},
        {{"p", "a", "--", "b"}, "| a b"},
        {{"p", "--nothing"}, "! unknown option '--nothing'; see 'exhibit test --help'"},
        {{"p", "--siz", "5"}, "! unknown option '--siz'; see 'exhibit test --help'"},
        {{"p", "--fla"}, "! unknown option '--fla'; see 'exhibit test --help'"},
        {{"p", "x", "y", "--fla"}, "! unknown option '--fla'; see 'exhibit test --help'"},
        {{"p", "--he"}, "! unknown option '--he'; see 'exhibit test --help'"},
        {{"p", "-x"}, "! unknown option '-x'; see 'exhibit test --help'"},
        {{"p", "-qx"}, "! unknown option '-x'; see 'exhibit test --help'"},
        {{"p", "--size"}, "! option '--size' needs an argument; see 'exhibit test --help'"},
        {{"p", "-s"}, "! option '-s' needs an argument; see 'exhibit test --help'"},
        {{"p", "--flag=1"}, "! option '--flag=1' takes no argument; see 'exhibit test --help'"},
    };
    char got[512];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        walk(cases[i].argv, got, sizeof got);
        assert_string_equal(got, cases[i].result);
    }
}

/* --help and --version end the process; a child's output is read. */
static void
output_of(const char *word, char *out, size_t size)
{
    char name[] = "p";
    char copy[32];
    char *argv[] = {name, copy, NULL};
    int fds[2];
    size_t n = 0;
    ssize_t r;
    int status;
    pid_t pid;

    (void)snprintf(copy, sizeof copy, "%s", word);
    assert_int_equal(pipe(fds), 0);
    (void)fflush(stdout);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err = ERR_INIT;
        const char *arg;

        (void)dup2(fds[1], STDOUT_FILENO);
        (void)options_next(options_new(&program, 2, argv), &arg, &err);
        _exit(99);
    }
    (void)close(fds[1]);
    while (n + 1 < size && (r = read(fds[0], out + n, size - n - 1)) > 0)
        n += (size_t)r;
    out[n] = '\0';
    (void)close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
help_and_version(void **state)
{
    char out[4096];

    (void)state;
    output_of("--help", out, sizeof out);
    assert_non_null(strstr(out, "usage: exhibit test FILE [options]\n"));
    assert_non_null(strstr(out, "Does a thing."));
    assert_non_null(strstr(out, "-s, --size SIZE"));
    assert_non_null(strstr(out, "second line\n"));
    assert_non_null(strstr(out, "    --flag"));
    assert_non_null(strstr(out, "-h, --help"));
    assert_non_null(strstr(out, "    --version"));
    for (const char *line = out; *line; line = strchr(line, '\n') + 1)
        assert_true(strcspn(line, "\n") <= 100);
    output_of("-h", out, sizeof out);
    assert_non_null(strstr(out, "usage: "));
    output_of("--version", out, sizeof out);
    assert_string_equal(out, "exhibit test (Exhibit) " EXHIBIT_VERSION "\n");
}

static void
a_list_ends_at_its_room(void **state)
{
    const char *v[2];
    size_t n = 0;
    const struct option_list list = {v, &n, COUNT(v), "tsa"};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(option_list_add(list, "a", &err), 0);
    assert_int_equal(option_list_add(list, "b", &err), 0);
    assert_int_equal(option_list_add(list, "c", &err), -1);
    assert_int_equal(err.outcome, OUTCOME_USAGE);
    assert_non_null(strstr(err.text, "--tsa"));
    assert_int_equal(n, 2);
    assert_string_equal(v[1], "b");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_ends_at_its_room),
        cmocka_unit_test(command_lines),
        cmocka_unit_test(help_and_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
