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

static void
names_of_split(void **state)
{
    static const struct {
        const char *first;
        uint32_t number;
        bool widened;
        const char *path; /* NULL: no such name */
    } cases[] = {
        {"d/a.001", 2, false, "d/a.002"},  {"a.000", 1000, false, "a.1000"},
        {"a.1", 10, false, "a.10"},        {"a_1", 2, false, "a_2"},
        {"a.dd.01", 99, false, "a.dd.99"}, {"a.aa", 27, false, "a.bb"},
        {"a.aa", 675, false, "a.zz"},      {"a.aa", 676, false, NULL},
        {"a.AAA", 26, false, "a.ABA"},     {"x/xaa", 1, false, "x/xab"},
        {"a.00", 89, true, "a.89"},        {"a.00", 90, true, "a.9000"},
        {"a.00", 989, true, "a.9899"},     {"a.00", 990, true, "a.990000"},
        {"a.aa", 649, true, "a.yz"},       {"a.aa", 650, true, "a.zaaa"},
        {"a.0", 9, true, "a.900"},
    };
    static const char *const others[] = {"",         "a",    "aa",  "001", ".",
                                         "a.raw5.",  "file", "a.a", "x",   "a.000000",
                                         "aa.aaaaa", "box",  "yaa"};
    struct segname_split at;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *path;

        assert_true(segname_split_parse(cases[i].first, &at));
        path = segname_split_path(&at, cases[i].number, cases[i].widened);
        if (!cases[i].path)
            assert_null(path);
        else if (!path || strcmp(path, cases[i].path) != 0)
            fail_msg("%s, %u: %s", cases[i].first, cases[i].number, path ? path : "none");
        free(path);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        if (segname_split_parse(others[i], &at))
            fail_msg("'%s' is taken for a segment's name", others[i]);
    }
    assert_true(segname_split_parse("disk.img", &at));
    assert_true(at.number > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_names),
        cmocka_unit_test(all_e01_names),
        cmocka_unit_test(raw_names),
        cmocka_unit_test(names_of_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
