#include "common/custody.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/json.h"
#include "common/manifest.h"
#include "common/outfile.h"
#include "common/text.h"

#define MANIFEST_MAX ((size_t)512 << 20)

static void
hash(const void *data, size_t n, char hex[LEDGER_HASH_MAX])
{
    struct err err = ERR_INIT;
    struct digest *d = digest_new("sha256", &err);
    char full[DIGEST_HEX_MAX] = "";

    if (d) {
        digest_update(d, data, n);
        digest_final_hex(d, full);
    }
    digest_free(d);
    (void)snprintf(hex, LEDGER_HASH_MAX, "%.64s", full);
}

json_t *
custody_file(const char *name, const void *data, size_t n)
{
    json_t *v = json_object();
    char hex[LEDGER_HASH_MAX];

    hash(data, n, hex);
    json_set_text(v, "file", name);
    json_set_text(v, "sha256", hex);
    return v;
}

static int
read_manifest(struct custody *c, const char *dest, struct err *err)
{
    json_t *v;
    const char *schema;
    bool fits;

    c->text = infile_read(c->dir, c->manifest, MANIFEST_MAX, &c->size, err);
    if (!c->text)
        return err_context(err, "no manifest of '%s'", dest);
    v = json_loadb(c->text, c->size, JSON_REJECT_DUPLICATES, NULL);
    schema = json_text_or_null(v, "schema");
    fits = schema && strcmp(schema, MANIFEST_SCHEMA) == 0;
    json_decref(v);
    if (!fits)
        return err_set(err, OUTCOME_FAILED, "'%s' is no manifest of this version", c->manifest);
    hash(c->text, c->size, c->sha256);
    return 0;
}

int
custody_open(struct custody *c, const char *dest, struct err *err)
{
    size_t suffix = strlen(MANIFEST_SUFFIX);
    const char *base;
    size_t n;

    *c = (struct custody){.dir = -1};
    c->dir = path_open_parent(dest, &base, err);
    if (c->dir < 0)
        return -1;
    n = strlen(base);
    if (n > suffix && strcmp(base + n - suffix, MANIFEST_SUFFIX) == 0)
        n -= suffix;
    c->manifest = xasprintf("%.*s" MANIFEST_SUFFIX, (int)n, base);
    c->ledger = xasprintf("%.*s" LEDGER_SUFFIX, (int)n, base);
    return read_manifest(c, dest, err);
}

void
custody_close(struct custody *c)
{
    if (c->dir >= 0)
        (void)close(c->dir);
    free(c->manifest);
    free(c->ledger);
    free(c->text);
    *c = (struct custody){.dir = -1};
}

int
custody_record(const struct custody *c, json_t *event, const struct signer *by,
               char head[LEDGER_HASH_MAX], struct err *err)
{
    json_t *manifest = json_object();

    json_set_text(manifest, "file", c->manifest);
    json_set_text(manifest, "sha256", c->sha256);
    (void)json_object_set_new(event, "manifest", manifest);
    return ledger_append(c->dir, c->ledger, event, by, head, err);
}
