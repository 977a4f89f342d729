/*
 * NAME.report.html: one page without scripts and without anything outside itself.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/json.h"
#include "common/size.h"
#include "common/text.h"
#include "report/html.h"
#include "report/writer.h"

/* Characters of a name in the head of a printed page. */
#define RUNNING_CHARS 40
/* Bytes of a name that is set smaller. */
#define LONG_NAME 80

/* The browser may use this style sheet, known by its hash, and the logo, and nothing else. */
static void
policy(FILE *f, const struct paper *p)
{
    struct err err = ERR_INIT;
    struct digest *d = digest_new("sha256", &err);
    char hex[DIGEST_HEX_MAX];
    uint8_t raw[DIGEST_SIZE_MAX];
    AUTO_FREE char *base64 = NULL;

    if (!d)
        return;
    digest_update(d, html_style, strlen(html_style));
    digest_final_hex(d, hex);
    digest_free(d);
    base64 = base64_encode(raw, (size_t)hex_decode(hex, raw, sizeof raw));
    (void)fprintf(f,
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'sha256-%s'; %sbase-uri 'none'; form-action 'none'\">\n",
                  base64, p->stationery && p->stationery->logo ? "img-src data:; " : "");
}

static const char *
case_field(const struct report *r, const char *key)
{
    const char *s = json_text_or_null(json_object_get(r->facts, "case"), key);

    return s && *s ? s : NULL;
}

/* The first characters of a name, for the head of each printed page. */
static void
short_text(FILE *f, const char *s)
{
    size_t n = 0;
    uint32_t cp;

    for (size_t chars = 0; s[n] && chars < RUNNING_CHARS; chars++) {
        size_t len = text_utf8_next(s + n, strlen(s + n), &cp);

        n += len > 0 ? len : 1;
    }
    AUTO_FREE char *cut = xasprintf("%.*s%s", (int)n, s, s[n] ? "…" : "");

    html_text(f, cut);
}

/* What the style sheet repeats on each page. */
static void
running_names(FILE *f, const struct report *r)
{
    const char *exhibit = case_field(r, "evidence_number");
    const char *number = case_field(r, "case_number");

    (void)fputs("<p class=\"names\"><span class=\"exhibit\">Exhibit ", f);
    short_text(f, exhibit ? exhibit : "number not recorded");
    (void)fputs("</span> · <span class=\"number\">Case ", f);
    short_text(f, number ? number : "number not recorded");
    (void)fputs("</span></p>", f);
}

static void
heading(FILE *f, const struct report *r, const struct paper *p)
{
    const char *exhibit = case_field(r, "evidence_number");
    const char *description = case_field(r, "description");
    const char *name;

    (void)fputs("<header>", f);
    html_letterhead(f, p);
    running_names(f, r);
    name = exhibit ? exhibit : r->name;
    (void)fputs(strlen(name) > LONG_NAME ? "<h1 class=\"long\">" : "<h1>", f);
    html_text(f, name);
    (void)fputs("</h1><p>", f);
    if (description) {
        html_text(f, description);
        (void)fputs(" · ", f);
    }
    (void)fputs("image ", f);
    html_text(f, r->name);
    (void)fputs(" · report of ", f);
    html_plain(f, r->created);
    (void)fputs("</p></header>\n", f);
}

static void
status(FILE *f, const char *class, const char *name, const char *value, const char *small)
{
    (void)fprintf(f, "<div class=\"%s\"><b>%s</b><span>", class, name);
    html_plain(f, value);
    (void)fputs("</span>", f);
    if (small && *small) {
        (void)fputs("<small>", f);
        html_plain(f, small);
        (void)fputs("</small>", f);
    }
    (void)fputs("</div>\n", f);
}

static void
verification_status(FILE *f, const struct report *r)
{
    const json_t *v = json_object_get(r->facts, "verification");
    const char *s = json_text_or_null(v, "status");
    bool passed = s && strcmp(s, "passed") == 0;
    bool failed = s && strcmp(s, "failed") == 0;

    status(f,
           passed   ? "good"
           : failed ? "bad"
                    : "warn",
           "Verification",
           passed   ? "passed"
           : failed ? "failed"
           : s      ? "not run"
                    : "unknown",
           !passed               ? s ? "as the manifest says" : "none is recorded"
           : r->unreadable.n > 0 ? "with unreadable sectors"
                                 : "as the manifest says");
}

