#include "tests/lib/unit.h"

#include <math.h>

#include "report/slack.h"
#include "report/tally.h"

static void
counts_what_it_sees(void **state)
{
    struct tally t = {0};
    uint8_t data[512] = {0};

    (void)state;
    assert_int_equal(tally_examined(&t), 0);
    assert_true(tally_entropy(&t) == 0);
    tally_area(&t, 1000);
    assert_int_equal(t.bytes, 1000);
    tally_look(&t, data, sizeof data);
    assert_int_equal(tally_examined(&t), 512);
    assert_int_equal(tally_nonzero(&t), 0);
    assert_true(tally_entropy(&t) == 0);
    for (size_t i = 0; i < 256; i++)
        data[i] = (uint8_t)i;
    t = (struct tally){0};
    tally_area(&t, 256);
    tally_look(&t, data, 256);
    assert_int_equal(tally_nonzero(&t), 255);
    assert_true(fabs(tally_entropy(&t) - 8) < 1e-9);
}

/* Long stretches are counted in another way than short ones. */
static void
counts_stretches_of_any_length(void **state)
{
    struct rng rng = rng_start("stretches");
    static uint8_t data[(3u << 20) + 7];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(rng_below(&rng, 3) ? rng_below(&rng, 256) : 0);
    for (int round = 0; round < 20; round++) {
        size_t n = round == 0 ? sizeof data : rng_below(&rng, round < 10 ? 10000 : sizeof data);
        struct tally t = {0};
        uint64_t hist[256] = {0};

        for (size_t i = 0; i < n; i++)
            hist[data[i]]++;
        tally_look(&t, data, n);
        assert_memory_equal(t.hist, hist, sizeof hist);
    }
}

static void
goes_through_json_unchanged(void **state)
{
    struct rng rng = rng_start("tally");

    (void)state;
    for (int round = 0; round < 100; round++) {
        struct err err = ERR_INIT;
        struct tally a = {0};
        struct tally b;
        json_t *v;

        for (size_t i = 0; i < 256; i++)
            a.hist[i] = rng_below(&rng, 3) ? 0 : rng_below(&rng, 1u << 20);
        a.areas = rng_below(&rng, 100);
        a.bytes = tally_examined(&a) + rng_below(&rng, 1000);
        v = tally_to_json(&a);
        assert_int_equal(tally_from_json(v, &b, &err), 0);
        assert_memory_equal(&a, &b, sizeof a);
        json_decref(v);
    }
}

static void
refuses_numbers_that_disagree(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"areas\":1}",
        "{\"areas\":-1,\"bytes\":1}",
        "{\"areas\":1,\"bytes\":\"1\"}",
        "{\"areas\":1,\"bytes\":1.5}",
        "{\"areas\":1,\"bytes\":1,\"hist\":[]}",
        "{\"areas\":1,\"bytes\":1,\"hist\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = ERR_INIT;
        struct tally t;
        json_t *v = json_loads(bad[i], 0, NULL);

        assert_int_equal(tally_from_json(v, &t, &err), -1);
        json_decref(v);
    }
    assert_int_equal(tally_from_json(NULL, &(struct tally){0}, &(struct err)ERR_INIT), -1);
}

static void
refuses_more_examined_than_there_is(void **state)
{
    struct err err = ERR_INIT;
    struct tally t = {.areas = 1, .bytes = 10};
    struct tally out;
    json_t *v;

    (void)state;
    t.hist[0] = 11;
    v = tally_to_json(&t);
    assert_int_equal(tally_from_json(v, &out, &err), -1);
    json_decref(v);
    /* The sum of the histogram wraps around if it is not taken with care. */
    t.hist[0] = INT64_MAX;
    t.hist[1] = INT64_MAX;
    t.hist[2] = 3;
    v = tally_to_json(&t);
    assert_int_equal(tally_from_json(v, &out, &err), -1);
    json_decref(v);
}

static void
sums_saturate(void **state)
{
    struct tally a = {.areas = 1, .bytes = UINT64_MAX - 1};
    struct tally b = {.areas = 2, .bytes = 5};

    (void)state;
    tally_sum(&a, &b);
    assert_int_equal(a.areas, 3);
    assert_true(a.bytes == UINT64_MAX);
}

static void
slack_goes_through_json_unchanged(void **state)
{
    struct err err = ERR_INIT;
    struct slack a = {.deleted_by_name = true};
    struct slack b;
    json_t *v;

    (void)state;
    a.of[FILE_ALLOCATED].files = 7;
    a.of[FILE_DELETED].reused = 3;
    a.of[FILE_DELETED].kinds[SLACK_DRIVE].bytes = 99;
    a.of[FILE_ALLOCATED].kinds[SLACK_MFT].hist[5] = 0;
    v = slack_to_json(&a);
    assert_int_equal(slack_from_json(v, &b, &err), 0);
    assert_memory_equal(&a, &b, sizeof a);
    (void)json_object_del(json_object_get(v, "deleted"), "drive");
    assert_int_equal(slack_from_json(v, &b, &err), -1);
    assert_non_null(strstr(err.text, "drive"));
    json_decref(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_it_sees),
        cmocka_unit_test(counts_stretches_of_any_length),
        cmocka_unit_test(goes_through_json_unchanged),
        cmocka_unit_test(refuses_numbers_that_disagree),
        cmocka_unit_test(refuses_more_examined_than_there_is),
        cmocka_unit_test(sums_saturate),
        cmocka_unit_test(slack_goes_through_json_unchanged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
