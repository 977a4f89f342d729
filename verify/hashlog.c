#include "verify/hashlog.h"

#include <stdarg.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "verify/hashlog_impl.h"

#define LINE_MAX_BYTES 8192 /* a path of 4096 bytes and the longest digest fit */

const char *
hashlog_by_length(size_t digits)
{
    static const struct {
        size_t digits;
        const char *name;
    } table[] = {
        {32, "md5"}, {40, "sha1"}, {56, "sha224"}, {64, "sha256"}, {96, "sha384"}, {128, "sha512"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].digits == digits)
            return table[i].name;
    }
    return NULL;
}

/* --- what the lines add --------------------------------------------------------------------- */

void
hashlog_problem(struct hashlog_reader *r, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    if (r->log->n_problems++ > 0)
        return;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    r->log->problem = xasprintf("line %zu: %s", r->line, text ? text : fmt);
    free(text);
}

const char *
hashlog_name(struct hashlog *log, struct text t)
{
    const char *last = log->n_names > 0 ? log->names[log->n_names - 1] : NULL;

    if (last && ((strlen(last) == t.n && memcmp(last, t.p, t.n) == 0) ||
                 log->n_names >= 2 * HASHLOG_ENTRIES_MAX))
        return last;
    log->names = xrealloc(log->names, log->n_names + 1, sizeof *log->names);
    return log->names[log->n_names++] = xstrndup(t.p, t.n);
}

void
hashlog_output(struct hashlog_reader *r, struct text name)
{
    struct hashlog *log = r->log;

    if (log->n_outputs == HASHLOG_ENTRIES_MAX)
        return;
    log->outputs = xrealloc(log->outputs, log->n_outputs + 1, sizeof *log->outputs);
    log->outputs[log->n_outputs++] = (struct hashlog_output){
        .file = hashlog_name(log, name), .run = log->runs > 0 ? log->runs - 1 : 0};
}

void
hashlog_tool(struct hashlog_reader *r, const char *tool)
{
    if (!r->log->tool)
        r->log->tool = tool;
}

static const char *
by_length(const struct hashlog_reader *r, size_t digits)
{
    const char *hash = hashlog_by_length(digits);

    return r->blake2 && hash && strcmp(hash, "sha512") == 0 ? "blake2b512" : hash;
}

void
hashlog_add(struct hashlog_reader *r, const struct hashlog_claim *c)
{
    const char *hash = c->hash ? c->hash : by_length(r, c->hex.n);
    struct hashlog *log = r->log;
    struct hashlog_entry *e;

    if (!hash || text_hex_digits(c->hex) != c->hex.n || c->hex.n != digest_hex_length(hash)) {
        hashlog_problem(r, "'%.*s' is not a whole%s%s hash", (int)(c->hex.n < 200 ? c->hex.n : 200),
                        c->hex.p, hash ? " " : "", hash ? hash : "");
        return;
    }
    if (log->n == HASHLOG_ENTRIES_MAX) {
        hashlog_problem(r, "there are more than %d hashes; the rest was not read",
                        HASHLOG_ENTRIES_MAX);
        return;
    }
    if ((log->n & (log->n - 1)) == 0)
        log->v = xrealloc(log->v, log->n > 0 ? 2 * log->n : 1, sizeof *log->v);
    e = &log->v[log->n++];
    *e = (struct hashlog_entry){.hex = xstrndup(c->hex.p, c->hex.n),
                                .file = c->file,
                                .offset = c->offset,
                                .length = c->length,
                                .run = log->runs > 0 ? log->runs - 1 : 0};
    (void)snprintf(e->hash, sizeof e->hash, "%s", hash);
    for (char *p = e->hex; *p; p++)
        *p = *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p;
}

/* --- going through the lines ---------------------------------------------------------------- */

/* What the first lines of a log call it. */
static void
look_for_tool(struct hashlog_reader *r, struct text line)
{
    static const struct {
        const char *start;
        const char *tool;
    } table[] = {
        {"%%%% HASHDEEP-", "hashdeep"},
        {"GUYMAGER ACQUISITION INFO FILE", "guymager"},
        {"Created By AccessData", "FTK Imager"},
        {"Created By Exterro", "FTK Imager"},
        {"ewfacquire", "ewfacquire"},
        {"ewfverify", "ewfverify"},
        {"dc3dd ", "dc3dd"},
    };

    for (size_t i = 0; !r->log->tool && i < sizeof table / sizeof table[0]; i++) {
        if (text_starts(line, table[i].start))
            r->log->tool = table[i].tool;
    }
}

static void
take_line(struct hashlog_reader *r, struct text line)
{
    static bool (*const kinds[])(struct hashlog_reader *, struct text) = {
        hashlog_deep_line,  hashlog_dc3dd_line,  hashlog_dcfldd_line,
        hashlog_label_line, hashlog_tagged_line, hashlog_plain_line,
    };

    look_for_tool(r, line);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i](r, line))
            return;
    }
}

static void
take_lines(struct hashlog_reader *r, const char *data, size_t n)
{
    size_t at = 0;

    while (at < n) {
        const char *end = memchr(data + at, '\n', n - at);
        size_t length = end ? (size_t)(end - data) - at : n - at;
        struct text line = {data + at, length};

        r->line++;
        while (line.n > 0 && strchr(" \t\r", line.p[line.n - 1]))
            line.n--;
        if (line.n > 0 && line.n <= LINE_MAX_BYTES)
            take_line(r, line);
        at += length + 1;
    }
}

/* Windows tools write UTF-16; names and hashes of interest are ASCII in it. */
static char *
from_utf16(const char *data, size_t n, size_t *out)
{
    char *text = malloc(n / 2 + 1);

    *out = 0;
    for (size_t i = 2; text && i + 1 < n; i += 2)
        text[(*out)++] = data[i + 1] == 0 && data[i] != 0 ? data[i] : '?';
    return text;
}

static bool
is_blake2_by_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *name = slash ? slash + 1 : path;

    return name &&
           (strcasestr(name, ".b2") || strcasestr(name, "b2sum") || strcasestr(name, "blake2"));
}

struct hashlog *
hashlog_parse(const char *name, const char *data, size_t n)
{
    struct hashlog *log = xcalloc(1, sizeof *log);
    struct hashlog_reader r = {.log = log, .sector = 512, .blake2 = is_blake2_by_name(name)};
    AUTO_FREE char *converted = NULL;

    if (n >= 2 && memcmp(data, "\xff\xfe", 2) == 0) {
        converted = from_utf16(data, n, &n);
        data = converted;
    } else if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3;
        n -= 3;
    }
    /* What holds a NUL is no text; so a disk image given by mistake ends here. */
    if (data && n <= HASHLOG_BYTES_MAX && !memchr(data, '\0', n))
        take_lines(&r, data, n);
    if (log->n == 0 && !log->problem) {
        hashlog_free(log);
        return NULL;
    }
    hashlog_tool(&r, "checksums");
    if (log->runs == 0)
        log->runs = 1;
    return log;
}

void
hashlog_free(struct hashlog *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->n; i++)
        free(log->v[i].hex);
    for (size_t i = 0; i < log->n_names; i++)
        free(log->names[i]);
    free(log->names);
    free(log->outputs);
    free(log->v);
    free(log->problem);
    free(log);
}
