#include "report/proof.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

static const char *
status_of(bool intact, bool trusted, const struct trust *trust)
{
    if (!intact || (trust_has_anchors(trust) && !trusted))
        return "failed";
    return trusted ? "trusted" : "intact";
}

static void
set_time(json_t *v, const char *key, int64_t epoch)
{
    char text[CLOCK_TEXT_MAX];

    json_set_text(v, key, epoch != 0 ? clock_text(epoch, text) : NULL);
}

static json_t *
signature(struct report *r, const struct proof *p, const struct proof_file *f,
          const struct trust *trust)
{
    json_t *v = json_object();
    struct signature_facts facts = {0};
    const char *status = "failed";

    if (f->data && p->manifest.data) {
        signature_check(f->data, f->n, p->manifest.data, p->manifest.n, trust, proof_time(p, trust),
                        &facts);
        status = status_of(facts.intact, facts.trusted, trust);
    }
    json_set_text(v, "file", f->name);
    json_set_text(v, "status", status);
    json_set_text(v, "signer", facts.signer);
    json_set_text(v, "issuer", facts.issuer);
    set_time(v, "signing_time", facts.claimed);
    json_set_text(v, "detail", f->data ? facts.why : f->problem);
    if (strcmp(status, "failed") == 0)
        report_finding(r, "signature", f->name, "the signature does not stand: %s",
                       f->data ? facts.why : f->problem);
    signature_facts_clear(&facts);
    return v;
}

static json_t *
timestamp(struct report *r, const struct proof *p, const struct trust *trust)
{
    const struct proof_file *f = &p->timestamp;
    struct timestamp_facts facts;
    const char *status;
    json_t *v;

    if (!f->name)
        return json_null();
    v = json_object();
    proof_judge_timestamp(p, trust, &facts);
    status = status_of(facts.intact, facts.trusted, trust);
    json_set_text(v, "file", f->name);
    json_set_text(v, "status", status);
    json_set_text(v, "authority", facts.authority);
    set_time(v, "time", facts.time);
    json_set_text(v, "serial", facts.serial);
    json_set_text(v, "detail", f->data ? facts.why : f->problem);
    if (strcmp(status, "failed") == 0)
        report_finding(r, "timestamp", f->name, "the time stamp does not stand: %s",
                       f->data ? facts.why : f->problem);
    timestamp_facts_clear(&facts);
    return v;
}

/* Why the ledger does not hold, or NULL. */
static char *
ledger_problem(const struct proof *p)
{
    const struct ledger *l = &p->ledger;

    if (p->ledger_problem)
        return xstrdup(p->ledger_problem);
    if (l->broken)
        return xasprintf("the chain breaks at %s", l->why);
    if (l->torn > 0)
        return xasprintf("its last line was never whole (%zu bytes)", l->torn);
    for (size_t i = 0; p->manifest.data && i < l->n; i++) {
        const json_t *manifest = json_object_get(l->v[i].event, "manifest");

        if (!proof_hash_is(&p->manifest, json_text_or_null(manifest, "sha256")))
            return xasprintf("line %zu is of another manifest", i + 1);
    }
    return NULL;
}

static json_t *
ledger(struct report *r, const struct proof *p)
{
    AUTO_FREE char *problem = NULL;
    json_t *v;

    if (!p->has_ledger && !p->ledger_problem)
        return json_null();
    v = json_object();
    problem = ledger_problem(p);
    json_set_text(v, "file", p->ledger_name);
    json_set_text(v, "status", problem ? "broken" : "whole");
    json_set_u64(v, "events", p->ledger.n);
    json_set_text(v, "head", p->ledger.n > 0 ? p->ledger.v[p->ledger.n - 1].hash : NULL);
    json_set_text(v, "detail", problem);
    if (problem)
        report_finding(r, "ledger", p->ledger_name, "the ledger does not hold: %s", problem);
    return v;
}

void
proof_judge(struct report *r, const char *stem, const struct trust *trust)
{
    json_t *v = json_object();
    json_t *signatures = json_array();
    struct proof p;

    proof_load(&p, stem);
    for (size_t i = 0; i < p.n_signatures; i++)
        (void)json_array_append_new(signatures, signature(r, &p, &p.signatures[i], trust));
    (void)json_object_set_new(v, "signatures", signatures);
    (void)json_object_set_new(v, "timestamp", timestamp(r, &p, trust));
    (void)json_object_set_new(v, "ledger", ledger(r, &p));
    (void)json_object_set_new(r->facts, "proof", v);
    proof_clear(&p);
}
