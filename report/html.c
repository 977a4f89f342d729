#include "report/html.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"

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

/* Cuts after at most HTML_TEXT_MAX bytes, between characters. */
static size_t
shown_length(const char *s)
{
    size_t n = strnlen(s, HTML_TEXT_MAX + 1);

    if (n <= HTML_TEXT_MAX)
        return n;
    n = HTML_TEXT_MAX;
    for (int i = 0; i < 3 && ((unsigned char)s[n] & 0xc0) == 0x80; i++)
        n--;
    return n;
}

void
html_plain(FILE *f, const char *s)
{
    size_t n = shown_length(s);
    AUTO_FREE char *printable = text_printable_n(s, n);

    escape(f, printable);
    if (s[n])
        (void)fputs(" … (cut)", f);
}

/* Line breaks of notes are kept; all else that has no form of its own is written out. */
void
html_text(FILE *f, const char *s)
{
    (void)fputs("<bdi>", f);
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

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s);
    size_t m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static bool
is_hidden(const char *key)
{
    return ends_with(key, "_base64");
}

/* Names that would read badly if only their underscores were taken out. */
static const struct {
    const char *key;
    const char *label;
} labels[] = {
    {"case_number", "Case number"},
    {"evidence_number", "Exhibit number"},
    {"wwn", "World Wide Name"},
    {"hpa", "Host protected area"},
    {"dco", "Device configuration overlay"},
    {"md5", "MD5"},
    {"sha1", "SHA-1"},
    {"sha256", "SHA-256"},
    {"sha384", "SHA-384"},
    {"sha512", "SHA-512"},
    {"sha3-256", "SHA3-256"},
    {"uid", "User ID"},
    {"smart", "SMART health"},
    {"id", "ID"},
    {"landlock_abi", "Landlock version"},
    {"no_new_privs", "No new privileges"},
    {"passthrough", "pass-through"},
    {"bus", "Bus"},
    {"os", "Operating system"},
    {"meta", "Further facts"},
    {"openssl", "OpenSSL"},
    {"libewf", "libewf"},
    {"isal", "ISA-L"},
    {"isa-l", "ISA-L"},
    {"direct_io", "Direct I/O"},
    {"max_error_us", "Greatest error, µs"},
    {"libdeflate", "libdeflate"},
    {"jansson", "Jansson"},
    {"libseccomp", "libseccomp"},
    {"offset_ms", "Offset, ms"},
    {"read_only_flag", "Read-only flag"},
    {"cpu", "CPU"},
    {"model", "Model"},
};

static void
label(FILE *f, const char *key)
{
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(labels[i].key, key) == 0) {
            html_plain(f, labels[i].label);
            return;
        }
    }
    AUTO_FREE char *s = xstrndup(key, 80);

    for (char *c = s; *c; c++) {
        if (*c == '_')
            *c = ' ';
    }
    if (*s >= 'a' && *s <= 'z')
        *s = (char)(*s - 'a' + 'A');
    html_text(f, s);
}

static bool
is_bytes(const char *key)
{
    static const char *const ends[] = {"size", "offset", "length", "bytes"};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(key, ends[i]))
            return true;
    }
    return false;
}

static bool
is_mono(const char *key)
{
    static const char *const names[] = {"md5",          "sha1",   "sha256", "sha384", "sha512",
                                        "command_line", "serial", "wwn",    "path"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(key, names[i]) == 0)
            return true;
    }
    return false;
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
        if (is_hidden(key) || json_is_null(item))
            continue;
        if (n++ == ITEMS_MAX)
            break;
        (void)fputs("<span class=\"field\"><i>", f);
        label(f, key);
        (void)fputs("</i> ", f);
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
    else if (is_bytes(key))
        html_bytes(f, (uint64_t)n);
    else if (ends_with(key, "id")) /* a name, no quantity */
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
        (void)fputs(is_mono(key) ? "<span class=\"mono\">" : "<span>", f);
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

static bool
is_in(const char *const *list, const char *key)
{
    for (; list && *list; list++) {
        if (strcmp(*list, key) == 0)
            return true;
    }
    return false;
}

/* Nothing in it to be shown; an object is looked into one level deep. */
static bool
is_empty(const json_t *v)
{
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)v, key, item)
    {
        if (!json_is_null(item) && !is_hidden(key))
            return false;
    }
    return json_is_null(v) || json_is_object(v) ||
           (json_is_string(v) && *json_string_value(v) == '\0') ||
           (json_is_array(v) && json_array_size(v) == 0);
}

void
html_facts(FILE *f, const json_t *object, const char *const *skip)
{
    const char *key;
    json_t *v;
    size_t n = 0;

    json_object_foreach((json_t *)object, key, v)
    {
        if (is_hidden(key) || is_in(skip, key) || is_empty(v))
            continue;
        if (n++ == 2 * ITEMS_MAX)
            break;
        (void)fputs("<tr><th scope=\"row\">", f);
        label(f, key);
        (void)fputs("</th><td>", f);
        html_value(f, key, v);
        (void)fputs("</td></tr>\n", f);
    }
    if (n > 2 * ITEMS_MAX)
        (void)fputs("<tr><th scope=\"row\">More</th><td>in the JSON report</td></tr>\n", f);
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
