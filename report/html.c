#include "report/html.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"
#include "report/fields.h"

/* Nesting and lengths that a report shows; the JSON has everything. */
#define DEPTH_MAX 4
#define ITEMS_MAX 40

static void
escape(FILE *f, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '&':
            (void)fputs("&amp;", f);
            break;
        case '<':
            (void)fputs("&lt;", f);
            break;
        case '>':
            (void)fputs("&gt;", f);
            break;
        case '"':
            (void)fputs("&quot;", f);
            break;
        case '\'':
            (void)fputs("&#39;", f);
            break;
        default:
            (void)fputc(*s, f);
        }
    }
}

void
html_plain(FILE *f, const char *s)
{
    size_t n = text_utf8_cut(s, HTML_TEXT_MAX);
    AUTO_FREE char *printable = text_printable_n(s, n);

    escape(f, printable);
    if (s[n])
        (void)fputs(" … (cut)", f);
}

/* Scripts that run from right to left: Hebrew to Arabic Extended-A, their presentation forms, and
   the blocks of the supplementary plane that Unicode keeps for them. */
static bool
is_right_to_left(const char *s)
{
    uint32_t cp = 0;

    for (size_t n = strlen(s); n > 0;) {
        size_t len = text_utf8_next(s, n, &cp);

        if (len > 0 && ((cp >= 0x590 && cp <= 0x8ff) || (cp >= 0xfb1d && cp <= 0xfdff) ||
                        (cp >= 0xfe70 && cp <= 0xfefc) || (cp >= 0x10800 && cp <= 0x10fff) ||
                        (cp >= 0x1e800 && cp <= 0x1efff)))
            return true;
        s += len ? len : 1;
        n -= len ? len : 1;
    }
    return false;
}

/* Text from right to left gets a font of its own: WeasyPrint records for a font's glyphs, the space
   among them, which text they stand for, and is wrong about it after such text. The rest stays fit
   to be searched and copied. Line breaks of notes are kept; all else that has no form of its own is
   written out. */
void
html_text(FILE *f, const char *s)
{
    (void)fputs(is_right_to_left(s) ? "<bdi class=\"rtl\">" : "<bdi>", f);
    for (size_t lines = 0; lines < ITEMS_MAX; lines++) {
        size_t n = strcspn(s, "\n");
        AUTO_FREE char *line = xstrndup(s, n > 0 && s[n] == '\n' && s[n - 1] == '\r' ? n - 1 : n);

        html_plain(f, line);
        if (s[n] == '\0')
            break;
        (void)fputs("<br>", f);
        s += n + 1;
    }
    (void)fputs("</bdi>", f);
}

void
html_number(FILE *f, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            (void)fputc(',', f);
        (void)fputc(digits[i], f);
    }
}

void
html_bytes(FILE *f, uint64_t n)
{
    char human[SIZE_TEXT_MAX];

    html_number(f, n);
    (void)fputs(" bytes", f);
    if (n >= 1024)
        (void)fprintf(f, " (%s)", size_human(n, human));
}

void
html_share(FILE *f, uint64_t part, uint64_t whole)
{
    double share = whole > 0 ? 100.0 * (double)part / (double)whole : 0;

    if (part == 0 || whole == 0)
        (void)fputs("–", f);
    else if (share < 0.1)
        (void)fputs("&lt; 0.1 %", f);
    else
        (void)fprintf(f, "%.1f %%", share);
}

/* A field's name as people say it. */
static void
label(FILE *f, const char *key)
{
    char buf[FIELDS_LABEL_MAX];

    html_text(f, fields_label(key, buf));
}

static void
not_recorded(FILE *f, const char *key)
{
    (void)fprintf(f, "<span class=\"none\">%s</span>", fields_missing(key));
}

static void value_at(FILE *f, const char *key, const json_t *v, unsigned depth);

static void
object_value(FILE *f, const json_t *v, unsigned depth)
{
    const char *key;
    json_t *item;
    size_t n = 0;

    (void)fputs("<span class=\"fields\">", f);
    json_object_foreach((json_t *)v, key, item)
    {
        if (fields_is_hidden(key))
            continue;
        if (n++ == ITEMS_MAX)
            break;
        (void)fputs("<span class=\"field\"><i>", f);
        label(f, key);
        (void)fputs("</i> ", f);
        if (fields_is_missing(item))
            not_recorded(f, key);
        else
            value_at(f, key, item, depth + 1);
        (void)fputs("</span>", f);
    }
    if (n > ITEMS_MAX)
        (void)fputs("<span class=\"more\">and more, in the JSON report</span>", f);
    (void)fputs(n == 0 ? "–</span>" : "</span>", f);
}

static void
array_value(FILE *f, const char *key, const json_t *v, unsigned depth)
{
    size_t n = json_array_size(v);

    if (n == 0)
        (void)fputs("none", f);
    for (size_t i = 0; i < n && i < ITEMS_MAX; i++) {
        if (i > 0)
            (void)fputs(json_is_string(json_array_get(v, i)) ? " " : "<br>", f);
        value_at(f, key, json_array_get(v, i), depth + 1);
    }
    if (n > ITEMS_MAX)
        (void)fprintf(f, " <span class=\"more\">and %zu more, in the JSON report</span>",
                      n - ITEMS_MAX);
}

static void
integer_value(FILE *f, const char *key, json_int_t n)
{
    if (n < 0)
        (void)fprintf(f, "%" JSON_INTEGER_FORMAT, n);
    else if (fields_is_bytes(key))
        html_bytes(f, (uint64_t)n);
    else if (fields_is_name(key)) /* a name, no quantity */
        (void)fprintf(f, "%" JSON_INTEGER_FORMAT, n);
    else
        html_number(f, (uint64_t)n);
}

static void
value_at(FILE *f, const char *key, const json_t *v, unsigned depth)
{
    if (depth > DEPTH_MAX) {
        (void)fputs("…", f);
    } else if (json_is_string(v)) {
        (void)fputs(fields_is_exact(key) ? "<span class=\"mono\">" : "<span>", f);
        html_text(f, *json_string_value(v) ? json_string_value(v) : "–");
        (void)fputs("</span>", f);
    } else if (json_is_integer(v)) {
        integer_value(f, key, json_integer_value(v));
    } else if (json_is_real(v)) {
        (void)fprintf(f, "%g", json_real_value(v));
    } else if (json_is_boolean(v)) {
        (void)fputs(json_is_true(v) ? "yes" : "no", f);
    } else if (json_is_array(v)) {
        array_value(f, key, v, depth);
    } else if (json_is_object(v)) {
        object_value(f, v, depth);
    } else {
        (void)fputs("–", f);
    }
}

void
html_value(FILE *f, const char *key, const json_t *v)
{
    value_at(f, key, v, 0);
}

static void
fact_row(void *arg, const char *key, const char *name, const json_t *v)
{
    FILE *f = arg;

    (void)fputs("<tr><th scope=\"row\">", f);
    html_text(f, name);
    (void)fputs("</th><td>", f);
    if (v)
        html_value(f, key, v);
    else
        not_recorded(f, key);
    (void)fputs("</td></tr>\n", f);
}

bool
html_facts(FILE *f, const struct report *r, const struct fields_section *s)
{
    return fields_each(r->facts, s, fact_row, f);
}

void
html_fact(FILE *f, const char *name, const char *value)
{
    (void)fputs("<tr><th scope=\"row\">", f);
    html_plain(f, name);
    (void)fputs("</th><td>", f);
    html_text(f, value);
    (void)fputs("</td></tr>\n", f);
}
