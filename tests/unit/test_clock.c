#include "tests/lib/unit.h"

#include "common/clock.h"

static void
known_times(void **state)
{
    static const struct {
        int64_t epoch;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {951782400, "2000-02-29T00:00:00Z"}, /* a leap day of a century */
        {INT64_C(2147483648), "2038-01-19T03:14:08Z"},
        {INT64_C(253402300799), "9999-12-31T23:59:59Z"},
        {-1, "1969-12-31T23:59:59Z"},
    };
    char buf[CLOCK_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(clock_text(cases[i].epoch, buf), cases[i].text);
}

static void
absurd_times_stay_in_the_buffer(void **state)
{
    static const int64_t cases[] = {INT64_MAX, INT64_MIN, INT64_C(1) << 60};
    char buf[CLOCK_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(strlen(clock_text(cases[i], buf)) < CLOCK_TEXT_MAX);
}

static void
the_zone_does_not_matter(void **state)
{
    char buf[CLOCK_TEXT_MAX];

    (void)state;
    assert_int_equal(setenv("TZ", "Asia/Kathmandu", 1), 0);
    tzset();
    assert_string_equal(clock_text(0, buf), "1970-01-01T00:00:00Z");
}

static void
monotonic_never_goes_back(void **state)
{
    uint64_t last = clock_monotonic_ns();

    (void)state;
    for (int i = 0; i < 10000; i++) {
        uint64_t now = clock_monotonic_ns();

        assert_true(now >= last);
        last = now;
    }
}

static void
now_is_now(void **state)
{
    int64_t before = (int64_t)time(NULL);
    int64_t got = clock_now();

    (void)state;
    assert_in_range(got, before, (int64_t)time(NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times),
        cmocka_unit_test(absurd_times_stay_in_the_buffer),
        cmocka_unit_test(the_zone_does_not_matter),
        cmocka_unit_test(monotonic_never_goes_back),
        cmocka_unit_test(now_is_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
