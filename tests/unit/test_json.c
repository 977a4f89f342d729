#include "tests/lib/unit.h"

#include <fcntl.h>

#include "common/cleanup.h"
#include "common/json.h"

static void
text_that_is_utf8(void **state)
{
    json_t *o = json_object();
    struct err err = ERR_INIT;
    const char *got;

    (void)state;
    json_set_text(o, "a", "caf\xc3\xa9 \"\\\n");
    json_set_text(o, "b", NULL);
    json_set_textf(o, "c", "%d%%", 5);
    assert_int_equal(json_get_text(o, "a", &got, &err), 0);
    assert_string_equal(got, "caf\xc3\xa9 \"\\\n");
    assert_null(json_object_get(o, "a_base64"));
    assert_true(json_is_null(json_object_get(o, "b")));
    assert_null(json_text_or_null(o, "b"));
    assert_null(json_text_or_null(o, "nothing"));
    assert_string_equal(json_text_or_null(o, "c"), "5%");
    json_decref(o);
}

/* The contract: each such byte as \u00XX, and the exact bytes in base64 beside it. */
static void
text_that_is_not(void **state)
{
    json_t *o = json_object();

    (void)state;
    json_set_text(o, "path", "x\xff\x80/\xc3\xa9\xc3");
    AUTO_FREE char *line = json_to_line(o);
    assert_non_null(strstr(line, "\"path\":\"x\xc3\xbf\xc2\x80/\xc3\xa9\xc3\x83\""));
    assert_string_equal(json_text_or_null(o, "path_base64"), "eP+AL8Opww==");
    AUTO_FREE char *bytes = json_get_bytes(o, "path");
    assert_string_equal(bytes, "x\xff\x80/\xc3\xa9\xc3");
    json_decref(o);
}

static void
any_bytes_come_back(void **state)
{
    struct rng rng = rng_start("json bytes");

    (void)state;
    for (int i = 0; i < 5000; i++) {
        char in[24];
        size_t n = rng_below(&rng, sizeof in);
        json_t *o = json_object();
        json_error_t why;

        for (size_t j = 0; j < n; j++)
            in[j] = (char)(1 + rng_below(&rng, 255));
        in[n] = '\0';
        json_set_text(o, "k", in);
        AUTO_FREE char *text = json_to_text(o);
        json_decref(o);
        o = json_loads(text, 0, &why);
        if (!o)
            fail_msg("%s: %s", why.text, text);
        AUTO_FREE char *back = json_get_bytes(o, "k");
        assert_string_equal(back, in);
        json_decref(o);
    }
}

/* The plain text is not what was meant where the exact one is none. */
static void
exact_that_is_no_text(void **state)
{
    json_t *o = json_pack("{s:s, s:i}", "k", "x", "k_base64", 5);
    AUTO_FREE char *got = json_get_bytes(o, "k");
    AUTO_FREE char *plain = NULL;

    (void)state;
    assert_null(got);
    (void)json_object_set_new(o, "k_base64", json_null());
    plain = json_get_bytes(o, "k");
    assert_string_equal(plain, "x");
    json_decref(o);
}

/* A forged base64 text must not smuggle in a NUL, or be read past its end. */
static void
bad_base64(void **state)
{
    static const char *const cases[] = {"AA==", "eAB4", "****", "e A=", "\xc3\xa9"};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *o = json_pack("{s:s, s:s}", "k", "x", "k_base64", cases[i]);

        AUTO_FREE char *got = json_get_bytes(o, "k");
        if (got)
            fail_msg("'%s' was taken", cases[i]);
        json_decref(o);
    }
}

