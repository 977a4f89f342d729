/*
 * Who signed the manifest, when it was stamped, and whether its ledger is whole. A signature by
 * somebody whom nobody was told to trust is intact or not, but it is not "passed".
 */
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"
#include "verify/checks.h"

/* --- signature --- */

static char *
append(char *list, const char *text)
{
    char *longer = list ? xasprintf("%s; %s", list, text) : xstrdup(text);

    free(list);
    return longer;
}

/* Returns whether it is intact; a failure is noted, what is good goes onto the list. */
static void
judge_signature(const struct check_input *in, const struct proof_file *f, int64_t at,
                struct check *c, char **good, bool *trusted)
{
    struct signature_facts facts;
    AUTO_FREE char *by = NULL;
    char time[CLOCK_TEXT_MAX] = "";

    if (!f->data) {
        check_fail(c, false, "%s", f->problem);
        return;
    }
    signature_check(f->data, f->n, in->proof->manifest.data, in->proof->manifest.n, in->trust, at,
                    &facts);
    if (facts.claimed != 0)
        (void)clock_text(facts.claimed, time);
    by = xasprintf("'%s' by %s (issuer %s)%s%s", f->name, facts.signer ? facts.signer : "nobody",
                   facts.issuer ? facts.issuer : "unknown", *time ? ", by their own clock " : "",
                   time);
    if (!facts.intact)
        check_fail(c, false, "'%s' does not fit the manifest: %s", f->name, facts.why);
    else if (trust_has_anchors(in->trust) && !facts.trusted)
        check_fail(c, false, "%s fits the manifest, but is not trusted: %s", by, facts.why);
    else
        *good = append(*good, by);
    *trusted = *trusted && facts.trusted;
    signature_facts_clear(&facts);
}

void
check_signature(const struct check_input *in, struct check *c)
{
    const struct proof *p = in->proof;
    AUTO_FREE char *good = NULL;
    bool trusted = true;
    char time[CLOCK_TEXT_MAX];
    int64_t at;

    c->target = p->manifest.name ? xasprintf("%s.p7s", p->manifest.name) : NULL;
    if (!p->manifest.data || p->n_signatures == 0) {
        check_skip(c, p->manifest.data ? "there is no signature '%s'" : "there is no manifest%s",
                   p->manifest.data ? c->target : "");
        return;
    }
    at = proof_time(p, in->trust);
    for (size_t i = 0; i < p->n_signatures; i++)
        judge_signature(in, &p->signatures[i], at, c, &good, &trusted);
    if (c->status == STATUS_FAILED)
        return;
    if (trusted)
        check_pass(c, "%s; certificates judged at %s", good,
                   at ? clock_text(at, time) : "the present time");
    else
        check_skip(c, "intact, but nobody was named to trust (--ca-file): %s", good);
}

/* --- timestamp --- */

void
check_timestamp(const struct check_input *in, struct check *c)
{
    const struct proof *p = in->proof;
    struct timestamp_facts facts;
    char time[CLOCK_TEXT_MAX] = "";

    c->target = p->manifest.name ? xasprintf("%s.tsr", p->manifest.name) : NULL;
    if (!p->timestamp.name) {
        check_skip(c, c->target ? "there is no time stamp '%s'" : "there is no manifest%s",
                   c->target ? c->target : "");
        return;
    }
    if (!p->timestamp.data) {
        check_fail(c, false, "%s", p->timestamp.problem);
        return;
    }
    proof_judge_timestamp(p, in->trust, &facts);
    if (facts.time != 0)
        (void)clock_text(facts.time, time);
    if (!facts.intact)
        check_fail(c, false, "'%s' fits neither signature nor manifest: %s", p->timestamp.name,
                   facts.why);
    else if (trust_has_anchors(in->trust) && !facts.trusted)
        check_fail(c, false, "of %s by %s, but not trusted: %s", time, facts.authority, facts.why);
    else if (facts.trusted)
        check_pass(c, "it was there at %s, says %s (token %s)", time, facts.authority,
                   facts.serial ? facts.serial : "without a number");
    else
        check_skip(c, "intact, but nobody was named to trust (--ca-file): of %s by %s", time,
                   facts.authority);
    timestamp_facts_clear(&facts);
}

/* --- ledger --- */

