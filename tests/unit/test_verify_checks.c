/* The verdict that follows from the checks: the contract, case by case. */
#include "tests/lib/unit.h"

#include "verify/checks.h"

static struct check checks[CHECK_COUNT];

static void
all_not_run(void)
{
    checks_free(checks);
    memset(checks, 0, sizeof checks);
    for (int i = 0; i < CHECK_COUNT; i++)
        check_skip(&checks[i], "there was no reason");
}

static void
sound_without_reference_is_unreferenced(void **state)
{
    (void)state;
    all_not_run();
    assert_int_equal(checks_verdict(checks), VERDICT_UNREFERENCED);
    check_pass(&checks[CHECK_STRUCTURE], "fine");
    check_pass(&checks[CHECK_CHUNKS], "fine");
    check_pass(&checks[CHECK_MAP], "fine");
    assert_int_equal(checks_verdict(checks), VERDICT_UNREFERENCED);
}

static void
one_reference_is_enough(void **state)
{
    (void)state;
    all_not_run();
    check_pass(&checks[CHECK_STORED_HASH], "md5 matches");
    checks[CHECK_STORED_HASH].reference = true;
    assert_int_equal(checks_verdict(checks), VERDICT_PASSED);
}

static void
any_failure_fails(void **state)
{
    (void)state;
    for (int i = 0; i < CHECK_COUNT; i++) {
        all_not_run();
        check_pass(&checks[CHECK_MEDIA_HASH], "fine");
        checks[CHECK_MEDIA_HASH].reference = true;
        check_fail(&checks[i], false, "wrong");
        assert_int_equal(checks_verdict(checks), VERDICT_FAILED);
    }
}

static void
what_is_only_missing_is_incomplete(void **state)
{
    (void)state;
    all_not_run();
    check_fail(&checks[CHECK_SEGMENTS], true, "missing");
    check_fail(&checks[CHECK_CHUNKS], true, "missing");
    assert_int_equal(checks_verdict(checks), VERDICT_INCOMPLETE);
    check_fail(&checks[CHECK_CHUNKS], false, "wrong besides");
    check_fail(&checks[CHECK_CHUNKS], true, "missing again");
    assert_int_equal(checks_verdict(checks), VERDICT_FAILED);
    assert_string_equal(checks[CHECK_CHUNKS].detail, "missing; wrong besides; missing again");
}

static void
a_failure_after_a_pass_counts(void **state)
{
    (void)state;
    all_not_run();
    check_pass(&checks[CHECK_SEGMENTS], "fine");
    checks[CHECK_SEGMENTS].reference = true;
    check_fail(&checks[CHECK_SEGMENTS], false, "wrong %d", 1);
    assert_string_equal(checks[CHECK_SEGMENTS].detail, "wrong 1");
    assert_false(checks[CHECK_SEGMENTS].reference);
    for (int i = 2; i < 100; i++)
        check_fail(&checks[CHECK_SEGMENTS], false, "wrong %d", i);
    assert_string_equal(checks[CHECK_SEGMENTS].detail,
                        "wrong 1; wrong 2; wrong 3; wrong 4; wrong 5");
    assert_int_equal(checks[CHECK_SEGMENTS].n_problems, 99);
}

static void
names_go_both_ways(void **state)
{
    static const char *const names[] = {"segments",    "structure", "chunks", "media-hash",
                                        "stored-hash", "piecewise", "map",    "signature",
                                        "timestamp",   "ledger",    "source"};

    (void)state;
    assert_int_equal(COUNT(names), CHECK_COUNT);
    for (int i = 0; i < CHECK_COUNT; i++) {
        assert_string_equal(check_name((enum check_id)i), names[i]);
        assert_int_equal(check_by_name(names[i]), i);
    }
    assert_int_equal(check_by_name("hash"), -1);
    assert_int_equal(check_by_name(""), -1);
    assert_string_equal(check_status_name(STATUS_NOT_RUN), "not-run");
    assert_string_equal(verdict_name(VERDICT_INCOMPLETE), "incomplete");
}

static int
teardown(void **state)
{
    (void)state;
    checks_free(checks);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_without_reference_is_unreferenced),
        cmocka_unit_test(one_reference_is_enough),
        cmocka_unit_test(any_failure_fails),
        cmocka_unit_test(what_is_only_missing_is_incomplete),
        cmocka_unit_test(a_failure_after_a_pass_counts),
        cmocka_unit_test(names_go_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
