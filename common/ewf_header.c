/*
 * Case data in an E01: "Header section" (zlib, one byte a character) and "Header2 section" (zlib,
 * UTF-16). Both hold lines: a count, a category, a line of tab-separated identifiers and a line of
 * values under them.
 */
#include <inttypes.h>
#include <libdeflate.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/ewf_image.h"
#include "common/size.h"
#include "common/text.h"

#define HEADER_MAX ((uint64_t)1 << 20) /* stored */
#define INFLATED_MAX ((size_t)4 << 20)
#define VALUES_MAX 64

/* The identifiers of the specification and the names that libewf gives them. */
static const struct {
    const char *id;
    const char *name;
    bool date;
} known[] = {
    {"c", "case_number", false},
    {"n", "evidence_number", false},
    {"a", "description", false},
    {"e", "examiner_name", false},
    {"t", "notes", false},
    {"av", "acquiry_software_version", false},
    {"ov", "acquiry_operating_system", false},
    {"m", "acquiry_date", true},
    {"u", "system_date", true},
    {"p", "password", false},
    {"pid", "process_identifier", false},
    {"md", "model", false},
    {"sn", "serial_number", false},
    {"l", "device_label", false},
    {"ext", "extents", false},
    {"r", "compression_level", false},
};

static size_t
put_utf8(char *out, uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

/* Text of one byte a character: UTF-8 if it is that, else each byte is the character of its
   number. A NUL ends it. */
static char *
from_bytes(const uint8_t *p, size_t n)
{
    const uint8_t *nul = memchr(p, 0, n);
    char *out;
    size_t used = 0;

    if (nul)
        n = (size_t)(nul - p);
    if (text_is_utf8((const char *)p, n))
        return xstrndup((const char *)p, n);
    out = xcalloc(n + 1, 2);
    for (size_t i = 0; i < n; i++)
        used += put_utf8(out + used, p[i]);
    return out;
}

/* UTF-16 with a byte order mark, or little-endian; a lone surrogate becomes U+FFFD. */
static char *
from_utf16(const uint8_t *p, size_t n)
{
    bool big = n >= 2 && p[0] == 0xfe && p[1] == 0xff;
    bool mark = big || (n >= 2 && p[0] == 0xff && p[1] == 0xfe);
    char *out = xcalloc(n / 2 + 1, 4);
    size_t used = 0;

    for (size_t i = mark ? 2 : 0; i + 1 < n; i += 2) {
        uint32_t c = big ? (uint32_t)(p[i] << 8 | p[i + 1]) : (uint32_t)(p[i + 1] << 8 | p[i]);

        if (c == 0)
            break;
        if (c >= 0xd800 && c < 0xdc00 && i + 3 < n) {
            uint32_t low =
                big ? (uint32_t)(p[i + 2] << 8 | p[i + 3]) : (uint32_t)(p[i + 3] << 8 | p[i + 2]);

            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        used += put_utf8(out + used, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    }
    return out;
}

/* At most INFLATED_MAX bytes. */
static uint8_t *
inflate_header(const uint8_t *in, size_t n_in, size_t *n_out)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    uint8_t *out = NULL;

    for (size_t cap = 64 << 10; d && cap <= INFLATED_MAX; cap *= 4) {
        enum libdeflate_result r;

        free(out);
        out = malloc(cap);
        if (!out)
            break;
        r = libdeflate_zlib_decompress(d, in, n_in, out, cap, n_out);
        if (r == LIBDEFLATE_SUCCESS) {
            libdeflate_free_decompressor(d);
            return out;
        }
        if (r != LIBDEFLATE_INSUFFICIENT_SPACE)
            break;
    }
    libdeflate_free_decompressor(d);
    free(out);
    return NULL;
}

/* Cuts the next line off *text; "\r\n", "\n" and "\r" end one. NULL at the end. */
static char *
next_line(char **text)
{
    char *line = *text;
    size_t n = strcspn(line, "\r\n");
    size_t skip;

    if (*line == '\0')
        return NULL;
    skip = line[n] == '\r' && line[n + 1] == '\n' ? 2 : line[n] ? 1 : 0;
    *text = line + n + skip;
    line[n] = '\0';
    return line;
}

static char *
next_field(char **line)
{
    char *field = *line;
    size_t n;

    if (!field)
        return NULL;
    n = strcspn(field, "\t");
    *line = field[n] ? field + n + 1 : NULL;
    field[n] = '\0';
    return field;
}

/* header2 has seconds since the epoch; header six numbers, in the local time of the writer. */
static char *
readable_date(const char *s)
{
    struct err ignored = ERR_INIT;
    char text[CLOCK_TEXT_MAX];
    uint64_t v[6];
    size_t n = 0;
    const char *p = s;

    while (n < 6) {
        AUTO_FREE char *word = xstrndup(p, strcspn(p, " "));

        if (number_parse(word, 0, UINT32_MAX, "", &v[n], &ignored) != 0)
            return xstrdup(s);
        n++;
        p += strlen(word);
        if (*p != ' ')
            break;
        p++;
    }
    if (n == 1 && *p == '\0')
        return xstrdup(clock_text((int64_t)v[0], text));
    if (n != 6)
        return xstrdup(s);
    return xasprintf("%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64 " %02" PRIu64 ":%02" PRIu64
                     ":%02" PRIu64,
                     v[0], v[1], v[2], v[3], v[4], v[5]);
}

static void
clear_values(struct image *img)
{
    for (size_t i = 0; i < img->info.n_headers; i++) {
        free(img->headers[i].name);
        free(img->headers[i].value);
    }
    free(img->headers);
    img->headers = NULL;
    img->info.headers = NULL;
    img->info.n_headers = 0;
}

static void
add_value(struct image *img, const char *id, const char *value)
{
    struct image_header h = {0};

    if (*value == '\0' || img->info.n_headers >= VALUES_MAX)
        return;
    if (strcmp(id, "p") == 0 && strcmp(value, "0") == 0)
        return; /* no password */
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(id, known[i].id) == 0) {
            h.name = xstrdup(known[i].name);
            h.value = known[i].date ? readable_date(value) : xstrdup(value);
        }
    }
    if (!h.name)
        return;
    img->headers = xrealloc(img->headers, img->info.n_headers + 1, sizeof *img->headers);
    img->headers[img->info.n_headers++] = h;
    img->info.headers = img->headers;
}

