#include "tests/lib/unit.h"

#include "acquire/front/watch.h"

static struct watch w;

static int
start(void **state)
{
    (void)state;
    w = (struct watch){.timeout_ms = 60000, .limit = 50000};
    return 0;
}

static void
a_slow_read_is_told_once(void **state)
{
    (void)state;
    assert_int_equal(watch_read(&w, 0), WATCH_FINE);
    assert_int_equal(watch_read(&w, WATCH_TELL_MS - 1), WATCH_FINE);
    assert_int_equal(watch_read(&w, WATCH_TELL_MS), WATCH_SLOW);
    assert_int_equal(watch_read(&w, WATCH_TELL_MS + 1), WATCH_FINE);
    assert_int_equal(watch_read(&w, 0), WATCH_BACK);
    assert_int_equal(watch_read(&w, 0), WATCH_FINE);
    assert_int_equal(watch_read(&w, WATCH_TELL_MS), WATCH_SLOW);
}

static void
the_time_is_up(void **state)
{
    (void)state;
    assert_int_equal(watch_read(&w, 59999), WATCH_SLOW);
    assert_int_equal(watch_read(&w, 60000), WATCH_OVER);
    w.timeout_ms = 2000; /* less than what would be told */
    assert_int_equal(watch_read(&w, 2000), WATCH_OVER);
    w.timeout_ms = 0;
    assert_int_not_equal(watch_read(&w, UINT64_MAX), WATCH_OVER);
}

static void
a_pause_is_recorded(void **state)
{
    (void)state;
    assert_false(watch_ask(&w, false, 10, 5));
    assert_true(watch_ask(&w, true, 10, 5));
    assert_true(watch_is_paused(&w));
    assert_false(watch_ask(&w, true, 11, 5));
    assert_int_equal(w.pauses[0].continued, 0);
    assert_true(watch_ask(&w, false, 12, 6));
    assert_int_equal(w.n_pauses, 1);
    assert_int_equal(w.pauses[0].paused, 10);
    assert_int_equal(w.pauses[0].continued, 12);
    assert_int_equal(w.pauses[0].at, 5);
    assert_true(w.pauses[0].by_signal && !w.pauses[0].by_heat);
}

static void
heat_pauses_and_five_degrees_less_continue(void **state)
{
    (void)state;
    assert_false(watch_heat(&w, 49000, 1, 0));
    assert_false(watch_heat(&w, 50000, 2, 0)); /* the limit itself is within it */
    assert_true(watch_heat(&w, 50001, 3, 7));
    assert_false(watch_heat(&w, 55000, 4, 7));
    assert_false(watch_heat(&w, 45001, 5, 7));
    assert_true(watch_heat(&w, 45000, 6, 7));
    assert_false(watch_heat(&w, 49999, 7, 8));
    assert_int_equal(w.n_pauses, 1);
    assert_true(w.pauses[0].by_heat);
    assert_int_equal(w.first, 49000);
    assert_int_equal(w.highest, 55000);
    assert_int_equal(w.last, 49999);
}

static void
without_a_limit_heat_is_only_noted(void **state)
{
    (void)state;
    w.limit = 0;
    assert_false(watch_heat(&w, -5000, 1, 0));
    assert_false(watch_heat(&w, 99000, 2, 0));
    assert_int_equal(w.first, -5000);
    assert_int_equal(w.highest, 99000);
    assert_false(watch_is_paused(&w));
}

/* Whoever paused by hand also continues by hand; a drive that is still hot stays paused. */
static void
two_reasons_are_one_pause(void **state)
{
    (void)state;
    assert_true(watch_ask(&w, true, 1, 0));
    assert_false(watch_heat(&w, 60000, 2, 0));
    assert_false(watch_ask(&w, false, 3, 0));
    assert_true(watch_is_paused(&w));
    assert_true(watch_heat(&w, 40000, 4, 0));
    assert_int_equal(w.n_pauses, 1);
    assert_int_equal(w.pauses[0].continued, 4);
}

static void
the_list_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        assert_true(watch_ask(&w, true, i, 0));
        assert_true(watch_ask(&w, false, i, 0));
    }
    assert_int_equal(w.n_pauses, 3000);
    assert_int_equal(w.pauses[WATCH_PAUSES_MAX - 1].continued, WATCH_PAUSES_MAX - 1);
}

static void
nothing_read_means_from_the_first_byte(void **state)
{
    struct ranges r = {0};

    (void)state;
    assert_false(watch_nothing_read(&r, 1024));
    ranges_add(&r, 512, 4096);
    assert_false(watch_nothing_read(&r, 1024));
    ranges_add(&r, 0, 512);
    assert_true(watch_nothing_read(&r, 1024));
    assert_false(watch_nothing_read(&r, 8192));
    ranges_free(&r);
}

static void
rescue_is_advised_once(void **state)
{
    struct ranges bad = {0};

    (void)state;
    for (unsigned i = 0; i + 1 < WATCH_ADVISE_PLACES; i++) {
        ranges_add(&bad, (uint64_t)i << 20, 512);
        assert_false(watch_advise_rescue(&w, &bad));
    }
    ranges_add(&bad, UINT64_C(1) << 30, 512);
    assert_true(watch_advise_rescue(&w, &bad));
    assert_false(watch_advise_rescue(&w, &bad));
    ranges_free(&bad);
    (void)start(NULL);
    ranges_add(&bad, 0, WATCH_ADVISE_BYTES);
    assert_true(watch_advise_rescue(&w, &bad));
    ranges_free(&bad);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_slow_read_is_told_once, start),
        cmocka_unit_test_setup(the_time_is_up, start),
        cmocka_unit_test_setup(a_pause_is_recorded, start),
        cmocka_unit_test_setup(heat_pauses_and_five_degrees_less_continue, start),
        cmocka_unit_test_setup(without_a_limit_heat_is_only_noted, start),
        cmocka_unit_test_setup(two_reasons_are_one_pause, start),
        cmocka_unit_test_setup(the_list_is_bounded, start),
        cmocka_unit_test_setup(rescue_is_advised_once, start),
        cmocka_unit_test(nothing_read_means_from_the_first_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
