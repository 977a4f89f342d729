#include "tests/lib/unit.h"

#include "common/text.h"
#include "report/case_graph.h"
#include "report/stationery.h"
#include "report/xml.h"

static void
add(void *arg, const char *a, const char *s, const char *b)
{
    char **out = arg;
    char *longer = xasprintf("%s%s%s%s", *out, a, s, b);

    free(*out);
    *out = longer;
}

static void
begin(void *arg, enum template_part part)
{
    static const char *const names[] = {"T", "H", "P", "I"};

    add(arg, "<", names[part], ">");
}

static void
text(void *arg, const char *s)
{
    add(arg, "", s, "");
}

static void
value(void *arg, const char *s)
{
    add(arg, "[", s, "]");
}

static void
end(void *arg, enum template_part part)
{
    (void)part;
    add(arg, "</", "", ">");
}

static void
table(void *arg, enum form_table which)
{
    add(arg, "<table ", form_table_names[which], ">");
}

static void
sign(void *arg, const char *label)
{
    add(arg, "<sign ", label, ">");
}

/* What the template makes of a report on exhibit "{case_number}" with or without bad sectors. */
static char *
run(const char *source, bool unreadable)
{
    static const struct template_sink sink = {begin, text, value, end, table, sign};
    struct err err = ERR_INIT;
    struct template *t = template_parse("x", source, strlen(source), &err);
    struct report *r = xcalloc(1, sizeof *r);
    struct form form = {.report = r};
    char *out = xstrdup("");

    assert_non_null(t);
    r->name = xstrdup("x");
    r->image_path = xstrdup("x");
    r->created = xstrdup("now");
    r->sector_size = 512;
    r->facts = json_pack("{s:{s:s}}", "case", "evidence_number", "{case_number}");
    if (unreadable)
        ranges_add(&r->unreadable, 0, 1024);
    template_run(t, &form, &sink, &out);
    report_free(r);
    template_free(t);
    return out;
}

static void
check(const char *source, bool unreadable, const char *expected)
{
    char *got = run(source, unreadable);

    assert_string_equal(got, expected);
    free(got);
}

static void
lines_become_parts(void **state)
{
    (void)state;
    check("", false, "");
    check("# a\n## b\n- c\none\ntwo\n\nthree\n; no\n", false,
          "<T>a</><H>b</><I>c</><P>one two</><P>three</>");
    check("x\r\n{table hashes}\n{sign Name, date}\n", false,
          "<P>x</><table hashes><sign Name, date>");
    check("{{a}} b{{{{", false, "<P>{a}} b{{</>");
}

/* What a value holds is never read as a template. */
static void
values_are_text(void **state)
{
    (void)state;
    check("E {evidence_number}, {case_number}.", false, "<P>E [{case_number}], [not recorded].</>");
    check("{unreadable_sectors}", true, "<P>[2]</>");
    check("{meta.x}{report_name}", false, "<P>[not recorded][x]</>");
}

static void
conditions_choose(void **state)
{
    static const char source[] = "a\n{if unreadable}\nb\n{if not manifest}\nc\n{else}\nd\n{end}\n"
                                 "{else}\ne\n{if unreadable}\nf\n{else}\ng\n{end}\n{end}\nh\n";

    (void)state;
    check(source, true, "<P>a b c h</>");
    check(source, false, "<P>a e g h</>");
}

