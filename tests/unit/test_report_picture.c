#include "tests/lib/unit.h"

#include "common/text.h"
#include "report/html.h"
#include "report/layout.h"
#include "report/svg.h"

static char *
drawn(void (*draw)(FILE *f, const struct report *r), const struct report *r)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    draw(f, r);
    (void)fclose(f);
    return text;
}

static size_t
count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static void
the_map_marks_each_cell_once(void **state)
{
    struct report r = {.media_size = UINT64_C(1600) << 20, .sector_size = 512};
    char *text;

    (void)state;
    text = drawn(html_unreadable_map, &r);
    assert_string_equal(text, ""); /* nothing to draw */
    free(text);
    /* Cells of 1 MiB: two ranges in one, one over three. */
    ranges_add(&r.unreadable, 512, 512);
    ranges_add(&r.unreadable, 4096, 512);
    ranges_add(&r.unreadable, (UINT64_C(10) << 20) - 512, (UINT64_C(1) << 20) + 1024);
    text = drawn(html_unreadable_map, &r);
    assert_non_null(strstr(text, "1600 cells of 1.0 MiB, of which 4 hold unreadable sectors"));
    assert_int_equal(count(text, "<rect"), 1 + 4 + count(text, "<pattern"));
    free(text);
    ranges_free(&r.unreadable);
}

static void
a_small_disk_has_a_cell_a_sector(void **state)
{
    struct report r = {.media_size = 10 * 512 + 1, .sector_size = 512};
    char *text;

    (void)state;
    ranges_add(&r.unreadable, 0, r.media_size);
    text = drawn(html_unreadable_map, &r);
    assert_non_null(strstr(text, "11 cells of 512 B, of which 11"));
    free(text);
    ranges_free(&r.unreadable);
}

static void
rates_of_any_manifest(void **state)
{
    static const char *const none[] = {
        "{}",
        "{\"acquisition\":{\"rate\":\"fast\"}}",
        "{\"acquisition\":{\"rate\":[{\"seconds\":1,\"bytes\":1}]}}",
        "{\"acquisition\":{\"rate\":[{\"seconds\":-1,\"bytes\":1},{\"seconds\":-2,\"bytes\":5}]}}",
        "{\"acquisition\":{\"rate\":[{\"seconds\":1e300,\"bytes\":1},{\"seconds\":2e300}]}}",
        "{\"acquisition\":{\"rate\":[{\"seconds\":1,\"bytes\":0},{\"seconds\":2,\"bytes\":0}]}}",
    };
    struct report r = {.media_size = 1 << 20, .sector_size = 512};
    char *text;

    (void)state;
    for (size_t i = 0; i < COUNT(none); i++) {
        r.facts = json_loads(none[i], 0, NULL);
        assert_non_null(r.facts);
        text = drawn(html_rate, &r);
        assert_string_equal(text, "");
        free(text);
        json_decref(r.facts);
    }
    r.facts = json_loads("{\"acquisition\":{\"rate\":[{\"seconds\":10,\"bytes\":10485760},"
                         "{\"seconds\":5,\"bytes\":99},{\"seconds\":20,\"bytes\":10485760},"
                         "{\"seconds\":30,\"bytes\":31457280}]}}",
                         0, NULL);
    text = drawn(html_rate, &r);
    assert_non_null(strstr(text, "for 30 seconds, at 0 B a second at least and 2.0 MiB"));
    free(text);
    json_decref(r.facts);
}

static void
text_in_a_drawing_is_escaped_and_cut(void **state)
{
    const struct svg_text narrow = {.size = 10, .room = 30};
    const struct svg_text tiny = {.size = 10, .room = 6};
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    svg_text(f, &narrow, "<é\xff\x1b wide");
    svg_text(f, &tiny, "wide");
    (void)fclose(f);
    assert_int_equal(count(text, "<text"), 1);
    assert_non_null(strstr(text, ">&lt;é\\xff\\x1b"));
    assert_non_null(strstr(text, "…</text>"));
    free(text);
}

static struct volume *
add(struct report *r, uint64_t start, uint64_t length, struct partition *p)
{
    struct volume *v;

    r->volumes = xrealloc(r->volumes, r->n_volumes + 1, sizeof *r->volumes);
    v = &r->volumes[r->n_volumes++];
    *v = (struct volume){.name = xasprintf("volume %zu", r->n_volumes),
                         .partition = p,
                         .start = start,
                         .length = length};
    if (start < r->media_size)
        v->present = length < r->media_size - start ? length : r->media_size - start;
    return v;
}

static void
layouts_that_do_not_fit(void **state)
{
    struct report *r = xcalloc(1, sizeof *r);
    struct partition unused = {.type_code = (char[]){"0x00"}};

    (void)state;
    r->media_size = 1000;
    r->table.found = true;
    (void)add(r, 0, 1000, &unused); /* the slice over the whole disk */
    (void)add(r, 100, 100, NULL);
    (void)add(r, 200, 100, NULL); /* touches the one before */
    layout_check(r);
    assert_int_equal(r->n_findings, 0);
    (void)add(r, 250, 100, NULL);
    (void)add(r, 950, 51, NULL);
    (void)add(r, 1200, 1, NULL);
    (void)add(r, 400, 0, NULL);
    layout_check(r);
    assert_int_equal(r->n_findings, 4);
    assert_string_equal(r->findings[0].code, "past-end");
    assert_string_equal(r->findings[0].text, "it ends 1 bytes past the end of the media");
    assert_string_equal(r->findings[1].text, "it starts 200 bytes past the end of the media");
    assert_string_equal(r->findings[2].code, "empty");
    assert_string_equal(r->findings[3].text, "it overlaps volume 3 by 50 bytes");
    assert_string_equal(r->findings[3].subject, "volume 4");
    report_free(r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_marks_each_cell_once),
        cmocka_unit_test(a_small_disk_has_a_cell_a_sector),
        cmocka_unit_test(rates_of_any_manifest),
        cmocka_unit_test(text_in_a_drawing_is_escaped_and_cut),
        cmocka_unit_test(layouts_that_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
