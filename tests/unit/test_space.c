#include "tests/lib/unit.h"

#include "acquire/front/space.h"

#define MIB ((uint64_t)1 << 20)

/* Nothing is said before there is something to go by, and then once. */
static void
test_short(void **state)
{
    struct space s = {0};

    (void)state;
    assert_false(space_look(&s, 1000 * MIB, 0, 4000 * MIB));
    assert_false(space_look(&s, 970 * MIB, 60 * MIB, 4000 * MIB));
    assert_true(space_look(&s, 950 * MIB, 100 * MIB, 4000 * MIB)); /* half: 1950 are needed */
    assert_int_equal(s.need / MIB, 1950);
    assert_false(space_look(&s, 900 * MIB, 200 * MIB, 4000 * MIB));
}

static void
test_enough(void **state)
{
    struct space s = {0};

    (void)state;
    for (uint64_t done = 0; done <= 4000; done += 100)
        assert_false(space_look(&s, (1001 - done / 4) * MIB, done * MIB, 4000 * MIB));
}

/* What another program frees, and a run that goes on in the middle. */
static void
test_odd(void **state)
{
    struct space s = {0};

    (void)state;
    assert_false(space_look(&s, 0, 1000 * MIB, 4000 * MIB));
    assert_false(space_look(&s, 5000 * MIB, 1100 * MIB, 4000 * MIB));
    assert_false(space_look(&s, 4900 * MIB, 900 * MIB, 4000 * MIB));
    assert_false(space_look(&s, 1, 5000 * MIB, 4000 * MIB));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_enough),
        cmocka_unit_test(test_odd),
    };

    return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