static void
mistakes_name_their_line(void **state)
{
    static const struct {
        const char *source;
        const char *line;
    } cases[] = {
        {"\n{nobody}", "line 2"},
        {"{if nothing}\n{end}", "line 1"},
        {"a\n{if unreadable}", "line 2"},
        {"{end}", "line 1"},
        {"{if ledger}\n{else}\n{else}\n{end}", "line 3"},
        {"{table x}", "line 1"},
        {"a {b", "line 1"},
        {"\xff", "UTF-8"},
        {"{if ledger}\n{if ledger}\n{if ledger}\n{if ledger}\n{if ledger}\n{if ledger}\n{if "
         "ledger}\n"
         "{if ledger}\n{if ledger}\n",
         "line 9"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = ERR_INIT;

        assert_null(template_parse("x", cases[i].source, strlen(cases[i].source), &err));
        assert_int_equal(err.outcome, OUTCOME_USAGE);
        assert_non_null(strstr(err.text, cases[i].line));
    }
}

/* Whatever the bytes, it is parsed or refused; and what is parsed runs. */
static void
random_templates_end(void **state)
{
    static const char *const words[] = {"{if ledger}\n",
                                        "{if not unreadable}\n",
                                        "{else}\n",
                                        "{end}\n",
                                        "# t\n",
                                        "{{",
                                        "{user}",
                                        "text ",
                                        "\n",
                                        "{table hashes}\n"};
    struct rng rng = rng_start("template");

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct err err = ERR_INIT;
        char source[512] = "";
        size_t n = 0;
        struct template *t;

        for (uint64_t k = rng_below(&rng, 20); k > 0; k--)
            n += (size_t)snprintf(source + n, sizeof source - n, "%s",
                                  words[rng_below(&rng, COUNT(words))]);
        t = template_parse("x", source, strlen(source), &err);
        if (t)
            free(run(source, true));
        template_free(t);
    }
}

static void
xml_has_no_illegal_characters(void **state)
{
    char *out = NULL;
    size_t n;
    FILE *f = open_memstream(&out, &n);

    (void)state;
    xml_text(f, "<&\">\x01\xff\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd\xe2\x80\xae");
    (void)fclose(f);
    assert_string_equal(out,
                        "&lt;&amp;&quot;&gt;\\x01\\xff\\u{fffe}\\u{ffff}\xef\xbf\xbd\\u{202e}");
    free(out);
}

/* Only what is an xsd:dateTime may be called one. */
static void
case_times_are_times(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"2026-11-21T05:30:00Z", true},       {"2024-02-29T23:59:59.5+02:00", true},
        {"2026-02-29T00:00:00Z", false},      {"2026-04-31T00:00:00Z", false},
        {"0000-01-01T00:00:00Z", false},      {"2026-13-01T00:00:00Z", false},
        {"2026-11-21T05:30:00", false},       {"2026-11-21 05:30:00Z", false},
        {"2026-11-21T05:30:00.Z", false},     {"2026-11-21T24:00:00Z", false},
        {"2026-11-21T05:30:00Z\"x", false},   {"", false},
        {"2026-11-21T05:30:00+14:00", false}, {"26", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *v = json_object();

        case_time(v, "x:y", cases[i].text);
        assert_int_equal(json_object_size(v), cases[i].good ? 1 : 0);
        json_decref(v);
    }
}

/* The same image has the same identifiers; the exact bytes of a text stand outside the graph. */
static void
case_graphs_are_the_same(void **state)
{
    json_t *documents[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct case_graph *g = case_graph_new("seed");
        json_t *facet = case_facet(g, case_object(g, "uco-observable:Image", "image"),
                                   "uco-observable:ContentDataFacet");

        case_hash(g, facet, "md5", "d41d8cd98f00b204e9800998ecf8427e");
        case_hash(g, facet, "md5", "not hexadecimal");
        case_text(facet, "uco-core:name", "a\xff");
        case_text(facet, "uco-core:description", "\x07\n\xef\xbf\xbe");
        documents[i] = case_graph_finish(g, "x", "2026-11-21T05:30:00Z");
    }
    assert_true(json_equal(documents[0], documents[1]));
    const json_t *objects = json_object_get(documents[0], "@graph");
    const json_t *facet = json_array_get(objects, 2);

    assert_int_equal(json_array_size(objects), 4);
    assert_string_equal(json_string_value(json_object_get(facet, "uco-core:name")), "a\xc3\xbf");
    assert_string_equal(json_string_value(json_object_get(facet, "name_base64")), "Yf8=");
    assert_string_equal(json_string_value(json_object_get(facet, "uco-core:description")),
                        "\\u{0007}\n\\u{fffe}");
    assert_non_null(json_object_get(facet, "description_base64"));
    json_decref(documents[0]);
    json_decref(documents[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_parts),   cmocka_unit_test(values_are_text),
        cmocka_unit_test(conditions_choose),    cmocka_unit_test(mistakes_name_their_line),
        cmocka_unit_test(random_templates_end), cmocka_unit_test(xml_has_no_illegal_characters),
        cmocka_unit_test(case_times_are_times), cmocka_unit_test(case_graphs_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
