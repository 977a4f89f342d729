#include "report/logo.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/text.h"

/* What a drawing does not need and a document must not have. */
static const char *const refused[] = {
    "<script",  "<foreignobject", "<!doctype",   "<!entity", "<?xml-stylesheet",
    "<iframe",  "<handler",       "javascript:", "@import",  "url(http",
    "url('",    "url(\"",         "url(//",      "url(file", "url(data",
    "<image",   "<use",           "<feimage",    "<animate", "<set",
    "xml:base", "<embed",         "<object",     "<audio",   "<video",
    "src=",
};

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* An attribute whose name starts with "on". */
static bool
is_handler(const char *s)
{
    if (!strchr(" \t\r\n/\"'", s[0]) || s[1] != 'o' || s[2] != 'n')
        return false;
    s += 3;
    while (*s >= 'a' && *s <= 'z')
        s++;
    while (*s && strchr(" \t\r\n", *s))
        s++;
    return *s == '=';
}

/* href to anything but a part of the drawing itself. */
static bool
is_foreign_link(const char *s)
{
    if (strncmp(s, "href", 4) != 0)
        return false;
    s += 4;
    while (*s && strchr(" \t\r\n", *s))
        s++;
    if (*s++ != '=')
        return false;
    while (*s && strchr(" \t\r\n\"'", *s))
        s++;
    return *s != '#';
}

static int
check_svg(const char *path, const char *text, size_t n, struct err *err)
{
    AUTO_FREE char *small = xcalloc(n + 1, 1);

    for (size_t i = 0; i < n; i++)
        small[i] = lower(text[i]);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *found = strstr(small, refused[i]);

        if (found)
            return err_set(err, OUTCOME_USAGE,
                           "the logo '%s' is refused: it holds '%s' at byte %zu; a plain drawing "
                           "is wanted",
                           path, refused[i], (size_t)(found - small));
    }
    for (size_t i = 0; i < n; i++) {
        if (is_handler(small + i) || is_foreign_link(small + i))
            return err_set(err, OUTCOME_USAGE,
                           "the logo '%s' is refused: it holds a handler or a link at byte %zu",
                           path, i);
    }
    return 0;
}

/* The media type by the file's first bytes; the name says nothing. */
static const char *
type_of(const char *path, const char *data, size_t n, struct err *err)
{
    if (n > 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return "image/png";
    if (n > 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        return "image/jpeg";
    if (strlen(data) == n && text_is_utf8(data, n) && strstr(data, "<svg"))
        return check_svg(path, data, n, err) == 0 ? "image/svg+xml" : NULL;
    (void)err_set(err, OUTCOME_USAGE, "the logo '%s' is neither PNG, JPEG nor SVG", path);
    return NULL;
}

char *
logo_load(const char *path, size_t max, struct err *err)
{
    AUTO_FREE char *data = NULL;
    AUTO_FREE char *base64 = NULL;
    const char *type;
    size_t n;

    data = infile_read(AT_FDCWD, path, max, &n, err);
    if (!data) {
        (void)err_context(err, "cannot use the logo");
        return NULL;
    }
    type = type_of(path, data, n, err);
    if (!type)
        return NULL;
    base64 = base64_encode(data, n);
    return xasprintf("data:%s;base64,%s", type, base64);
}
