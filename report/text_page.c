#include "report/text_page.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/size.h"
#include "common/text.h"
#include "report/fields.h"

#define WIDTH 79u
#define LABEL_WIDTH 28u
#define DEPTH_MAX 6
#define ITEMS_MAX 2000

void
text_heading(FILE *f, const char *s, char line)
{
    AUTO_FREE char *printable = text_printable(s);
    size_t n = text_width(printable, strlen(printable));

    (void)fprintf(f, "\n%s\n", printable);
    for (size_t i = 0; i < n && i < WIDTH; i++)
        (void)fputc(line, f);
    (void)fputs("\n", f);
}

static void
spaces(FILE *f, unsigned n)
{
    (void)fprintf(f, "%*s", (int)n, "");
}

/* One line of the source, which holds no line break. */
static void
wrap_line(FILE *f, unsigned at, unsigned indent, const char *s)
{
    unsigned column = at;
    bool start = true;

    while (*s) {
        size_t n = strcspn(s, " ");
        unsigned wide = (unsigned)text_width(s, n);

        if (!start && column + 1 + wide > WIDTH) {
            (void)fputc('\n', f);
            spaces(f, indent);
            column = indent;
            start = true;
        }
        if (!start) {
            (void)fputc(' ', f);
            column++;
        }
        (void)fwrite(s, 1, n, f);
        column += wide;
        start = false;
        s += n;
        while (*s == ' ')
            s++;
    }
    (void)fputc('\n', f);
}

void
text_wrap(FILE *f, unsigned at, unsigned indent, const char *s)
{
    for (size_t lines = 0; lines < ITEMS_MAX; lines++) {
        size_t n = strcspn(s, "\n");
        AUTO_FREE char *line = text_printable_n(s, n > 0 && s[n] && s[n - 1] == '\r' ? n - 1 : n);

        if (lines > 0)
            spaces(f, indent);
        wrap_line(f, lines > 0 ? indent : at, indent, line);
        if (s[n] == '\0')
            return;
        s += n + 1;
    }
}

void
text_row(FILE *f, unsigned indent, const char *label, const char *value)
{
    AUTO_FREE char *printable = text_printable(label);
    unsigned wide = indent + (unsigned)text_width(printable, strlen(printable));
    unsigned second = indent + LABEL_WIDTH;

    spaces(f, indent);
    (void)fputs(printable, f);
    if (*value == '\0') {
        (void)fputc('\n', f);
        return;
    }
    if (wide + 2 > second) { /* too long a label for its column */
        (void)fputc('\n', f);
        wide = 0;
    }
    spaces(f, second - wide);
    text_wrap(f, second, second, value);
}

const char *
text_number(uint64_t n, char buf[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t o = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf[o++] = ',';
        buf[o++] = digits[i];
    }
    buf[o] = '\0';
    return buf;
}

static char *
integer_text(const char *key, json_int_t n)
{
    char number[32];
    char human[SIZE_TEXT_MAX];

    if (n < 0 || fields_is_name(key))
        return xasprintf("%" JSON_INTEGER_FORMAT, n);
    (void)text_number((uint64_t)n, number);
    if (!fields_is_bytes(key))
        return xstrdup(number);
    if (n < 1024)
        return xasprintf("%s bytes", number);
    return xasprintf("%s bytes (%s)", number, size_human((uint64_t)n, human));
}

static char *
scalar_text(const char *key, const json_t *v)
{
    if (json_is_string(v))
        return xstrdup(json_string_value(v));
    if (json_is_integer(v))
        return integer_text(key, json_integer_value(v));
    if (json_is_real(v))
        return xasprintf("%.4g", json_real_value(v));
    return xstrdup(json_is_true(v) ? "yes" : "no");
}

/* What was found in a kind of area, on a line of its own. */
static bool
is_tally(const json_t *v)
{
    return json_is_integer(json_object_get(v, "bytes")) &&
           json_is_integer(json_object_get(v, "nonzero")) &&
           json_is_number(json_object_get(v, "entropy"));
}

static void
tally_row(FILE *f, unsigned indent, const char *label, const json_t *v)
{
    static const char *const names[] = {"bytes", "nonzero", "examined"};
    char numbers[3][32];

    if (json_integer_value(json_object_get(v, "bytes")) == 0) {
        text_row(f, indent, label, "none");
        return;
    }

    for (size_t i = 0; i < 3; i++)
        (void)text_number((uint64_t)json_integer_value(json_object_get(v, names[i])), numbers[i]);
    AUTO_FREE char *line =
        xasprintf("%s bytes (%.1f %%), %s not zero of %s examined, entropy %.2f", numbers[0],
                  100 * json_number_value(json_object_get(v, "share")), numbers[1], numbers[2],
                  json_number_value(json_object_get(v, "entropy")));

    text_row(f, indent, label, line);
}

static void value_at(FILE *f, unsigned indent, const char *key, const char *label, const json_t *v,
                     unsigned depth);

static bool
is_in_tally_row(const char *key)
{
    static const char *const names[] = {"bytes",   "nonzero", "examined",
                                        "entropy", "share",   "areas"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], key) == 0)
            return true;
    }
    return false;
}

static void
object_rows(FILE *f, unsigned indent, const json_t *v, unsigned depth)
{
    bool tally = is_tally(v);
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)v, key, item)
    {
        char buf[FIELDS_LABEL_MAX];

        if (!fields_is_hidden(key) && !(tally && is_in_tally_row(key)))
            value_at(f, indent, key, fields_label(key, buf), item, depth + 1);
    }
}

static void
array_rows(FILE *f, unsigned indent, const char *key, const char *label, const json_t *v,
           unsigned depth)
{
    size_t n = json_array_size(v);

    if (n == 0)
        text_row(f, indent, label, "none");
    for (size_t i = 0; i < n && i < ITEMS_MAX; i++) {
        AUTO_FREE char *numbered = xasprintf("%s %zu", label, i + 1);
        const json_t *item = json_array_get(v, i);

        value_at(f, indent, key,
                 json_is_object(item) ? numbered
                 : i > 0              ? ""
                                      : label,
                 item, depth + 1);
    }
    if (n > ITEMS_MAX)
        text_row(f, indent, "", "and more, in the JSON report");
}

static void
value_at(FILE *f, unsigned indent, const char *key, const char *label, const json_t *v,
         unsigned depth)
{
    if (fields_is_missing(v)) {
        text_row(f, indent, label, fields_missing(key));
    } else if (depth > DEPTH_MAX) {
        text_row(f, indent, label, "…");
    } else if (is_tally(v)) {
        tally_row(f, indent, label, v);
        object_rows(f, indent + 2, v, depth);
    } else if (json_is_object(v)) {
        text_row(f, indent, label, "");
        object_rows(f, indent + 2, v, depth);
    } else if (json_is_array(v)) {
        array_rows(f, indent, key, label, v, depth);
    } else {
        AUTO_FREE char *s = scalar_text(key, v);

        text_row(f, indent, label, s);
    }
}

void
text_value(FILE *f, unsigned indent, const char *key, const char *label, const json_t *v)
{
    value_at(f, indent, key, label, v, 0);
}
