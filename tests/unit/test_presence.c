#include "tests/lib/unit.h"

#include <errno.h>

#include "acquire/worker/presence.h"

/* A drive that answers with EIO from `bad` on, and everywhere when it is off its bus. */
static struct drive {
    struct source base;
    uint64_t bad;
    bool off;
    unsigned reads;
    bool closed;
} drive;

static ssize_t
drive_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    (void)s;
    (void)buf;
    drive.reads++;
    if (!drive.off && offset + n <= drive.bad)
        return (ssize_t)n;
    errno = EIO;
    return -1;
}

static void
drive_close(struct source *s)
{
    (void)s;
    drive.closed = true;
}

static const struct source_ops drive_ops = {.pread = drive_pread, .close = drive_close};

static struct source *
start(uint64_t bad)
{
    drive = (struct drive){.base = {&drive_ops}, .bad = bad};
    return presence_new(&drive.base);
}

static int
error_of(struct source *s, uint64_t offset)
{
    static uint8_t buf[4096];

    return source_pread(s, buf, 512, offset) < 0 ? errno : 0;
}

static void
damage_of_any_length_is_no_absence(void **state)
{
    struct source *s = start(512);

    (void)state;
    assert_int_equal(error_of(s, 0), 0);
    for (uint64_t i = 1; i <= 10000; i++)
        assert_int_equal(error_of(s, i * 512), EIO);
    assert_int_equal(error_of(s, 0), 0);
    assert_int_equal(drive.reads, 10002 + 9); /* at 32, 64, ... 8192 failures */
    source_close(s);
    assert_true(drive.closed);
}

static void
a_drive_that_went_is_told(void **state)
{
    struct source *s = start(1 << 20);
    unsigned failed = 0;

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(error_of(s, i * 512), 0);
    drive.off = true;
    while (error_of(s, 51200 + (uint64_t)failed * 512) == EIO)
        assert_true(++failed < 100);
    assert_int_equal(failed, 31);
    assert_int_equal(error_of(s, 0), ENODEV);
    source_close(s);
}

static void
a_drive_that_gave_nothing_is_not_judged(void **state)
{
    struct source *s = start(0);

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(error_of(s, i * 512), EIO);
    assert_int_equal(drive.reads, 1000);
    source_close(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_of_any_length_is_no_absence),
        cmocka_unit_test(a_drive_that_went_is_told),
        cmocka_unit_test(a_drive_that_gave_nothing_is_not_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
