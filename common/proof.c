#include "common/proof.h"

#include <errno.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/manifest.h"
#include "common/outfile.h"
#include "common/text.h"

#define MANIFEST_MAX ((size_t)512 << 20)
#define SIGNERS_MAX 99 /* as exhibit-seal numbers them */

/* False if there is no such file. */
static bool
load(int dir, char *name, size_t max, struct proof_file *out)
{
    struct err err = ERR_INIT;

    *out = (struct proof_file){.name = name};
    out->data = infile_read(dir, name, max, &out->n, &err);
    if (out->data)
        return true;
    if (err.sys == ENOENT) {
        free(name);
        *out = (struct proof_file){0};
        return false;
    }
    out->problem = xstrdup(err.text);
    return true;
}

static void
load_signatures(struct proof *p, int dir)
{
    for (unsigned i = 1; i <= SIGNERS_MAX; i++) {
        char *name = i == 1 ? xasprintf("%s.p7s", p->manifest.name)
                            : xasprintf("%s.%u.p7s", p->manifest.name, i);
        struct proof_file f;

        if (!load(dir, name, SIGNATURE_MAX, &f))
            continue; /* the first may be gone while the witness's is there */
        p->signatures = xrealloc(p->signatures, p->n_signatures + 1, sizeof *p->signatures);
        p->signatures[p->n_signatures++] = f;
    }
}

static void
load_ledger(struct proof *p, int dir, const char *base)
{
    struct err err = ERR_INIT;

    p->ledger_name = xasprintf("%s" LEDGER_SUFFIX, base);
    p->has_ledger = ledger_read(dir, p->ledger_name, &p->ledger, &err) == 0;
    if (!p->has_ledger && err.sys != ENOENT)
        p->ledger_problem = xstrdup(err.text);
}

void
proof_load(struct proof *out, const char *stem)
{
    struct err ignored = ERR_INIT;
    const char *base = NULL;
    AUTO_FD int dir = path_open_parent(stem, &base, &ignored);

    *out = (struct proof){0};
    if (dir < 0)
        return;
    load_ledger(out, dir, base);
    if (!load(dir, xasprintf("%s" MANIFEST_SUFFIX, base), MANIFEST_MAX, &out->manifest))
        return;
    load_signatures(out, dir);
    (void)load(dir, xasprintf("%s.tsr", out->manifest.name), SIGNATURE_MAX, &out->timestamp);
}

static void
file_clear(struct proof_file *f)
{
    free(f->name);
    free(f->data);
    free(f->problem);
}

void
proof_clear(struct proof *p)
{
    file_clear(&p->manifest);
    file_clear(&p->timestamp);
    for (size_t i = 0; i < p->n_signatures; i++)
        file_clear(&p->signatures[i]);
    free(p->signatures);
    free(p->ledger_name);
    free(p->ledger_problem);
    ledger_clear(&p->ledger);
    *p = (struct proof){0};
}

const struct proof_file *
proof_find(const struct proof *p, const char *name)
{
    if (p->timestamp.name && strcmp(p->timestamp.name, name) == 0)
        return &p->timestamp;
    for (size_t i = 0; i < p->n_signatures; i++) {
        if (strcmp(p->signatures[i].name, name) == 0)
            return &p->signatures[i];
    }
    return NULL;
}

bool
proof_hash_is(const struct proof_file *f, const char *sha256)
{
    struct err ignored = ERR_INIT;
    struct digest *d = f->data ? digest_new("sha256", &ignored) : NULL;
    char hex[DIGEST_HEX_MAX];

    if (!d)
        return false;
    digest_update(d, f->data, f->n);
    digest_final_hex(d, hex);
    digest_free(d);
    return sha256 && digest_hex_equal(hex, sha256);
}

/* Returns whether the time stamp is of the first signature. */
static bool
judge_timestamp(const struct proof *p, const struct trust *trust, struct timestamp_facts *out)
{
    const struct proof_file *stamp = &p->timestamp;

    *out = (struct timestamp_facts){0};
    if (!stamp->data || !p->manifest.data)
        return false;
    if (p->n_signatures > 0 && p->signatures[0].data) {
        timestamp_check(stamp->data, stamp->n, p->signatures[0].data, p->signatures[0].n, trust,
                        out);
        if (out->intact)
            return true;
        timestamp_facts_clear(out);
    }
    timestamp_check(stamp->data, stamp->n, p->manifest.data, p->manifest.n, trust, out);
    return false;
}

void
proof_judge_timestamp(const struct proof *p, const struct trust *trust, struct timestamp_facts *out)
{
    (void)judge_timestamp(p, trust, out);
}

int64_t
proof_time(const struct proof *p, const struct trust *trust)
{
    struct timestamp_facts facts;
    bool of_signature = judge_timestamp(p, trust, &facts);
    int64_t at = of_signature && facts.trusted ? facts.time : 0;

    timestamp_facts_clear(&facts);
    return at;
}
