#include "tests/lib/unit.h"

#include "common/text.h"
#include "report/html.h"
#include "report/writer.h"

static char *
html_of(void (*write)(FILE *, const char *), const char *s)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    write(f, s);
    (void)fclose(f);
    return text;
}

static void
check_text(const char *in, const char *expected)
{
    char *got = html_of(html_text, in);

    assert_string_equal(got, expected);
    free(got);
}

static void
text_stays_text(void **state)
{
    (void)state;
    check_text("plain", "<bdi>plain</bdi>");
    check_text("<a href=\"x\" onload='y'>&", "<bdi>&lt;a href=&quot;x&quot; onload=&#39;y&#39;&gt;"
                                             "&amp;</bdi>");
    check_text("a\x1b[31mb\x07", "<bdi>a\\x1b[31mb\\x07</bdi>");
    check_text("\xff\xfe", "<bdi>\\xff\\xfe</bdi>");
    check_text("\xe2\x80\xaegnp.exe", "<bdi>\\u{202e}gnp.exe</bdi>");
    check_text("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
               "<bdi class=\"rtl\">\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d</bdi>");
    check_text("one\r\ntwo", "<bdi>one<br>two</bdi>");
}

/* Whatever the bytes are, no markup of theirs comes through. */
static void
random_bytes_give_no_markup(void **state)
{
    static const char pool[] = "<>&\"'\n\r\x1b\x80\xff\xe2\x80\xae"
                               "abc/=";
    struct rng rng = rng_start("html");

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char in[64];
        size_t n = rng_below(&rng, sizeof in - 1);
        char *got;

        for (size_t i = 0; i < n; i++)
            in[i] = pool[rng_below(&rng, sizeof pool - 1)];
        in[n] = '\0';
        got = html_of(html_plain, in);
        assert_null(strpbrk(got, "<>\"'\x1b\n\r"));
        assert_true(text_is_utf8(got, strlen(got)) || *got == '\0');
        free(got);
    }
}

static void
long_text_is_cut_between_characters(void **state)
{
    char *in = xcalloc(HTML_TEXT_MAX + 100, 1);
    char *got;

    (void)state;
    memset(in, 'x', HTML_TEXT_MAX - 1);
    memcpy(in + HTML_TEXT_MAX - 1, "\xe2\x82\xac\xe2\x82\xac",
           6); /* the cut falls into the first */
    got = html_of(html_plain, in);
    assert_non_null(strstr(got, "x … (cut)"));
    assert_null(strstr(got, "\\x"));
    free(got);
    free(in);
}

/* A manifest's fields may have any shape; each must end, and close what it opens. */
static void
values_of_any_shape_are_shown(void **state)
{
    json_t *deep = json_string("end");
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    for (int i = 0; i < 100; i++)
        deep = json_pack("{s:[o]}", "<key>", deep);
    html_value(f, "x", deep);
    (void)fclose(f);
    assert_null(strstr(text, "<key>"));
    assert_true(n < 10000);
    json_decref(deep);
    free(text);
}

static void
numbers_have_their_separators(void **state)
{
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1,000"},
        {123456, "123,456"},
        {UINT64_MAX, "18,446,744,073,709,551,615"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = NULL;
        size_t n;
        FILE *f = open_memstream(&text, &n);

        html_number(f, cases[i].n);
        (void)fclose(f);
        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

/* Nothing is known at all: each writer still gives a whole document. */
static void
an_empty_report_is_whole(void **state)
{
    struct err err = ERR_INIT;
    struct stationery *s = stationery_load(NULL, NULL, &err);
    struct paper paper = {.stationery = s, .documents = ~0u};
    struct report *r = xcalloc(1, sizeof *r);
    size_t n;

    (void)state;
    assert_non_null(s);
    r->name = xstrdup("x");
    r->image_path = xstrdup("x.raw");
    r->created = xstrdup("2026-11-21T00:00:00Z");
    r->facts = json_object();
    r->deviations = json_array();
    r->sector_size = 512;
    for (size_t i = 0; i < n_writers; i++) {
        char *text;

        if (strcmp(writers[i].format, "pdf") == 0) /* needs a program that may not be there */
            continue;
        text = writers[i].write(r, &paper, &n, &err);
        assert_non_null(text);
        assert_int_equal(strlen(text), n);
        assert_true(n > 100);
        free(text);
    }
    report_free(r);
    stationery_free(s);
}

static void
formats_are_parsed(void **state)
{
    struct err err = ERR_INIT;
    unsigned set;

    (void)state;
    assert_int_equal(writers_parse("pdf", &set, &err), 0);
    assert_int_equal(set, 2);
    assert_int_equal(writers_parse("json,html,json", &set, &err), 0);
    assert_int_equal(set, 5);
    assert_int_equal(set, writers_default());
    assert_int_equal(writers_parse("html,pdf,json,text,dfxml,case", &set, &err), 0);
    assert_int_equal(set, 63);
    assert_int_equal(writers_parse("html,", &set, &err), -1);
    assert_int_equal(writers_parse("HTML", &set, &err), -1);
    assert_int_equal(writers_parse("docx", &set, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_USAGE);
    assert_non_null(strstr(err.text, "html, pdf, json, text, dfxml, case"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_text),
        cmocka_unit_test(random_bytes_give_no_markup),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(values_of_any_shape_are_shown),
        cmocka_unit_test(numbers_have_their_separators),
        cmocka_unit_test(an_empty_report_is_whole),
        cmocka_unit_test(formats_are_parsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
