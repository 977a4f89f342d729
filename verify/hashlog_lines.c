/*
 * Lines that say all themselves: "MD5 hash: …", "MD5 (name) = …", "…  name".
 */
#include "common/size.h"
#include "common/text.h"
#include "verify/hashlog_impl.h"

/* --- text ----------------------------------------------------------------------------------- */

bool
text_starts(struct text t, const char *s)
{
    size_t n = strlen(s);

    return t.n >= n && memcmp(t.p, s, n) == 0;
}

bool
text_skip(struct text *t, const char *s)
{
    if (!text_starts(*t, s))
        return false;
    t->p += strlen(s);
    t->n -= strlen(s);
    return true;
}

void
text_skip_blanks(struct text *t)
{
    while (t->n > 0 && (*t->p == ' ' || *t->p == '\t')) {
        t->p++;
        t->n--;
    }
}

struct text
text_trim(struct text t)
{
    text_skip_blanks(&t);
    while (t.n > 0 && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '\t'))
        t.n--;
    return t;
}

struct text
text_until(struct text *t, const char *ends)
{
    struct text out = {t->p, 0};

    while (out.n < t->n && !strchr(ends, t->p[out.n]))
        out.n++;
    t->p += out.n;
    t->n -= out.n;
    return out;
}

bool
text_number(struct text *t, uint64_t *out)
{
    struct err ignored = ERR_INIT;
    char digits[24];
    size_t n = 0;

    while (n < t->n && n + 1 < sizeof digits && t->p[n] >= '0' && t->p[n] <= '9') {
        digits[n] = t->p[n];
        n++;
    }
    digits[n] = '\0';
    if (n == 0 || number_parse(digits, 0, INT64_MAX, "a number", out, &ignored) != 0)
        return false;
    t->p += n;
    t->n -= n;
    return true;
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

size_t
text_hex_digits(struct text t)
{
    size_t n = 0;

    while (n < t.n && is_hex(t.p[n]))
        n++;
    return n;
}

/* "SHA2-256" is what OpenSSL's own tool calls SHA-256, "BLAKE2b" what b2sum calls BLAKE2b-512. */
bool
text_hash_name(struct text t, char name[DIGEST_NAME_MAX])
{
    struct err ignored = ERR_INIT;
    char typed[DIGEST_NAME_MAX];

    if (t.n < 3 || t.n > 16 || !strchr("mMsSbBrRwW", *t.p)) /* asking OpenSSL takes its time */
        return false;
    memcpy(typed, t.p, t.n);
    typed[t.n] = '\0';
    if (memchr(typed, '\0', t.n))
        return false;
    if (text_equal_nocase(typed, "blake2b"))
        (void)snprintf(typed, sizeof typed, "blake2b512");
    if (strncmp(typed, "SHA2-", 5) == 0)
        memmove(typed + 3, typed + 4, strlen(typed + 4) + 1);
    return digest_canonical(typed, name, &ignored) == 0;
}

/* --- "LABEL: VALUE" ------------------------------------------------------------------------- */

/* The labels that FTK Imager, guymager, ewfacquire and ewfverify put before the hash of the media:
   the algorithm, then one of these. Others ("hash verified source", "hash stored in file") repeat
   it or are not the acquisition's. */
static bool
is_media_label(struct text rest)
{
    static const char *const known[] = {
        "", "hash", "checksum", "hash calculated over data", "hash of disk", "digest", "sum",
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (rest.n == strlen(known[i]) && memcmp(rest.p, known[i], rest.n) == 0)
            return true;
    }
    return false;
}

/* A value that should be a hash: of its length, or hexadecimal and too long for a coincidence.
   "--", "N/A" and prose are none. */
static bool
is_meant_as_hash(const char *hash, struct text value)
{
    size_t digits = text_hex_digits(value);

    return value.n == digest_hex_length(hash) || (digits == value.n && digits >= 8) || digits >= 16;
}

bool
hashlog_label_line(struct hashlog_reader *r, struct text line)
{
    struct hashlog_claim c = {0};
    char name[DIGEST_NAME_MAX];
    struct text rest = text_trim(line);
    struct text label = text_until(&rest, ":");
    struct text word;

    if (rest.n == 0)
        return false;
    text_skip(&rest, ":");
    label = text_trim(label);
    word = text_until(&label, " \t");
    if (!text_hash_name(word, name) || !is_media_label(text_trim(label)))
        return false;
    if (text_starts(text_trim(label), "hash calculated over data"))
        hashlog_tool(r, "ewfacquire");
    rest = text_trim(rest);
    c.hash = name;
    c.hex = text_until(&rest, " \t"); /* FTK: "… : verified" */
    if (is_meant_as_hash(name, c.hex))
        hashlog_add(r, &c);
    return true;
}

/* --- "MD5 (name) = …", "MD5(name)= …" ------------------------------------------------------- */

/* md5sum writes a backslash in front of a line whose name has an escaped character. */
static struct text
unescape(struct text t, char *buf, size_t size)
{
    struct text out = {buf, 0};

    for (size_t i = 0; i < t.n && out.n < size; i++) {
        char c = t.p[i];

        if (c == '\\' && i + 1 < t.n) {
            c = t.p[++i];
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        buf[out.n++] = c;
    }
    return out;
}

bool
hashlog_tagged_line(struct hashlog_reader *r, struct text line)
{
    bool escaped = text_skip(&line, "\\");
    struct hashlog_claim c = {0};
    char name[DIGEST_NAME_MAX];
    char buf[4096];
    struct text tag = text_until(&line, "( ");
    struct text file;
    size_t close;

    text_skip_blanks(&line);
    if (!text_hash_name(tag, name) || !text_skip(&line, "("))
        return false;
    /* The name ends at the last ")" before the "=": it may hold some itself. */
    for (close = line.n; close > 0; close--) {
        struct text after = {line.p + close, line.n - close};

        text_skip_blanks(&after);
        if (line.p[close - 1] == ')' && text_skip(&after, "=")) {
            c.hex = text_trim(after);
            break;
        }
    }
    if (close == 0)
        return false;
    file = (struct text){line.p, close - 1};
    c.file = hashlog_name(r->log, escaped ? unescape(file, buf, sizeof buf) : file);
    c.hash = name;
    hashlog_add(r, &c);
    return true;
}

/* --- "…  name", "… *name", md5deep's sizes and pieces, and a hash alone ----------------------- */

/* md5deep -p: "NAME offset 0-1048575", both ends counted. */
void
hashlog_piece_suffix(struct text *file, struct hashlog_claim *c)
{
    static const char word[] = " offset ";
    size_t n = sizeof word - 1;

    for (size_t i = file->n; i-- > 0;) {
        struct text rest = {file->p + i, file->n - i};
        uint64_t first;
        uint64_t last;

        if (!text_starts(rest, word))
            continue;
        rest.p += n;
        rest.n -= n;
        if (!text_number(&rest, &first) || !text_skip(&rest, "-") || !text_number(&rest, &last) ||
            rest.n != 0 || last < first)
            return;
        c->offset = first;
        c->length = last - first + 1;
        file->n = i;
        return;
    }
}

/* "   3000320  82610d…  name" of md5deep -z. */
static void
skip_size(struct text *line)
{
    struct text rest = *line;
    uint64_t size;

    if (text_number(&rest, &size) && text_skip(&rest, "  ") &&
        hashlog_by_length(text_hex_digits(rest)))
        *line = rest;
}

bool
hashlog_plain_line(struct hashlog_reader *r, struct text line)
{
    bool escaped = text_skip(&line, "\\");
    struct hashlog_claim c = {0};
    char buf[4096];

    text_skip_blanks(&line);
    skip_size(&line);
    c.hex = (struct text){line.p, text_hex_digits(line)};
    line.p += c.hex.n;
    line.n -= c.hex.n;
    /* A hash alone is of the media; half of one is only told from a word by its name. */
    if (line.n == 0) {
        if (hashlog_by_length(c.hex.n))
            hashlog_add(r, &c);
        return true;
    }
    if (c.hex.n < 16 || !(text_skip(&line, "  ") || text_skip(&line, " *") ||
                          text_skip(&line, "\t") || text_skip(&line, " ")))
        return false;
    text_skip_blanks(&line);
    hashlog_piece_suffix(&line, &c);
    if (escaped)
        line = unescape(line, buf, sizeof buf);
    c.file = hashlog_name(r->log, line);
    hashlog_add(r, &c);
    return true;
}
