#include "tests/lib/unit.h"

#include <fcntl.h>
#include <pty.h>

#include "common/progress.h"

/* What a function prints on stderr, into out. */
static void
captured(int to, int from, void (*body)(void), char *out, size_t size)
{
    int saved = dup(STDERR_FILENO);
    size_t n = 0;
    ssize_t r;

    (void)fflush(stderr);
    assert_true(dup2(to, STDERR_FILENO) >= 0);
    body();
    (void)fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(saved);
    (void)close(to);
    while (n + 1 < size && (r = read(from, out + n, size - n - 1)) > 0)
        n += (size_t)r;
    out[n] = '\0';
    (void)close(from);
}

static void
through_pipe(void (*body)(void), char *out, size_t size)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    captured(fds[1], fds[0], body, out, size);
}

static void
modes(void **state)
{
    struct err err = ERR_INIT;
    enum progress_mode mode;

    (void)state;
    assert_int_equal(progress_parse("json", &mode, &err), 0);
    assert_int_equal(mode, PROGRESS_JSON);
    assert_int_equal(progress_parse("auto", &mode, &err), 0);
    assert_int_equal(mode, PROGRESS_AUTO);
    assert_int_equal(progress_parse("none", &mode, &err), 0);
    assert_int_equal(progress_parse("bar", &mode, &err), 0);
    assert_int_equal(progress_parse("Bar", &mode, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_USAGE);
    assert_int_equal(progress_parse("", &mode, &err), -1);
}

static void
run_json(void)
{
    struct progress *p = progress_new(PROGRESS_JSON);

    for (uint64_t i = 0; i <= 100000; i++)
        progress_update(p, "acquire", i, 100000, i / 50000);
    progress_update(p, "verify", 5, 0, 2);
    progress_free(p);
}

/* The first, the last, and not a hundred thousand in between. */
static void
json_lines(void **state)
{
    static char out[1 << 16];
    size_t lines = 0;

    (void)state;
    through_pipe(run_json, out, sizeof out);
    for (const char *s = out; *s; s++)
        lines += *s == '\n';
    assert_in_range(lines, 3, 20);
    assert_non_null(strstr(out, "{\"phase\":\"acquire\",\"bytes_done\":0,\"bytes_total\":100000,"));
    assert_non_null(strstr(out, "\"bytes_done\":100000,\"bytes_total\":100000,\"rate\":"));
    assert_non_null(strstr(out, "\"unreadable_sectors\":2}\n{\"phase\":\"verify\","));
}

static void
run_auto(void)
{
    struct progress *p = progress_new(PROGRESS_AUTO);

    progress_update(p, "acquire", 512 << 10, 1 << 20, 3);
    progress_clear(p);
    progress_update(p, "acquire", 1 << 20, 1 << 20, 3);
    progress_free(p);
    progress_free(NULL);
}

static void
nothing_without_a_terminal(void **state)
{
    char out[256];

    (void)state;
    through_pipe(run_auto, out, sizeof out);
    assert_string_equal(out, "");
}

static void
a_bar_on_a_terminal(void **state)
{
    struct winsize size = {.ws_row = 25, .ws_col = 60};
    char out[4096];
    int master;
    int slave;

    (void)state;
    if (openpty(&master, &slave, NULL, NULL, &size) != 0)
        skip();
    captured(slave, master, run_auto, out, sizeof out);
    assert_non_null(strstr(out, "\racquire  50%  512.0 KiB of 1.0 MiB"));
    assert_non_null(strstr(out, "acquire 100%"));
    assert_non_null(strstr(out, "\r\033[K"));
    assert_string_equal(out + strlen(out) - 2, "\r\n");
    /* No line is wider than the terminal: a wrapped bar cannot be taken back. */
    for (const char *s = out; (s = strstr(s, "\racquire")); s++)
        assert_true(strcspn(s + 1, "\033") < 60);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(nothing_without_a_terminal),
        cmocka_unit_test(a_bar_on_a_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