static void
numbers(void **state)
{
    struct err err = ERR_INIT;
    json_t *o = json_pack("{s:i, s:s, s:f, s:I}", "neg", -1, "text", "1", "real", 1.0, "big",
                          (json_int_t)INT64_MAX);
    uint64_t v;

    (void)state;
    json_set_u64(o, "n", 42);
    json_set_u64(o, "max", UINT64_MAX);
    assert_int_equal(json_get_u64(o, "n", &v, &err), 0);
    assert_int_equal(v, 42);
    assert_int_equal(json_get_u64(o, "big", &v, &err), 0);
    assert_int_equal(v, INT64_MAX);
    assert_int_equal(json_get_u64(o, "max", &v, &err), 0);
    assert_int_equal(v, INT64_MAX);
    assert_int_equal(json_get_u64(o, "neg", &v, &err), -1);
    assert_int_equal(json_get_u64(o, "text", &v, &err), -1);
    assert_int_equal(json_get_u64(o, "real", &v, &err), -1);
    assert_int_equal(json_get_u64(o, "none", &v, &err), -1);
    assert_non_null(strstr(err.text, "'none'"));
    assert_int_equal(json_get_u64(NULL, "none", &v, &err), -1);
    json_decref(o);
}

static void
ranges_both_ways(void **state)
{
    struct ranges set = {0};
    struct ranges back = {0};
    struct err err = ERR_INIT;
    json_t *array;
    json_t *bad;

    (void)state;
    ranges_add(&set, 512, 512);
    ranges_add(&set, 1 << 20, 4096);
    array = json_from_ranges(&set);
    assert_int_equal(json_to_ranges(array, &back, &err), 0);
    assert_int_equal(back.n, 2);
    assert_memory_equal(back.v, set.v, 2 * sizeof *set.v);
    assert_int_equal(json_to_ranges(NULL, &back, &err), -1);
    ranges_free(&back);
    bad = json_pack("[{s:i, s:i}, {s:i}]", "offset", 0, "length", 1, "offset", 5);
    assert_int_equal(json_to_ranges(bad, &back, &err), -1);
    assert_non_null(strstr(err.text, "range 1"));
    json_decref(bad);
    ranges_free(&back);
    bad = json_pack("[{s:i, s:i}, {s:i, s:i}]", "offset", 8, "length", 8, "offset", 0, "length", 4);
    assert_int_equal(json_to_ranges(bad, &back, &err), -1); /* out of order */
    json_decref(bad);
    bad = json_pack("[i]", 1);
    assert_int_equal(json_to_ranges(bad, &back, &err), -1);
    json_decref(bad);
    json_decref(array);
    ranges_free(&set);
    ranges_free(&back);
}

static void
put(const char *name, const char *text)
{
    AUTO_FILE FILE *f = fopen(name, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
}

static void
files(void **state)
{
    struct err err = ERR_INIT;
    json_t *v;

    (void)state;
    put("good", "{\"a\": 1}\n");
    v = json_load_file_bounded("good", 100, &err);
    assert_non_null(v);
    json_decref(v);
    assert_null(json_load_file_bounded("good", 5, &err)); /* larger than allowed */
    put("twice", "{\"a\": 1,\n\"a\": 2}");
    assert_null(json_load_file_bounded("twice", 100, &err));
    assert_non_null(strstr(err.text, "line 2"));
    put("more", "{} {}");
    assert_null(json_load_file_bounded("more", 100, &err));
    put("empty", "");
    assert_null(json_load_file_bounded("empty", 100, &err));
    assert_null(json_load_file_bounded("absent", 100, &err));
    assert_null(json_load_file_bounded(".", 100, &err));
    assert_non_null(strstr(err.text, "directory"));
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_null(json_load_file_bounded("pipe", 100, &err)); /* and does not hang */
}

/* A document nested a hundred thousand deep must not eat the stack. */
static void
deep(void **state)
{
    size_t n = 100000;
    char *text = malloc(n + 1);
    struct err err = ERR_INIT;

    (void)state;
    assert_non_null(text);
    memset(text, '[', n);
    text[n] = '\0';
    put("deep", text);
    free(text);
    assert_null(json_load_file_bounded("deep", 1 << 20, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_utf8),
        cmocka_unit_test(text_that_is_not),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(bad_base64),
        cmocka_unit_test(exact_that_is_no_text),
        cmocka_unit_test(numbers),
        cmocka_unit_test(ranges_both_ways),
        cmocka_unit_test(files),
        cmocka_unit_test(deep),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
