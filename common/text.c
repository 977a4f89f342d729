#include "common/text.h"

#include <stdarg.h>

static void
out_of_memory(void)
{
    (void)fputs("exhibit: out of memory\n", stderr);
    exit(1);
}

void *
xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *
xrealloc(void *p, size_t n, size_t size)
{
    void *q = reallocarray(p, n ? n : 1, size ? size : 1);

    if (!q)
        out_of_memory();
    return q;
}

char *
xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, size_t n)
{
    char *p = strndup(s, n);

    if (!p)
        out_of_memory();
    return p;
}

char *
xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&p, fmt, ap);
    va_end(ap);
    if (n < 0)
        out_of_memory();
    return p;
}

size_t
text_utf8_next(const char *s, size_t n, uint32_t *cp)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    uint32_t c;
    size_t len;

    if (n == 0 || u[0] == 0)
        return 0;
    if (u[0] < 0x80) {
        *cp = u[0];
        return 1;
    }
    len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (u[0] < 0xc2 || u[0] > 0xf4 || len > n)
        return 0;
    c = u[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        c = (c << 6) | (u[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *cp = c;
    return len;
}

size_t
text_utf8_cut(const char *s, size_t max)
{
    size_t n = strnlen(s, max);

    if (n < max)
        return n;
    /* A byte within a character is 10xxxxxx. */
    for (int i = 0; i < 3 && n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; i++)
        n--;
    return n;
}

size_t
text_width(const char *s, size_t n)
{
    size_t width = 0;

    for (size_t i = 0; i < n; i++)
        width += ((unsigned char)s[i] & 0xc0) != 0x80;
    return width;
}

bool
text_is_utf8(const char *s, size_t n)
{
    uint32_t cp;

    while (n > 0) {
        size_t len = text_utf8_next(s, n, &cp);

        if (len == 0)
            return false;
        s += len;
        n -= len;
    }
    return true;
}

/* Characters that would steer a terminal or reorder the text around them (Unicode: Cc, and the
   bidirectional controls of UAX #9), and the line separators. */
static bool
is_unsafe(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x061c || cp == 0x200e ||
           cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
           cp == 0xfeff;
}

char *
text_printable_n(const char *s, size_t n)
{
    char *out = xcalloc(n + 1, 10); /* the longest escape of one byte: \u{10ffff} */
    char *o = out;

    while (n > 0) {
        uint32_t cp = 0;
        size_t len = text_utf8_next(s, n, &cp);

        if (len == 0) {
            o += snprintf(o, 11, "\\x%02x", (unsigned char)*s);
            len = 1;
        } else if (cp < 0x80 && is_unsafe(cp)) {
            o += snprintf(o, 11, "\\x%02x", cp);
        } else if (is_unsafe(cp)) {
            o += snprintf(o, 11, "\\u{%04x}", cp);
        } else {
            memcpy(o, s, len);
            o += len;
        }
        s += len;
        n -= len;
    }
    *o = '\0';
    return out;
}

char *
text_printable(const char *s)
{
    return text_printable_n(s, strlen(s));
}

void
hex_encode(const void *data, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int
hex_decode(const char *s, uint8_t *out, size_t max)
{
    size_t n = strlen(s);

    if (n % 2 != 0 || n / 2 > max)
        return -1;
    for (size_t i = 0; i < n / 2; i++) {
        int hi = hex_digit(s[2 * i]);
        int lo = hex_digit(s[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return -1;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return (int)(n / 2);
}

char *
base64_encode(const void *data, size_t n)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = data;
    char *out = xcalloc((n + 2) / 3 + 1, 4);
    char *o = out;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;

        if (i + 1 < n)
            v |= (uint32_t)p[i + 1] << 8;
        if (i + 2 < n)
            v |= p[i + 2];
        *o++ = alphabet[v >> 18];
        *o++ = alphabet[v >> 12 & 63];
        *o++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
        *o++ = i + 2 < n ? alphabet[v & 63] : '=';
    }
    *o = '\0';
    return out;
}

static int
base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

uint8_t *
base64_decode(const char *s, size_t *n)
{
    size_t digits = strlen(s);
    uint8_t *out = xcalloc(digits / 4 * 3 + 4, 1);
    uint32_t acc = 0;
    unsigned bits = 0;

    *n = 0;
    while (digits > 0 && s[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++) {
        int v = base64_value(s[i]);

        if (v < 0) {
            free(out);
            return NULL;
        }
        acc = acc << 6 | (uint32_t)v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[(*n)++] = (uint8_t)(acc >> bits);
        }
    }
    return out;
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
text_equal_nocase(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}