/* A signature or token that the ledger speaks of is there, and is that one. */
static void
check_named_file(const struct check_input *in, size_t line, const json_t *file, struct check *c)
{
    const char *name = json_text_or_null(file, "file");
    const struct proof_file *f = name ? proof_find(in->proof, name) : NULL;

    if (!json_is_object(file))
        return;
    if (!name)
        check_fail(c, false, "line %zu names no file", line);
    else if (!f)
        check_fail(c, false, "line %zu says that '%s' was written, but it is not there", line,
                   name);
    else if (!proof_hash_is(f, json_text_or_null(file, "sha256")))
        check_fail(c, false, "'%s' is not the file that line %zu speaks of", name, line);
}

static void
check_line_signature(const struct check_input *in, size_t i, int64_t at, struct check *c,
                     size_t *n_signed)
{
    const struct ledger *l = &in->proof->ledger;
    const struct ledger_line *line = &l->v[i];
    const char *base64 = json_text_or_null(line->event, "signature");
    struct signature_facts facts;
    AUTO_FREE uint8_t *der = NULL;
    size_t n = 0;

    if (line->signed_length == 0) {
        if (base64)
            check_fail(c, false, "the signature of line %zu does not stand at its end", i + 1);
        return;
    }
    der = base64_decode(base64 ? base64 : "", &n);
    signature_check(der ? (const void *)der : "", n, l->text + line->offset, line->signed_length,
                    in->trust, at, &facts);
    if (!facts.intact)
        check_fail(c, false, "the signature of line %zu does not fit it: %s", i + 1, facts.why);
    else if (trust_has_anchors(in->trust) && !facts.trusted)
        check_fail(c, false, "the signature of line %zu, by %s, is not trusted: %s", i + 1,
                   facts.signer, facts.why);
    *n_signed += 1;
    signature_facts_clear(&facts);
}

static void
check_lines(const struct check_input *in, struct check *c, size_t *n_signed)
{
    const struct ledger *l = &in->proof->ledger;
    int64_t at = proof_time(in->proof, in->trust);

    if (!in->proof->manifest.name) {
        check_fail(c, true, "the manifest that it is of is not there");
        return;
    }
    for (size_t i = 0; i < l->n; i++) {
        const json_t *event = l->v[i].event;
        const json_t *manifest = json_object_get(event, "manifest");

        if (!proof_hash_is(&in->proof->manifest, json_text_or_null(manifest, "sha256")))
            check_fail(c, false, "line %zu is of another manifest than '%s'", i + 1,
                       in->proof->manifest.name);
        check_named_file(in, i + 1, json_object_get(event, "signature_file"), c);
        check_named_file(in, i + 1, json_object_get(event, "timestamp_file"), c);
        check_line_signature(in, i, at, c, n_signed);
    }
}

void
check_ledger(const struct check_input *in, struct check *c)
{
    const struct proof *p = in->proof;
    const struct ledger *l = &p->ledger;
    size_t n_signed = 0;

    c->target = p->ledger_name ? xstrdup(p->ledger_name) : NULL;
    if (!p->has_ledger && !p->ledger_problem) {
        if (in->ledger_head)
            check_fail(c, true, "there is no ledger, but a head of one was noted");
        else
            check_skip(c, c->target ? "there is no ledger '%s'" : "there is no manifest%s",
                       c->target ? c->target : "");
        return;
    }
    if (p->ledger_problem) {
        check_fail(c, false, "%s", p->ledger_problem);
        return;
    }
    if (l->broken)
        check_fail(c, false, "the chain breaks at %s", l->why);
    else if (l->torn > 0)
        check_fail(c, true, "the last line was never whole (%zu bytes)", l->torn);
    else if (l->n == 0)
        check_fail(c, true, "the ledger is empty");
    check_lines(in, c, &n_signed);
    if (in->ledger_head && !ledger_has_head(l, in->ledger_head))
        check_fail(c, true,
                   "the head that was noted, %s, is not in it: lines were taken off its "
                   "end, or it is another ledger",
                   in->ledger_head);
    if (c->status != STATUS_FAILED)
        check_pass(c, "%zu event%s in an unbroken chain, %zu of them signed; its head is %s%s",
                   l->n, l->n == 1 ? "" : "s", n_signed, l->v[l->n - 1].hash,
                   in->ledger_head ? ", and the head that was noted is in it"
                                   : " (whether lines were taken off the end, only a head noted "
                                     "elsewhere shows)");
}
