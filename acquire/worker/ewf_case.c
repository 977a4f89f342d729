#include "acquire/worker/ewf_case.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/text.h"

/* With a longer value ewfinfo gives up on all of them. */
#define VALUE_MAX 500

#define LEVEL 6

enum field {
    DESCRIPTION,
    CASE_NUMBER,
    EVIDENCE_NUMBER,
    EXAMINER,
    NOTES,
    MODEL,
    SERIAL,
    VERSION,
    SYSTEM,
    ACQUIRED,
    SYSTEM_DATE,
    WRITTEN_DATE, /* either, in "header" */
    PASSWORD,
    NOT_USED,
    FIELDS,
};

struct values {
    char *v[FIELDS];
};

static char *
clean(const char *value)
{
    char *out;

    if (!value)
        return xstrdup("");
    out = text_is_utf8(value, strlen(value)) ? xstrdup(value) : text_printable(value);
    out[text_utf8_cut(out, VALUE_MAX)] = '\0';
    for (char *p = out; *p; p++) {
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    }
    return out;
}

/* Year, month, day, hour, minute, second: it names no zone, and is UTC. */
static char *
written_date(int64_t date)
{
    time_t t = (time_t)date;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return xstrdup("");
    return xasprintf("%d %d %d %d %d %d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                     tm.tm_min, tm.tm_sec);
}

static struct values
values_of(const struct e01_spec *e01)
{
    return (struct values){{
        [DESCRIPTION] = clean(e01->description),
        [CASE_NUMBER] = clean(e01->case_number),
        [EVIDENCE_NUMBER] = clean(e01->evidence_number),
        [EXAMINER] = clean(e01->examiner),
        [NOTES] = clean(e01->notes),
        [MODEL] = clean(e01->model),
        [SERIAL] = clean(e01->serial),
        [VERSION] = xstrdup("Exhibit " EXHIBIT_VERSION),
        [SYSTEM] = xstrdup("Linux"),
        [ACQUIRED] = xasprintf("%" PRId64, e01->date),
        [SYSTEM_DATE] = xasprintf("%" PRId64, e01->date),
        [WRITTEN_DATE] = written_date(e01->date),
        [PASSWORD] = xstrdup("0"), /* none */
        [NOT_USED] = xstrdup(""),
    }};
}

static void
values_free(struct values *values)
{
    for (size_t i = 0; i < FIELDS; i++)
        free(values->v[i]);
}

/* What was there, a separator, and one more value. */
static char *
joined(char *line, const char *value)
{
    char *out = line ? xasprintf("%s\t%s", line, value) : xstrdup(value);

    free(line);
    return out;
}

static char *
line_of(const struct values *values, const enum field *fields, size_t n)
{
    char *line = NULL;

    for (size_t i = 0; i < n; i++)
        line = joined(line, values->v[fields[i]]);
    return line;
}

static uint8_t *
deflated(const void *data, size_t size, size_t *n, struct err *err)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(LEVEL);
    size_t most = c ? libdeflate_zlib_compress_bound(c, size) : 0;
    uint8_t *out = c ? malloc(most) : NULL;

    if (out)
        *n = libdeflate_zlib_compress(c, data, size, out, most);
    else
        (void)err_set(err, OUTCOME_FAILED, "not enough memory for the header of the E01");
    libdeflate_free_compressor(c);
    return out;
}

/* --- header2 --- */

static size_t
put_utf16(uint8_t *out, uint32_t c)
{
    if (c >= 0x10000) {
        size_t n = put_utf16(out, 0xd800 + ((c - 0x10000) >> 10));

        return n + put_utf16(out + n, 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    out[0] = (uint8_t)c;
    out[1] = (uint8_t)(c >> 8);
    return 2;
}

/* Little-endian, after a byte order mark. */
static uint8_t *
utf16(const char *text, size_t *n)
{
    size_t left = strlen(text);
    uint8_t *out = xcalloc(left + 1, 4);
    uint32_t c;
    size_t len;

    *n = put_utf16(out, 0xfeff);
    for (; (len = text_utf8_next(text, left, &c)) > 0; text += len, left -= len)
        *n += put_utf16(out + *n, c);
    return out;
}

/* Three categories, as EnCase 6 has them; "srce" and "sub" hold nothing of ours. */
static char *
header2_text(const struct values *values)
{
    static const enum field fields[] = {
        DESCRIPTION, CASE_NUMBER, EVIDENCE_NUMBER, EXAMINER,    NOTES,    MODEL,   SERIAL,
        VERSION,     SYSTEM,      ACQUIRED,        SYSTEM_DATE, PASSWORD, NOT_USED};
    AUTO_FREE char *line = line_of(values, fields, sizeof fields / sizeof fields[0]);

    return xasprintf("3\n"
                     "main\n"
                     "a\tc\tn\te\tt\tmd\tsn\tav\tov\tm\tu\tp\tdc\n"
                     "%s\n"
                     "\n"
                     "srce\n"
                     "0\t1\n"
                     "p\tn\tid\tev\ttb\tlo\tpo\tah\tgu\taq\n"
                     "0\t0\n"
                     "\t\t\t\t\t-1\t-1\t\t\t\n"
                     "\n"
                     "sub\n"
                     "0\t1\n"
                     "p\tn\tid\tnu\tco\tgu\n"
                     "0\t0\n"
                     "\t\t\t\t1\t\n"
                     "\n",
                     line);
}

uint8_t *
ewf_case_header2(const struct e01_spec *e01, size_t *n, struct err *err)
{
    struct values values = values_of(e01);
    AUTO_FREE char *text = header2_text(&values);
    size_t size;
    AUTO_FREE uint8_t *wide = utf16(text, &size);

    values_free(&values);
    return deflated(wide, size, n, err);
}

/* --- header --- */

/* A character that is not ASCII stands in header2 alone. */
static char *
ascii(const char *text)
{
    size_t left = strlen(text);
    char *out = xcalloc(left + 1, 1);
    char *o = out;
    uint32_t c;
    size_t len;

    for (; (len = text_utf8_next(text, left, &c)) > 0; text += len, left -= len)
        *o++ = c < 0x80 ? (char)c : '?';
    return out;
}

uint8_t *
ewf_case_header(const struct e01_spec *e01, size_t *n, struct err *err)
{
    static const enum field fields[] = {CASE_NUMBER,  EVIDENCE_NUMBER, DESCRIPTION, EXAMINER,
                                        NOTES,        VERSION,         SYSTEM,      WRITTEN_DATE,
                                        WRITTEN_DATE, PASSWORD};
    struct values values = values_of(e01);
    AUTO_FREE char *line = line_of(&values, fields, sizeof fields / sizeof fields[0]);
    AUTO_FREE char *plain = ascii(line);
    AUTO_FREE char *text = xasprintf("1\r\n"
                                     "main\r\n"
                                     "c\tn\ta\te\tt\tav\tov\tm\tu\tp\r\n"
                                     "%s\r\n"
                                     "\r\n",
                                     plain);

    values_free(&values);
    return deflated(text, strlen(text), n, err);
}
