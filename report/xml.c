#include "report/xml.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

/* U+FFFE and U+FFFF, in UTF-8, are characters that XML does not have (XML 1.0, 2.2). */
static bool
is_no_character(const char *s)
{
    return strncmp(s, "\xef\xbf\xbe", 3) == 0 || strncmp(s, "\xef\xbf\xbf", 3) == 0;
}

void
xml_text(FILE *f, const char *s)
{
    AUTO_FREE char *printable = text_printable(s);

    for (const char *c = printable; *c; c++) {
        if (*c == '&')
            (void)fputs("&amp;", f);
        else if (*c == '<')
            (void)fputs("&lt;", f);
        else if (*c == '>')
            (void)fputs("&gt;", f);
        else if (*c == '"')
            (void)fputs("&quot;", f);
        else if ((unsigned char)*c == 0xef && is_no_character(c)) {
            (void)fprintf(f, "\\u{%s}", (unsigned char)c[2] == 0xbe ? "fffe" : "ffff");
            c += 2;
        } else
            (void)fputc(*c, f);
    }
}

void
xml_indent(FILE *f, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        (void)fputs("  ", f);
}

void
xml_element(FILE *f, unsigned depth, const char *name, const char *s)
{
    if (!s)
        return;
    xml_indent(f, depth);
    (void)fprintf(f, "<%s>", name);
    xml_text(f, s);
    (void)fprintf(f, "</%s>\n", name);
}

void
xml_number(FILE *f, unsigned depth, const char *name, uint64_t n)
{
    xml_indent(f, depth);
    (void)fprintf(f, "<%s>%" PRIu64 "</%s>\n", name, n, name);
}