static void
unreadable_status(FILE *f, const struct report *r)
{
    uint64_t total = ranges_total(&r->unreadable);
    char human[SIZE_TEXT_MAX];
    AUTO_FREE char *sectors = xasprintf("%" PRIu64 " sectors", total / r->sector_size);
    AUTO_FREE char *where =
        xasprintf("%s in %zu ranges", size_human(total, human), r->unreadable.n);

    if (total == 0)
        status(f, r->manifest_path ? "good" : "warn", "Unreadable", "none",
               r->manifest_path ? "the whole source was read" : "none is recorded");
    else
        status(f, "bad", "Unreadable", sectors, where);
}

static void
summary(FILE *f, const struct report *r)
{
    const char *level = json_text_or_null(json_object_get(r->facts, "write_block"), "level");
    const char *kind = json_text_or_null(json_object_get(r->facts, "source"), "kind");
    bool is_file = kind && strcmp(kind, "file") == 0;
    AUTO_FREE char *findings =
        r->n_findings > 0 ? xasprintf("%zu", r->n_findings) : xstrdup("none");

    (void)fputs("<div class=\"status\">\n", f);
    verification_status(f, r);
    unreadable_status(f, r);
    status(f, level && strcmp(level, "none") != 0 ? "good" : "warn", "Write protection",
           level ? level : "unknown",
           !level    ? "none is recorded"
           : is_file ? "the source is a file"
                     : "");
    status(f, r->n_findings > 0 ? "bad" : "good", "Findings", findings,
           r->n_findings > 0 ? "hostile or unparsable content" : "on the disk");
    (void)fputs("</div>\n", f);
}

static void
footer(FILE *f, const struct report *r)
{
    (void)fprintf(f, "<footer>Made by Exhibit %s on ", EXHIBIT_VERSION);
    html_plain(f, r->created);
    (void)fputs(" from ", f);
    html_text(f, r->manifest_path ? r->manifest_path : r->image_path);
    (void)fputs(". This page needs nothing but itself; the same facts stand in full in ", f);
    html_text(f, r->name);
    (void)fputs(".report.json where that was written.</footer>\n", f);
}

static void (*const parts[])(FILE *, const struct report *) = {
    summary,          html_findings, html_deviations, html_case,  html_source,   html_write_block,
    html_acquisition, html_rate,     html_hashes,     html_proof, html_segments, html_unreadable,
    html_partitions,  html_volumes,  html_slack,      html_check,
};

static void
head(FILE *f, const struct report *r, const struct paper *p)
{
    const char *exhibit = case_field(r, "evidence_number");

    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n", f);
    policy(f, p);
    (void)fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"referrer\" content=\"no-referrer\">\n"
                "<meta name=\"generator\" content=\"Exhibit " EXHIBIT_VERSION "\">\n"
                "<meta name=\"dcterms.created\" content=\"",
                f);
    html_plain(f, r->created);
    (void)fputs("\">\n<title>", f);
    html_plain(f, exhibit ? exhibit : r->name);
    (void)fputs(" – forensic image report</title>\n<style>", f);
    (void)fputs(html_style, f);
    (void)fputs("</style></head>\n<body>\n", f);
}

char *
write_html(const struct report *r, const struct paper *p, size_t *n, struct err *err)
{
    char *text;
    FILE *f = writer_open(&text, n);

    if (!f)
        return writer_close(f, &text, err);
    head(f, r, p);
    heading(f, r, p);
    for (enum document i = 0; i < DOCUMENTS; i++) {
        if ((p->documents >> i & 1) == 0)
            continue;
        html_document(f, r, p, i);
        for (size_t k = 0; i == DOCUMENT_REPORT && k < sizeof parts / sizeof parts[0]; k++)
            parts[k](f, r);
        if (i == DOCUMENT_REPORT) {
            html_figures(f, r, p);
            footer(f, r);
        }
    }
    (void)fputs("</body></html>\n", f);
    return writer_close(f, &text, err);
}
