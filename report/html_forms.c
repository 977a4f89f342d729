/*
 * The documents whose text is a template: the opening of the report, the chain-of-custody form, the
 * certification; and the laboratory's letterhead.
 */
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "report/custody.h"
#include "report/html.h"

struct sheet {
    FILE *f;
    const struct report *r;
    struct form form;
    bool list; /* one is open */
};

static const char *const part_names[] = {[TEMPLATE_TITLE] = "h2",
                                         [TEMPLATE_HEADING] = "h3",
                                         [TEMPLATE_PARAGRAPH] = "p",
                                         [TEMPLATE_ITEM] = "li"};

static void
keep_list(struct sheet *s, bool wanted)
{
    if (s->list != wanted)
        (void)fputs(wanted ? "<ul>\n" : "</ul>\n", s->f);
    s->list = wanted;
}

static void
begin(void *arg, enum template_part part)
{
    struct sheet *s = arg;

    keep_list(s, part == TEMPLATE_ITEM);
    (void)fprintf(s->f, "<%s%s>", part_names[part],
                  part == TEMPLATE_TITLE ? " class=\"title\"" : "");
}

static void
text(void *arg, const char *t)
{
    html_plain(((struct sheet *)arg)->f, t);
}

static void
value(void *arg, const char *t)
{
    html_text(((struct sheet *)arg)->f, t);
}

static void
end(void *arg, enum template_part part)
{
    (void)fprintf(((struct sheet *)arg)->f, "</%s>\n", part_names[part]);
}

static void
sign(void *arg, const char *label)
{
    struct sheet *s = arg;

    keep_list(s, false);
    (void)fputs("<div class=\"sign\"><span>", s->f);
    html_plain(s->f, label);
    (void)fputs("</span></div>\n", s->f);
}

/* A row whose value is asked for as a template would. */
static void
value_row(struct sheet *s, const char *name, const char *label)
{
    AUTO_FREE char *v = form_value(&s->form, name, strlen(name));

    html_fact(s->f, label, v);
}

static void
exhibit_table(struct sheet *s)
{
    (void)fputs("<table class=\"facts\">\n", s->f);
    for (size_t i = 0; i < form_exhibit_rows_n; i++)
        value_row(s, form_exhibit_rows[i].value, form_exhibit_rows[i].label);
    (void)fputs("</table>\n", s->f);
}

static void
hashes_table(struct sheet *s)
{
    const json_t *hashes = json_object_get(json_object_get(s->r->facts, "media"), "hashes");
    const char *key;
    json_t *v;

    (void)fputs("<table class=\"grid\"><thead><tr><th>Algorithm</th><th>Acquisition hash</th>"
                "<th>On reading back</th></tr></thead><tbody>\n",
                s->f);
    json_object_foreach((json_t *)hashes, key, v)
    {
        char buf[FIELDS_LABEL_MAX];

        (void)fputs("<tr><td>", s->f);
        html_text(s->f, fields_label(key, buf));
        (void)fputs("</td><td class=\"hash\">", s->f);
        html_value(s->f, key, v);
        (void)fprintf(s->f, "</td><td>%s</td></tr>\n", form_comparison(&s->form));
    }
    if (json_object_size(hashes) == 0)
        (void)fputs("<tr><td colspan=\"3\">none is recorded</td></tr>\n", s->f);
    (void)fputs("</tbody></table>\n", s->f);
}

static void
cell(FILE *f, const char *key, const json_t *v)
{
    if (!fields_is_missing(v))
        html_value(f, key, v);
}

/* One hand-over: who, and the line for the pen. */
static void
party_cell(FILE *f, const json_t *v)
{
    (void)fputs("<td class=\"w pen\">", f);
    cell(f, "name", v);
    (void)fputs("<div class=\"line\"></div></td>", f);
}

/* What an entry without parties says: something was done with the item. */
static void
event_cell(FILE *f, const struct custody_event *e)
{
    (void)fputs("<td class=\"w\" colspan=\"2\"><b>", f);
    cell(f, "action", e->action);
    (void)fputs("</b></td>", f);
}