/* The values of the category "main", the first of all versions. */
static void
take_values(struct image *img, char *text)
{
    char *ids = NULL;
    char *values = NULL;
    char *line;

    while ((line = next_line(&text)) != NULL) {
        if (strcmp(line, "main") == 0) {
            ids = next_line(&text);
            values = next_line(&text);
            break;
        }
    }
    if (!ids || !values)
        return;
    clear_values(img);
    while (ids && values) {
        const char *id = next_field(&ids);
        const char *value = next_field(&values);

        add_value(img, id, value);
    }
}

uint8_t *
ewf_load_inflated(struct image *img, size_t segment, uint64_t offset, uint64_t n, size_t *n_out)
{
    AUTO_FREE uint8_t *in = ewf_load(img, segment, offset, n, HEADER_MAX);
    uint8_t *out = in ? inflate_header(in, (size_t)n, n_out) : NULL;

    if (in && !out)
        ewf_damage(img, segment, offset, "a compressed section does not inflate");
    return out;
}

void
ewf_on_header(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    size_t size = 0;
    AUTO_FREE uint8_t *data = ewf_load_inflated(img, segment, offset, n, &size);
    AUTO_FREE char *text = data ? from_bytes(data, size) : NULL;

    if (text && !img->ewf->have_header2 && img->info.n_headers == 0)
        take_values(img, text);
}

/* header2 says the same in full Unicode, so it takes the place of what a header said. */
void
ewf_on_header2(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    size_t size = 0;
    AUTO_FREE uint8_t *data = ewf_load_inflated(img, segment, offset, n, &size);
    AUTO_FREE char *text = data ? from_utf16(data, size) : NULL;

    if (!text || img->ewf->have_header2)
        return;
    take_values(img, text);
    img->ewf->have_header2 = img->info.n_headers > 0;
}
