#include "tests/lib/unit.h"

#include "common/segname.h"

static void
known_names(void **state)
{
    static const struct {
        uint32_t number;
        const char *ext;
    } cases[] = {
        {1, ".E01"},   {9, ".E09"},   {10, ".E10"},  {99, ".E99"},  {100, ".EAA"},
        {125, ".EAZ"}, {126, ".EBA"}, {775, ".EZZ"}, {776, ".FAA"}, {14971, ".ZZZ"},
    };
    char ext[SEGNAME_EXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(segname_e01(cases[i].number, ext), 0);
        assert_string_equal(ext, cases[i].ext);
    }
}

/* No name twice, none out of the alphabet, and the end is the end. */
static void
all_e01_names(void **state)
{
    char last[SEGNAME_EXT_MAX] = "";
    char ext[SEGNAME_EXT_MAX];

    (void)state;
    for (uint32_t n = 1; n <= SEGNAME_E01_MAX; n++) {
        assert_int_equal(segname_e01(n, ext), 0);
        assert_int_equal(strlen(ext), 4);
        assert_true(strcmp(ext, last) > 0); /* digits sort before letters */
        (void)snprintf(last, sizeof last, "%s", ext);
    }
    assert_int_equal(segname_e01(0, ext), -1);
    assert_int_equal(segname_e01(SEGNAME_E01_MAX + 1, ext), -1);
    assert_int_equal(segname_e01(UINT32_MAX, ext), -1);
}

static void
raw_names(void **state)
{
    static const struct {
        uint32_t number;
        const char *ext;
    } cases[] = {
        {1, ".001"},
        {999, ".999"},
        {1000, ".1000"},
        {123456, ".123456"},
        {UINT32_MAX, ".4294967295"},
    };
    char ext[SEGNAME_EXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(segname_raw_split(cases[i].number, ext), 0);
        assert_string_equal(ext, cases[i].ext);
    }
    assert_int_equal(segname_raw_split(0, ext), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_names),
        cmocka_unit_test(all_e01_names),
        cmocka_unit_test(raw_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
