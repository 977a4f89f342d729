#include "tests/lib/unit.h"

#include "common/cleanup.h"
#include "common/table.h"
#include "common/text.h"

static const struct table_column columns[] = {
    {.heading = "N", .right = true}, {.heading = "NAME", .least = 5}, {.heading = "END"}};

static char *
printed(struct table *t)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    assert_non_null(f);
    table_print(t, f);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void
columns_line_up(void **state)
{
    static const char *const cells[] = {"7", "a", "x", "1234", "\xc3\xa4\xc3\xb6 long", ""};
    struct table *t = table_new(columns, COUNT(columns));
    AUTO_FREE char *text = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(cells); i++)
        table_add(t, xstrdup(cells[i]));
    text = printed(t);
    assert_string_equal(text, "   N  NAME     END\n"
                              "   7  a        x\n"
                              "1234  \xc3\xa4\xc3\xb6 long  -\n");
    table_free(t);
    table_free(NULL);
}

static void
empty(void **state)
{
    struct table *t = table_new(columns, COUNT(columns));
    AUTO_FREE char *text = printed(t);

    (void)state;
    assert_string_equal(text, "N  NAME  END\n");
    table_free(t);
}

/* Of the columns that may be cut the widest is, and no further than it may be. */
static void
cut_to_a_width(void **state)
{
    struct table *t = table_new(columns, COUNT(columns));
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    assert_non_null(f);
    table_add(t, xstrdup("1"));
    table_add(t, xstrdup("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f long name"));
    table_add(t, xstrdup("an end"));
    table_fit(t, 17);
    table_print_heading(t, f);
    table_print_row(t, 0, f);
    assert_non_null(table_cut(t, 0, 1));
    assert_null(table_cut(t, 0, 2));
    table_fit(t, 3);
    table_print_row(t, 0, f);
    table_fit(t, SIZE_MAX);
    assert_null(table_cut(t, 0, 1));
    assert_int_equal(fclose(f), 0);
    assert_string_equal(text, "N  NAME    END\n"
                              "1  \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f \xe2\x80\xa6  an end\n"
                              "1  \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xe2\x80\xa6  an end\n");
    free(text);
    table_free(t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up),
        cmocka_unit_test(cut_to_a_width),
        cmocka_unit_test(empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
