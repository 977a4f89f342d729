#include "report/case_graph.h"

#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/json.h"
#include "common/text.h"

struct case_graph {
    json_t *objects;
    json_t *bundle;
    char *seed;
    uint64_t count;
};

static const struct {
    const char *prefix;
    const char *iri;
} context[] = {
    {"case-investigation", "https://ontology.caseontology.org/case/investigation/"},
    {"uco-action", "https://ontology.unifiedcyberontology.org/uco/action/"},
    {"uco-core", "https://ontology.unifiedcyberontology.org/uco/core/"},
    {"uco-identity", "https://ontology.unifiedcyberontology.org/uco/identity/"},
    {"uco-observable", "https://ontology.unifiedcyberontology.org/uco/observable/"},
    {"uco-tool", "https://ontology.unifiedcyberontology.org/uco/tool/"},
    {"uco-types", "https://ontology.unifiedcyberontology.org/uco/types/"},
    {"xsd", "http://www.w3.org/2001/XMLSchema#"},
};

/* An UUID of the seed and the key (RFC 4122, 4.1: version 5, made with SHA-256). */
static char *
identifier(const struct case_graph *g, const char *key)
{
    AUTO_FREE char *text = xasprintf("%s\n%s", g->seed, key);
    struct err err = ERR_INIT;
    struct digest *d = digest_new("sha256", &err);
    char hex[DIGEST_HEX_MAX] = "00000000000000000000000000000000";

    if (d) {
        digest_update(d, text, strlen(text));
        digest_final_hex(d, hex);
        digest_free(d);
    }
    hex[12] = '5';
    hex[16] = "89ab"[hex[16] % 4];
    return xasprintf("urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                     hex + 20);
}

/* Anything with an identifier. */
static json_t *
thing(struct case_graph *g, const char *type, const char *key)
{
    AUTO_FREE char *full = xasprintf("%s\n%s", type, key);
    AUTO_FREE char *id = identifier(g, full);
    json_t *v = json_object();

    json_set_text(v, "@id", id);
    json_set_text(v, "@type", type);
    (void)json_array_append_new(g->objects, v);
    return v;
}

struct case_graph *
case_graph_new(const char *seed)
{
    struct case_graph *g = xcalloc(1, sizeof *g);

    g->objects = json_array();
    g->seed = xstrdup(seed);
    g->bundle = thing(g, "uco-core:Bundle", "");
    return g;
}

json_t *
case_object(struct case_graph *g, const char *type, const char *key)
{
    json_t *v = thing(g, type, key);

    case_link(g->bundle, "uco-core:object", v);
    return v;
}

json_t *
case_facet(struct case_graph *g, json_t *object, const char *type)
{
    json_t *v = thing(g, type, json_text_or_null(object, "@id"));

    case_link(object, "uco-core:hasFacet", v);
    return v;
}

void
case_hash(struct case_graph *g, json_t *facet, const char *method, const char *hex)
{
    static const struct {
        const char *name;
        const char *method;
    } methods[] = {
        {"md5", "MD5"},           {"sha1", "SHA1"},         {"sha224", "SHA224"},
        {"sha256", "SHA256"},     {"sha384", "SHA384"},     {"sha512", "SHA512"},
        {"sha3-224", "SHA3-224"}, {"sha3-256", "SHA3-256"}, {"sha3-384", "SHA3-384"},
        {"sha3-512", "SHA3-512"},
    };
    AUTO_FREE char *key = xasprintf("%s %s", json_text_or_null(facet, "@id"), method);
    uint8_t raw[DIGEST_SIZE_MAX];
    const char *known = NULL;
    json_t *v;

    if (!hex || hex_decode(hex, raw, sizeof raw) <= 0)
        return;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, method) == 0)
            known = methods[i].method;
    }
    v = thing(g, "uco-types:Hash", key);
    case_text(v, "uco-types:hashMethod", known ? known : method);
    (void)json_object_set_new(v, "uco-types:hashValue",
                              json_pack("{s:s, s:s}", "@type", "xsd:hexBinary", "@value", hex));
    case_link(facet, "uco-observable:hash", v);
}

void
case_relate(struct case_graph *g, const json_t *source, const char *kind, const json_t *target)
{
    AUTO_FREE char *key = xasprintf("%s %s %s", json_text_or_null(source, "@id"), kind,
                                    json_text_or_null(target, "@id"));
    json_t *v = case_object(g, "uco-observable:ObservableRelationship", key);

    case_link(v, "uco-core:source", source);
    case_link(v, "uco-core:target", target);
    case_text(v, "uco-core:kindOfRelationship", kind);
    case_bool(v, "uco-core:isDirectional", true);
}

/* As an xsd:string, which has the characters of XML 1.0 (2.2) and no others. Those that it lacks
   are written out; a byte that is no UTF-8 becomes the character of its number. */
