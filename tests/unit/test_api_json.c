#include "tests/lib/unit.h"

#include "acquire/daemon/api_json.h"
#include "common/json.h"
#include "common/text.h"

static struct daemon_message m;

static int
read_submit(const char *body)
{
    struct err err = ERR_INIT;
    int r = api_read_submit(body, strlen(body), &m, &err);

    assert_true(r == 0 || err.outcome == OUTCOME_USAGE);
    return r;
}

static void
a_submit_becomes_texts(void **state)
{
    static const char *const expected[] = {"/s", "/d", "--format", "raw", "--x=\xff"};
    size_t at = 0;

    (void)state;
    assert_int_equal(read_submit("{\"source\":\"/s\",\"dest\":\"/d\",\"options\":[\"--format\","
                                 "\"raw\",{\"option\":\"?\",\"option_base64\":\"LS14Pf8=\"}]}"),
                     0);
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_string_equal(daemon_message_text(&m, &at), expected[i]);
    assert_null(daemon_message_text(&m, &at));
    /* The exact bytes win. */
    assert_int_equal(read_submit("{\"source\":\"?\",\"source_base64\":\"L/8=\",\"dest\":\"/d\"}"),
                     0);
    at = 0;
    assert_string_equal(daemon_message_text(&m, &at), "/\xff");
}

static void
malformed_bodies_are_errors(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "null",
        "[]",
        "{}",
        "{\"source\":\"/s\"}",
        "{\"source\":\"\",\"dest\":\"/d\"}",
        "{\"source\":1,\"dest\":\"/d\"}",
        "{\"source\":\"/s\",\"dest\":null}",
        "{\"source\":\"/s\",\"dest\":\"/d\"} {}",
        "{\"source\":\"/s\",\"source\":\"/t\",\"dest\":\"/d\"}",
        "{\"source\":\"/s\",\"dest\":\"/d\",\"uid\":0}",
        "{\"source\":\"/s\",\"dest\":\"/d\",\"options\":{}}",
        "{\"source\":\"/s\",\"dest\":\"/d\",\"options\":[1]}",
        "{\"source\":\"/s\",\"dest\":\"/d\",\"options\":[[]]}",
        "{\"source\":\"/s\",\"dest\":\"/d\",\"options\":[{}]}",
        "{\"source\":\"/s\\u0000x\",\"dest\":\"/d\"}",
        "{\"source\":\"\",\"source_base64\":\"L3MAeA==\",\"dest\":\"/d\"}",
        "{\"source\":\"\",\"source_base64\":\"!\",\"dest\":\"/d\"}",
        "{\"source\":\"/\xff\",\"dest\":\"/d\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(read_submit(bad[i]), -1);
}

static void
too_much_is_an_error(void **state)
{
    char *many = xstrdup("{\"source\":\"/s\",\"dest\":\"/d\",\"options\":[\"a\"");
    char *deep = xcalloc(1, 60001);
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < DAEMON_OPTIONS_MAX; i++) {
        char *more = xasprintf("%s,\"a\"", many);

        free(many);
        many = more;
    }
    deep[0] = '\0';
    memset(deep, '[', 60000);
    assert_int_equal(api_read_submit(deep, 60000, &m, &err), -1);
    many = xrealloc(many, strlen(many) + 3, 1);
    memcpy(many + strlen(many), "]}", 3);
    assert_int_equal(read_submit(many), -1);
    free(many);
    free(deep);
}

static void
small_bodies_are_read(void **state)
{
    struct err err = ERR_INIT;
    bool discard = true;
    char *device = NULL;

    (void)state;
    assert_int_equal(api_read_cancel("", 0, &discard, &err), 0);
    assert_false(discard);
    assert_int_equal(api_read_cancel("{\"discard\":true}", 16, &discard, &err), 0);
    assert_true(discard);
    assert_int_equal(api_read_cancel("{\"discard\":1}", 13, &discard, &err), -1);
    assert_int_equal(api_read_cancel("{\"x\":1}", 7, &discard, &err), -1);
    assert_int_equal(api_read_nothing("", 0, &err), 0);
    assert_int_equal(api_read_nothing("{}", 2, &err), 0);
    assert_int_equal(api_read_nothing("{\"x\":1}", 7, &err), -1);
    assert_int_equal(api_read_device("{\"device\":\"/dev/sdb\"}", 21, &device, &err), 0);
    assert_string_equal(device, "/dev/sdb");
    free(device);
    device = NULL;
    assert_int_equal(api_read_device("{\"device\":\"sdb\"}", 16, &device, &err), -1);
    free(device);
}

static void
a_job_is_told_in_full(void **state)
{
    static const char *const texts[] = {"ada", "/dev/\xff", "/d",  "acquire",
                                        "",    "--format",  "\xfe"};
    json_t *v;
    char *exact;

    (void)state;
    daemon_message_begin(&m, DAEMON_JOB);
    m.facts = (struct job_facts){.id = 7, .uid = 1000, .state = JOB_RUNNING, .exit = -1};
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_true(daemon_message_add(&m, texts[i]));
    v = api_job(&m);
    assert_int_equal(json_integer_value(json_object_get(v, "id")), 7);
    assert_string_equal(json_text_or_null(v, "state"), "running");
    assert_true(json_is_null(json_object_get(v, "exit")));
    assert_true(json_is_null(json_object_get(v, "message")));
    assert_true(json_is_null(json_object_get(v, "started")));
    exact = json_get_bytes(v, "source");
    assert_string_equal(exact, "/dev/\xff");
    free(exact);
    assert_string_equal(json_string_value(json_array_get(json_object_get(v, "options"), 0)),
                        "--format");
    exact = json_get_bytes(json_array_get(json_object_get(v, "options"), 1), "option");
    assert_string_equal(exact, "\xfe");
    free(exact);
    json_decref(v);
    /* A core that says nothing is no reason to fall. */
    daemon_message_begin(&m, DAEMON_JOB);
    m.facts.state = 99;
    json_decref(api_job(&m));
    m.kind = 99;
    json_decref(api_event(&m));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submit_becomes_texts), cmocka_unit_test(malformed_bodies_are_errors),
        cmocka_unit_test(too_much_is_an_error),   cmocka_unit_test(small_bodies_are_read),
        cmocka_unit_test(a_job_is_told_in_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