static void
why_cell(FILE *f, const struct custody_event *e)
{
    AUTO_FREE char *user = custody_user(e);

    (void)fputs("<td class=\"w\">", f);
    if (custody_is_transfer(e) && !fields_is_missing(e->action)) {
        (void)fputs("<b>", f);
        cell(f, "action", e->action);
        (void)fputs("</b> ", f);
    }
    cell(f, "reason", e->reason);
    if (user) {
        (void)fputs("<br><small>entered by ", f);
        html_text(f, user);
        (void)fputs("</small>", f);
    }
    (void)fputs("</td>", f);
}

static void
transfer_row(FILE *f, size_t number, const struct custody_event *e)
{
    bool event = !custody_is_transfer(e) && e->action;

    (void)fprintf(f, "<tr%s><td class=\"n\">%zu</td><td class=\"w\">",
                  event ? " class=\"event\"" : "", number);
    cell(f, "time", e->when);
    (void)fputs("</td>", f);
    if (event) {
        event_cell(f, e);
    } else {
        party_cell(f, e->from);
        party_cell(f, e->to);
    }
    (void)fputs("<td class=\"w\">", f);
    cell(f, "place", e->place);
    (void)fputs("</td>", f);
    why_cell(f, e);
    (void)fputs("</tr>\n", f);
}

static void
transfers_table(struct sheet *s)
{
    size_t n = json_array_size(s->r->custody);
    size_t shown = n < FORM_EVENT_ROWS ? n : FORM_EVENT_ROWS;
    size_t empty = s->r->custody ? FORM_EMPTY_ROWS_AFTER_LEDGER : FORM_EMPTY_ROWS;

    (void)fputs("<table class=\"grid transfers\"><thead><tr><th class=\"n\">#</th><th>Date and time"
                "</th><th>Released by<br>(name, signature)</th><th>Received by<br>(name, "
                "signature)</th><th>Where</th><th>Why</th></tr></thead><tbody>\n",
                s->f);
    for (size_t i = 0; i < shown; i++) {
        struct custody_event e;

        custody_event_of(json_array_get(s->r->custody, i), &e);
        transfer_row(s->f, i + 1, &e);
    }
    for (size_t i = 0; i < empty; i++)
        transfer_row(s->f, n + i + 1, &(struct custody_event){0});
    (void)fputs("</tbody></table>\n", s->f);
    if (n > shown)
        (void)fprintf(s->f,
                      "<p class=\"more\">entries %zu to %zu of the ledger stand in the JSON "
                      "report</p>\n",
                      shown + 1, n);
}

static void
table(void *arg, enum form_table which)
{
    static void (*const tables[FORM_TABLES])(struct sheet *) = {
        [FORM_EXHIBIT] = exhibit_table,
        [FORM_HASHES] = hashes_table,
        [FORM_TRANSFERS] = transfers_table,
    };

    keep_list(arg, false);
    tables[which](arg);
}

void
html_document(FILE *f, const struct report *r, const struct paper *p, enum document which)
{
    static const struct template_sink sink = {begin, text, value, end, table, sign};
    struct sheet s = {.f = f, .r = r, .form = {r, p->stationery}};

    if (!p->stationery)
        return;
    (void)fprintf(f, "<section class=\"%s\" id=\"%s\">\n",
                  which == DOCUMENT_REPORT ? "opening" : "document", document_names[which]);
    template_run(p->stationery->templates[which], &s.form, &sink, &s);
    keep_list(&s, false);
    (void)fputs("</section>\n", f);
}

void
html_letterhead(FILE *f, const struct paper *p)
{
    const struct stationery *s = p->stationery;

    if (!s || (!s->laboratory && !s->address && !s->logo))
        return;
    (void)fputs("<div class=\"letterhead\">", f);
    if (s->logo) /* base64 and a constant type: nothing to escape */
        (void)fprintf(f, "<img class=\"logo\" alt=\"\" src=\"%s\">", s->logo);
    (void)fputs("<div>", f);
    if (s->laboratory) {
        (void)fputs("<b>", f);
        html_text(f, s->laboratory);
        (void)fputs("</b>", f);
    }
    if (s->address) {
        (void)fputs("<address>", f);
        html_text(f, s->address);
        (void)fputs("</address>", f);
    }
    (void)fputs("</div></div>\n", f);
}