static char *
legal_text(const char *s)
{
    char *out = NULL;
    size_t size;
    FILE *f = open_memstream(&out, &size);
    size_t n = strlen(s);

    if (!f)
        return xstrdup("");
    while (n > 0) {
        uint32_t cp = 0;
        size_t len = text_utf8_next(s, n, &cp);

        if (len == 0)
            (void)fprintf(f, "%c%c", 0xc0 | (unsigned char)*s >> 6, 0x80 | (*s & 0x3f));
        else if ((cp < 0x20 && !strchr("\t\n\r", (int)cp)) || cp == 0xfffe || cp == 0xffff)
            (void)fprintf(f, "\\u{%04x}", cp);
        else
            (void)fwrite(s, 1, len, f);
        s += len ? len : 1;
        n -= len ? len : 1;
    }
    return fclose(f) == 0 ? out : (free(out), xstrdup(""));
}

/* The sibling has no prefix: a reader of the graph passes over it. */
void
case_text(json_t *object, const char *property, const char *s)
{
    const char *colon = strchr(property, ':');

    if (!s || *s == '\0')
        return;
    AUTO_FREE char *text = legal_text(s);

    (void)json_object_set_new(object, property, json_string(text));
    if (strcmp(text, s) != 0) {
        AUTO_FREE char *key = xasprintf("%s_base64", colon ? colon + 1 : property);
        AUTO_FREE char *exact = base64_encode(s, strlen(s));

        (void)json_object_set_new(object, key, json_string(exact));
    }
}

static void
typed(json_t *object, const char *property, const char *type, const char *value)
{
    (void)json_object_set_new(object, property,
                              json_pack("{s:s, s:s}", "@type", type, "@value", value));
}

/* As text, so that no reader rounds it. */
void
case_number(json_t *object, const char *property, uint64_t n)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRIu64, n);
    typed(object, property, "xsd:integer", text);
}

void
case_bool(json_t *object, const char *property, bool v)
{
    (void)json_object_set_new(object, property, json_boolean(v));
}

/* Two digits within bounds, moved past. */
static bool
two_digits(const char **s, int low, int high)
{
    const char *t = *s;
    int n;

    if (t[0] < '0' || t[0] > '9' || t[1] < '0' || t[1] > '9')
        return false;
    n = (t[0] - '0') * 10 + (t[1] - '0');
    *s += 2;
    return n >= low && n <= high;
}

static bool
one(const char **s, char c)
{
    if (**s != c)
        return false;
    ++*s;
    return true;
}

/* "2026-02-28", moved past; xsd:date has no 30th of February either. */
static bool
is_date(const char **s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *t = *s;
    int year = 0;
    int month;
    bool leap;

    for (int i = 0; i < 4; i++) {
        if (t[i] < '0' || t[i] > '9')
            return false;
        year = year * 10 + (t[i] - '0');
    }
    *s += 4;
    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    t = *s + 1;
    if (year == 0 || !one(s, '-') || !two_digits(s, 1, 12))
        return false;
    month = (t[0] - '0') * 10 + (t[1] - '0');
    return one(s, '-') && two_digits(s, 1, days[month - 1] + (month == 2 && leap));
}

/* xsd:dateTime as RFC 3339 has it, with a zone. */
static bool
is_time(const char *s)
{
    if (!is_date(&s) || !one(&s, 'T') || !two_digits(&s, 0, 23) || !one(&s, ':') ||
        !two_digits(&s, 0, 59) || !one(&s, ':') || !two_digits(&s, 0, 59))
        return false;
    if (*s == '.') {
        size_t n = strspn(++s, "0123456789");

        if (n == 0)
            return false;
        s += n;
    }
    if (strcmp(s, "Z") == 0)
        return true;
    return (one(&s, '+') || one(&s, '-')) && two_digits(&s, 0, 13) && one(&s, ':') &&
           two_digits(&s, 0, 59) && *s == '\0';
}

void
case_time(json_t *object, const char *property, const char *s)
{
    if (s && is_time(s))
        typed(object, property, "xsd:dateTime", s);
}

void
case_link(json_t *object, const char *property, const json_t *target)
{
    json_t *list = json_object_get(object, property);

    if (!target)
        return;
    if (!list) {
        list = json_array();
        (void)json_object_set_new(object, property, list);
    }
    (void)json_array_append_new(list, json_pack("{s:O}", "@id", json_object_get(target, "@id")));
}

json_t *
case_graph_finish(struct case_graph *g, const char *name, const char *created)
{
    json_t *document = json_object();
    json_t *prefixes = json_object();

    for (size_t i = 0; i < sizeof context / sizeof context[0]; i++)
        json_set_text(prefixes, context[i].prefix, context[i].iri);
    case_text(g->bundle, "uco-core:name", name);
    case_time(g->bundle, "uco-core:objectCreatedTime", created);
    (void)json_object_set_new(document, "@context", prefixes);
    (void)json_object_set_new(document, "@graph", g->objects);
    free(g->seed);
    free(g);
    return document;
}
