/*
 * The page's last table: what the tables before it leave out or round, so that the page says all
 * that the JSON document says. Drawn from that document.
 */
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "report/fields.h"
#include "report/html.h"
#include "report/writer.h"

#define DEPTH_MAX 8
#define VOLUMES_MAX 1000

/* Of a tally: the slack tables have them. */
static bool
is_tabled(const char *key)
{
    static const char *const names[] = {"bytes", "nonzero", "examined", "entropy",
                                        "share", "areas",   "top"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], key) == 0)
            return true;
    }
    return false;
}

/* Zero and "no", of which there would be pages. */
static bool
says_nothing(const json_t *v)
{
    return (json_is_integer(v) && json_integer_value(v) == 0) || json_is_false(v) ||
           (json_is_real(v) && json_real_value(v) < 1e-9);
}

/* The row's own name says it. */
static bool
is_said(const char *key, unsigned depth)
{
    return depth == 0 && (strcmp(key, "name") == 0 || strcmp(key, "partition") == 0);
}

static size_t
figures(FILE *f, const char *path, const json_t *v, unsigned depth, bool tabled)
{
    const char *key;
    json_t *item;
    size_t n = 0;

    json_object_foreach((json_t *)v, key, item)
    {
        char buf[FIELDS_LABEL_MAX];
        AUTO_FREE char *label =
            xasprintf("%s%s%s", path, *path ? ", " : "", fields_label(key, buf));

        if (says_nothing(item) || is_said(key, depth) || (tabled && is_tabled(key)) ||
            fields_is_hidden(key) || fields_is_missing(item))
            continue;
        if (json_is_object(item)) {
            if (depth < DEPTH_MAX)
                n += figures(f, label, item, depth + 1, strcmp(key, "sample") != 0);
            continue;
        }
        if (json_is_array(item) && json_array_size(item) == 0)
            continue;
        (void)fputs("<span class=\"field\"><i>", f);
        html_plain(f, label);
        (void)fputs("</i> ", f);
        html_value(f, key, item);
        (void)fputs("</span> ", f);
        n++;
    }
    return n;
}

static void
row(FILE *f, const char *name, const json_t *v)
{
    (void)fputs("<tr><th scope=\"row\">", f);
    html_text(f, name);
    (void)fputs("</th><td class=\"inline\">", f);
    if (figures(f, "", v, 0, true) == 0)
        (void)fputs("–", f);
    (void)fputs("</td></tr>\n", f);
}

void
html_figures(FILE *f, const struct report *r, const struct paper *p)
{
    json_t *document = report_json(r, p);
    const json_t *volumes = json_object_get(document, "volumes");
    size_t n = json_array_size(volumes);

    (void)fputs("<section id=\"figures\"><h2>Figures in full</h2>\n<p "
                "class=\"remark\">What the tables above leave out or round. What is zero, or is "
                "not so, is left out here.</p>\n<table class=\"facts\">\n",
                f);
    row(f, "Report", json_object_get(document, "report"));
    row(f, "Partition table", json_object_get(document, "partition_table"));
    for (size_t i = 0; i < n && i < VOLUMES_MAX; i++) {
        const json_t *v = json_array_get(volumes, i);
        const char *name = json_text_or_null(v, "name");

        json_t *named = fields_of_volume(v);

        row(f, name ? name : "?", named);
        json_decref(named);
    }
    row(f, "Slack, all volumes", json_object_get(document, "slack"));
    (void)fputs("</table>", f);
    if (n > VOLUMES_MAX)
        (void)fprintf(f, "<p class=\"more\">and %zu more volumes, in the JSON report</p>\n",
                      n - VOLUMES_MAX);
    (void)fputs("</section>\n", f);
    json_decref(document);
}
