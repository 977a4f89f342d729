#include "tests/lib/unit.h"

#include "acquire/front/rate.h"

#define SECOND UINT64_C(1000000000)

static void
one_point_a_second(void **state)
{
    struct rate r = {0};

    (void)state;
    for (uint64_t i = 0; i <= 100; i++)
        rate_note(&r, 77 * SECOND + i * SECOND / 10, i * 1000, false);
    assert_int_equal(r.n, 11);
    assert_int_equal(r.v[0].bytes, 0);
    assert_true(r.v[10].seconds == 10);
    assert_int_equal(r.v[10].bytes, 100000);
    rate_note(&r, 77 * SECOND + 10 * SECOND + 5, 100001, true);
    assert_int_equal(r.n, 12);
    rate_note(&r, 77 * SECOND + 10 * SECOND + 5, 100002, true); /* no time has passed */
    assert_int_equal(r.n, 12);
}

/* Whatever its length, a run has a bounded series that ends where the run did and never falls. */
static void
days_fit(void **state)
{
    static struct rate r;
    uint64_t end = 9 * 24 * 3600;
    json_t *v;

    (void)state;
    for (uint64_t s = 0; s <= end; s++)
        rate_note(&r, 1 + s * SECOND, s * 7, s == end);
    assert_true(r.n > RATE_POINTS / 4 && r.n <= RATE_POINTS);
    assert_true(r.v[0].seconds == 0);
    assert_true(r.v[r.n - 1].seconds == (double)end);
    for (size_t i = 1; i < r.n; i++)
        assert_true(r.v[i].seconds > r.v[i - 1].seconds && r.v[i].bytes >= r.v[i - 1].bytes);
    v = rate_json(&r);
    assert_int_equal(json_array_size(v), r.n);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(v, r.n - 1), "bytes")),
                     end * 7);
    json_decref(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_point_a_second),
        cmocka_unit_test(days_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
