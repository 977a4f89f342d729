#include "tests/lib/unit.h"

#include <errno.h>
#include <sys/stat.h>

#include "acquire/daemon/config.h"
#include "common/cleanup.h"
#include "common/text.h"

static void
write_file(const char *name, const char *text, mode_t mode)
{
    AUTO_FILE FILE *f = fopen(name, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fchmod(fileno(f), mode), 0);
}

static void
every_key(void **state)
{
    static const char text[] = "# a laboratory\n"
                               "\n"
                               "  socket = /run/lab/exhibitd.sock\r\n"
                               "group=examiners\n"
                               "state-dir =\t/srv/exhibit  \n"
                               "parallel = 4\n"
                               "least-write-block = read-only-flag\n"
                               "evidence = serial=WD-1 = 2\n"
                               "evidence = path=/dev/disk/by-id/ata-X\n"
                               "spare = wwn=0x5000\n"
                               "default.examiner = A. Examiner, Lab # 3\n"
                               "default.meta = authority=Court\n"
                               "default.meta = place=Room 4\n"
                               "default.option = --no-verify\n"
                               "default.option = --retries=3"; /* no newline at the end */
    struct err err = ERR_INIT;
    struct config c;

    (void)state;
    if (config_parse(text, strlen(text), "x", &c, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(c.socket, "/run/lab/exhibitd.sock");
    assert_string_equal(c.group, "examiners");
    assert_string_equal(c.state_dir, "/srv/exhibit");
    assert_int_equal(c.parallel, 4);
    assert_string_equal(c.least, "read-only-flag");
    assert_int_equal(c.evidence.n, 2);
    assert_string_equal(c.evidence.v[0], "serial=WD-1 = 2");
    assert_null(c.evidence.v[2]);
    assert_int_equal(c.spare.n, 1);
    assert_string_equal(c.spare.v[0], "wwn=0x5000");
    assert_int_equal(c.defaults.n, 5);
    assert_string_equal(c.defaults.v[0], "--examiner=A. Examiner, Lab # 3");
    assert_string_equal(c.defaults.v[2], "--meta=place=Room 4");
    assert_string_equal(c.defaults.v[3], "--no-verify");
    config_free(&c);
}

static void
nothing_said(void **state)
{
    struct err err = ERR_INIT;
    struct config c;

    (void)state;
    assert_int_equal(config_parse("", 0, "x", &c, &err), 0);
    assert_int_equal(c.parallel, CONFIG_PARALLEL);
    assert_null(c.socket);
    assert_null(c.evidence.v[0]);
    config_free(&c);
    config_begin(&c);
    assert_int_equal(c.parallel, CONFIG_PARALLEL);
    assert_null(c.defaults.v[0]);
    config_free(&c);
}

static void
errors_name_the_line(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"\n# x\nsokcet = /x\n", "lab.conf:3: unknown key 'sokcet'"},
        {"socket\n", "lab.conf:1: the line is no 'key = value'"},
        {"= 3\n", "lab.conf:1: the line is no"},
        {"socket =\n", "lab.conf:1: 'socket' has no value"},
        {"socket = run/x\n", "not an absolute path"},
        {"socket = /x\nsocket = /y\n", "lab.conf:2: 'socket' is given twice"},
        {"parallel = 0\n", "lab.conf:1: "},
        {"parallel = 65\n", "lab.conf:1: "},
        {"parallel = two\n", "lab.conf:1: "},
        {"parallel = 2\nparallel = 2\n", "lab.conf:2: 'parallel' is given twice"},
        {"group = a b\n", "no name of a group"},
        {"evidence = WD-1\n", "lab.conf:1: 'WD-1' marks no evidence"},
        {"evidence = serial=\n", "marks no evidence"},
        {"spare = path=sda\n", "marks no evidence"},
        {"default. = x\n", "unknown key 'default.'"},
        {"default.Examiner = x\n", "unknown key 'default.Examiner'"},
        {"default.-x = x\n", "unknown key"},
        {"default.notes = a\ndefault.notes = b\n", "lab.conf:2: 'default.notes' is given twice"},
        {"default.notes = a\ndefault.option = --notes=b\n", "'--notes' is given twice"},
        {"default.option = no-verify\n", "is no option"},
        {"default.option = --\n", "is no option"},
        {"default.option = --no-verify --release\n", "is no option"},
        {"default.notes = a\033[2J\n", "a control character"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = ERR_INIT;
        struct config c;

        assert_int_equal(config_parse(cases[i].text, strlen(cases[i].text), "lab.conf", &c, &err),
                         -1);
        assert_int_equal(err.outcome, OUTCOME_USAGE);
        if (!strstr(err.text, cases[i].expected))
            fail_msg("'%s' gave: %s", cases[i].text, err.text);
        config_free(&c);
    }
}

static void
refused(const char *text, size_t n)
{
    struct err err = ERR_INIT;
    struct config c;

    assert_int_equal(config_parse(text, n, "x", &c, &err), -1);
    config_free(&c);
}

static void
bounds(void **state)
{
    AUTO_FREE char *big = xcalloc(1, CONFIG_SIZE_MAX + 1);
    AUTO_FREE char *socket = NULL;

    (void)state;
    refused("parallel\0= 3\n", 13);
    memset(big, '\n', CONFIG_SIZE_MAX + 1);
    refused(big, CONFIG_SIZE_MAX + 1);
    memset(big, 'a', CONFIG_SIZE_MAX);
    memcpy(big, "default.notes=", 14);
    refused(big, CONFIG_VALUE_MAX + 15);
    big[200] = '\0';
    socket = xasprintf("socket = /%s\n", big);
    refused(socket, strlen(socket));
    for (size_t i = 0, at = 0; i <= CONFIG_MARKS_MAX; i++)
        at += (size_t)snprintf(big + at, CONFIG_SIZE_MAX - at, "evidence = serial=%zu\n", i);
    refused(big, strlen(big));
    for (size_t i = 0, at = 0; i <= CONFIG_DEFAULTS_MAX; i++)
        at += (size_t)snprintf(big + at, CONFIG_SIZE_MAX - at, "default.meta = %zu=x\n", i);
    refused(big, strlen(big));
}

static void
files(void **state)
{
    struct err err = ERR_INIT;
    struct config c;

    (void)state;
    assert_int_equal(config_load("missing.conf", &c, &err), -1);
    assert_int_equal(err.sys, ENOENT);
    config_free(&c);
    write_file("a.conf", "parallel = 3\n", 0644);
    if (config_load("a.conf", &c, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(c.parallel, 3);
    config_free(&c);
    write_file("b.conf", "parallel = 3\n", 0664);
    assert_int_equal(config_load("b.conf", &c, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_REFUSED);
    config_free(&c);
    assert_int_equal(config_load(".", &c, &err), -1);
    config_free(&c);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(config_load("pipe", &c, &err), -1);
    config_free(&c);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key),
        cmocka_unit_test(nothing_said),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(bounds),
        cmocka_unit_test(files),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
