#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/text.h"

/* Each byte that is not part of well-formed UTF-8 becomes the character of that number. */
static char *
bytes_as_text(const char *s)
{
    size_t n = strlen(s);
    char *out = xcalloc(n + 1, 2);
    char *o = out;
    uint32_t cp;

    while (n > 0) {
        size_t len = text_utf8_next(s, n, &cp);

        if (len == 0) {
            unsigned char c = (unsigned char)*s;

            *o++ = (char)(0xc0 | c >> 6);
            *o++ = (char)(0x80 | (c & 0x3f));
            len = 1;
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

void
json_set_text(json_t *object, const char *key, const char *s)
{
    if (!s) {
        (void)json_object_set_new(object, key, json_null());
    } else if (text_is_utf8(s, strlen(s))) {
        (void)json_object_set_new(object, key, json_string(s));
    } else {
        AUTO_FREE char *text = bytes_as_text(s);
        AUTO_FREE char *exact = base64_encode(s, strlen(s));
        AUTO_FREE char *exact_key = xasprintf("%s_base64", key);

        (void)json_object_set_new(object, key, json_string(text));
        (void)json_object_set_new(object, exact_key, json_string(exact));
    }
}

void
json_set_textf(json_t *object, const char *key, const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;

    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0)
        s = NULL;
    va_end(ap);
    json_set_text(object, key, s);
    free(s);
}

void
json_set_u64(json_t *object, const char *key, uint64_t v)
{
    /* A JSON integer is signed here; nothing that Exhibit counts reaches 2^63. */
    (void)json_object_set_new(object, key, json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v));
}

void
json_set_bool(json_t *object, const char *key, bool v)
{
    (void)json_object_set_new(object, key, json_boolean(v));
}

json_t *
json_from_ranges(const struct ranges *set)
{
    json_t *array = json_array();

    for (size_t i = 0; i < set->n; i++) {
        json_t *r = json_object();

        json_set_u64(r, "offset", set->v[i].offset);
        json_set_u64(r, "length", set->v[i].length);
        (void)json_array_append_new(array, r);
    }
    return array;
}

int
json_get_text(const json_t *object, const char *key, const char **out, struct err *err)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_string(v))
        return err_set(err, OUTCOME_FAILED, "field '%s' is %s", key,
                       v ? "not a string" : "missing");
    *out = json_string_value(v);
    return 0;
}

int
json_get_u64(const json_t *object, const char *key, uint64_t *out, struct err *err)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return err_set(err, OUTCOME_FAILED, "field '%s' is %s", key,
                       v ? "not a number of 0 or more" : "missing");
    *out = (uint64_t)json_integer_value(v);
    return 0;
}

const char *
json_text_or_null(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* NULL if s is not base64, or holds a NUL byte, which no path or serial does. */
static char *
base64_text(const char *s)
{
    size_t n;
    uint8_t *out = base64_decode(s, &n);

    if (out && !memchr(out, '\0', n))
        return (char *)out;
    free(out);
    return NULL;
}

char *
json_get_bytes(const json_t *object, const char *key)
{
    AUTO_FREE char *exact_key = xasprintf("%s_base64", key);
    const json_t *exact = json_object_get(object, exact_key);
    const char *text = json_text_or_null(object, key);

    /* One that is none does not give way to the other: that is another text. */
    if (exact && !json_is_null(exact))
        return json_is_string(exact) ? base64_text(json_string_value(exact)) : NULL;
    return text ? xstrdup(text) : NULL;
}

static int
range_from_json(const json_t *v, struct ranges *out, struct err *err)
{
    const struct range *last = out->n > 0 ? &out->v[out->n - 1] : NULL;
    uint64_t offset = 0;
    uint64_t length = 0;

    if (json_get_u64(v, "offset", &offset, err) != 0 ||
        json_get_u64(v, "length", &length, err) != 0)
        return -1;
    /* Sorted as every writer here leaves them: in any other order a forged list of millions would
       take hours to sort in. */
    if (last && offset < last->offset + last->length)
        return err_set(err, OUTCOME_FAILED, "it lies before the end of the one in front of it");
    ranges_add(out, offset, length); /* both below 2^63: no overflow */
    return 0;
}

int
json_to_ranges(const json_t *array, struct ranges *out, struct err *err)
{
    const json_t *v;
    size_t i;

    if (!json_is_array(array))
        return err_set(err, OUTCOME_FAILED, "a list of ranges is missing");
    json_array_foreach(array, i, v)
    {
        if (range_from_json(v, out, err) != 0)
            return err_context(err, "range %zu", i);
    }
    return 0;
}

json_t *
json_load_file_bounded(const char *path, size_t max, struct err *err)
{
    AUTO_FREE char *data = NULL;
    json_error_t why;
    size_t n;
    json_t *v;

    data = infile_read(AT_FDCWD, path, max, &n, err);
    if (!data)
        return NULL;
    v = json_loadb(data, n, JSON_REJECT_DUPLICATES, &why);
    if (!v)
        (void)err_set(err, OUTCOME_FAILED, "'%s' is not JSON: line %d: %s", path, why.line,
                      why.text);
    return v;
}

static char *
dump(const json_t *v, size_t flags, const char *end)
{
    char *text = json_dumps(v, flags | JSON_ENCODE_ANY);
    char *out;

    if (!text)
        return xstrdup("null\n");
    out = xasprintf("%s%s", text, end);
    free(text);
    return out;
}

char *
json_to_text(const json_t *v)
{
    return dump(v, JSON_INDENT(2), "\n");
}

char *
json_to_line(const json_t *v)
{
    return dump(v, JSON_COMPACT, "");
}
