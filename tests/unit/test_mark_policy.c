#include "tests/lib/unit.h"

#include "acquire/daemon/mark_policy.h"

/* No such device: nobody uses it. */
static struct device disk = {
    .name = "exhibit-test",
    .disk_name = "exhibit-test",
    .serial = "S1",
    .wwn = "W1",
    .diskseq = 10,
};

static bool
marked(const char *text, bool armed, uint64_t last)
{
    const struct mark_state state = {armed, last};
    struct err err = ERR_INIT;
    struct config c;
    bool is;

    if (config_parse(text, strlen(text), "x", &c, &err) != 0)
        fail_msg("%s", err.text);
    is = mark_is_evidence(&disk, &state, &c);
    config_free(&c);
    return is;
}

static void
what_comes_later(void **state)
{
    (void)state;
    assert_false(marked("", false, 0));
    assert_true(marked("", true, 9));
    assert_false(marked("", true, 10)); /* it was there */
    assert_false(marked("", true, 11));
}

static void
what_the_configuration_says(void **state)
{
    (void)state;
    assert_true(marked("evidence = serial=S1\n", false, 0));
    assert_true(marked("evidence = wwn=W1\n", true, 10));
    assert_false(marked("evidence = serial=S2\n", true, 10));
    assert_false(marked("spare = serial=S1\n", true, 9));
    assert_true(marked("spare = serial=S2\n", true, 9));
    assert_false(marked("spare = wwn=W1\nevidence = serial=S1\n", true, 9));
    disk.is_partition = true;
    assert_false(marked("", true, 9));
    disk.is_partition = false;
    disk.diskseq = 0; /* a kernel that does not number them */
    assert_false(marked("", true, 0));
    disk.diskseq = 10;
}

static void
arming(void **state)
{
    struct err err = ERR_INIT;
    struct mark_state s;
    FILE *f;

    (void)state;
    assert_int_equal(mark_state_load("run", &s, &err), 0);
    assert_false(s.armed);
    assert_int_equal(mark_state_arm("run", 17, &err), 0);
    assert_int_equal(mark_state_arm("run", 99, &err), 0); /* changes nothing */
    assert_int_equal(mark_state_load("run", &s, &err), 0);
    assert_true(s.armed);
    assert_int_equal(s.last, 17);
    f = fopen("run/armed", "we");
    assert_non_null(f);
    assert_true(fputs("soon\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(mark_state_load("run", &s, &err), -1);
    assert_false(s.armed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_later),
        cmocka_unit_test(what_the_configuration_says),
        cmocka_unit_test(arming),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
