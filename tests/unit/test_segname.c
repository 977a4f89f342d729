#include "common/segname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
e01_names_count_as_encase_does(void **state)
{
    static const struct {
        uint32_t number;
        const char *ext;
    } known[] = {
        {1, ".E01"},   {9, ".E09"},    {99, ".E99"},    {100, ".EAA"},
        {101, ".EAB"}, {125, ".EAZ"},  {126, ".EBA"},   {775, ".EZZ"},
        {776, ".FAA"}, {1451, ".FZZ"}, {14970, ".ZZY"}, {SEGNAME_E01_MAX, ".ZZZ"},
    };
    char ext[SEGNAME_EXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(segname_e01(known[i].number, ext), 0);
        assert_string_equal(ext, known[i].ext);
    }
}

static void
e01_names_end(void **state)
{
    char ext[SEGNAME_EXT_MAX];

    (void)state;
    assert_int_equal(segname_e01(0, ext), -1);
    assert_int_equal(segname_e01(SEGNAME_E01_MAX + 1, ext), -1);
    assert_int_equal(segname_e01(UINT32_MAX, ext), -1);
}

static void
other_first_letters_keep_their_case(void **state)
{
    char ext[SEGNAME_EXT_MAX];

    (void)state;
    assert_int_equal(segname_ewf('s', 1, ext), 0);
    assert_string_equal(ext, ".s01");
    assert_int_equal(segname_ewf('s', 776, ext), 0);
    assert_string_equal(ext, ".taa");
    assert_int_equal(segname_ewf('Z', 775, ext), 0);
    assert_string_equal(ext, ".ZZZ");
    assert_int_equal(segname_ewf('Z', 776, ext), -1);
    assert_int_equal(segname_ewf('z', 776, ext), -1);
    assert_int_equal(segname_ewf('1', 1, ext), -1);
}

static void
raw_names_have_at_least_three_digits(void **state)
{
    char ext[SEGNAME_EXT_MAX];

    (void)state;
    assert_int_equal(segname_raw_split(0, ext), -1);
    assert_int_equal(segname_raw_split(1, ext), 0);
    assert_string_equal(ext, ".001");
    assert_int_equal(segname_raw_split(999, ext), 0);
    assert_string_equal(ext, ".999");
    assert_int_equal(segname_raw_split(1000, ext), 0);
    assert_string_equal(ext, ".1000");
    assert_int_equal(segname_raw_split(UINT32_MAX, ext), 0);
    assert_string_equal(ext, ".4294967295");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(e01_names_count_as_encase_does),
        cmocka_unit_test(e01_names_end),
        cmocka_unit_test(other_first_letters_keep_their_case),
        cmocka_unit_test(raw_names_have_at_least_three_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
