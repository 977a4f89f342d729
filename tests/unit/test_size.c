#include "tests/lib/unit.h"

#include <inttypes.h>

#include "common/size.h"

static void
good_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        {"0", 0},
        {"1048576", 1048576},
        {"64K", 65536},
        {"3M", 3145728},
        {"2G", UINT64_C(2147483648)},
        {"8T", UINT64_C(8796093022208)},
        {"1KB", 1000},
        {"5MB", 5000000},
        {"4GB", UINT64_C(4000000000)},
        {"12TB", UINT64_C(12000000000000)},
        {"128s", 65536},
        {"007", 7}, /* not octal */
        {"9223372036854775807", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = ERR_INIT;
        uint64_t v = 1;

        if (size_parse(cases[i].text, 512, "--x", &v, &err) != 0)
            fail_msg("'%s': %s", cases[i].text, err.text);
        assert_int_equal(v, cases[i].value);
    }
}

static void
bad_sizes(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "-1",
        "+1",
        "1 ",
        " 1",
        "1.5G",
        "0x10",
        "1k",
        "1g",
        "1kb",
        "K",
        "1KK",
        "1KiB",
        "1 K",
        "s",
        "1e3",
        "9223372036854775808",
        "8E",
        "1\nK",
        "１",       /* a full-width digit */
        "8388608T", /* 2^63 */
        "99999999999999999999",
        "9999999999TB",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = ERR_INIT;
        uint64_t v = 12345;

        if (size_parse(cases[i], 512, "--segment-size", &v, &err) != -1)
            fail_msg("'%s' was taken as %" PRIu64, cases[i], v);
        assert_int_equal(err.outcome, OUTCOME_USAGE);
        assert_non_null(strstr(err.text, "--segment-size"));
        assert_int_equal(v, 12345);
    }
}

static void
sectors_need_a_sector_size(void **state)
{
    struct err err = ERR_INIT;
    uint64_t v;

    (void)state;
    assert_int_equal(size_parse("8s", 4096, "x", &v, &err), 0);
    assert_int_equal(v, 32768);
    assert_int_equal(size_parse("8s", 0, "x", &v, &err), -1);
}

static void
a_plain_number_is_itself(void **state)
{
    struct rng rng = rng_start("size");

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct err err = ERR_INIT;
        uint64_t wanted = rng_next(&rng) >> rng_below(&rng, 64);
        char text[32];
        uint64_t v;
        int r;

        (void)snprintf(text, sizeof text, "%" PRIu64, wanted);
        r = size_parse(text, 512, "x", &v, &err);
        assert_int_equal(r, wanted > INT64_MAX ? -1 : 0);
        if (r == 0)
            assert_int_equal(v, wanted);
    }
}

static void
numbers_keep_their_bounds(void **state)
{
    static const char *const bad[] = {
        "", "0", "101", "-1", "+5", " 5", "5 ", "5x", "0x5", "1e1", "18446744073709551617"};
    struct err err = ERR_INIT;
    uint64_t v;

    (void)state;
    assert_int_equal(number_parse("1", 1, 100, "n", &v, &err), 0);
    assert_int_equal(v, 1);
    assert_int_equal(number_parse("100", 1, 100, "n", &v, &err), 0);
    assert_int_equal(v, 100);
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (number_parse(bad[i], 1, 100, "n", &v, &err) != -1)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(err.outcome, OUTCOME_USAGE);
    }
    assert_int_equal(number_parse("18446744073709551615", 0, UINT64_MAX, "n", &v, &err), 0);
    assert_int_equal(v, UINT64_MAX);
}

static void
sizes_for_people(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {UINT64_C(4) << 30, "4.0 GiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    char buf[SIZE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(size_human(cases[i].bytes, buf), cases[i].text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_sizes),
        cmocka_unit_test(bad_sizes),
        cmocka_unit_test(sectors_need_a_sector_size),
        cmocka_unit_test(a_plain_number_is_itself),
        cmocka_unit_test(numbers_keep_their_bounds),
        cmocka_unit_test(sizes_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
