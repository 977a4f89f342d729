/*
 * NAME.report.txt: the same facts for a terminal or a case file. What was found on the disk is
 * drawn from the report's JSON document, so that the text has all that it has.
 */
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "report/custody.h"
#include "report/fields.h"
#include "report/text_page.h"
#include "report/writer.h"

#define RANGE_ROWS 20000

struct page {
    FILE *f;
    const struct report *r;
    struct form form;
    const json_t *document;
    char *line; /* the paragraph that is being put together */
};

/* --- the facts of the record --- */

static void
fact_row(void *arg, const char *key, const char *label, const json_t *v)
{
    text_value(arg, 0, key, label, v);
}

static void
section(const struct page *p, const struct fields_section *s)
{
    text_heading(p->f, s->title, '-');
    if (!fields_each(p->r->facts, s, fact_row, p->f))
        (void)fputs("Nothing is recorded.\n", p->f);
}

static void
whole_value(const struct page *p, const char *title, const json_t *v)
{
    const char *key;
    json_t *item;

    text_heading(p->f, title, '-');
    if (json_is_array(v) && json_array_size(v) == 0)
        (void)fputs("None.\n", p->f);
    else if (!json_is_object(v) && !json_is_array(v))
        (void)fputs("Nothing is recorded.\n", p->f);
    if (json_is_array(v))
        text_value(p->f, 0, "", "No.", v);
    json_object_foreach((json_t *)v, key, item)
    {
        char buf[FIELDS_LABEL_MAX];

        if (!fields_is_hidden(key))
            text_value(p->f, 0, key, fields_label(key, buf), item);
    }
}

static void
ranges(const struct page *p)
{
    const struct ranges *set = &p->r->unreadable;
    char a[32];
    char b[32];
    char c[32];

    text_heading(p->f, "Unreadable ranges", '-');
    if (set->n == 0) {
        (void)fputs("None is recorded.\n", p->f);
        return;
    }
    (void)fprintf(p->f,
                  "The source did not return %s bytes in %zu ranges. In the image zeros stand in\n"
                  "their place.\n\n%6s %20s %18s %14s\n",
                  text_number(ranges_total(set), a), set->n, "#", "first byte", "first sector",
                  "bytes");
    for (size_t i = 0; i < set->n && i < RANGE_ROWS; i++)
        (void)fprintf(p->f, "%6zu %20s %18s %14s\n", i + 1, text_number(set->v[i].offset, a),
                      text_number(set->v[i].offset / p->r->sector_size, b),
                      text_number(set->v[i].length, c));
    if (set->n > RANGE_ROWS)
        (void)fprintf(p->f, "and %zu more, in the JSON report\n", set->n - RANGE_ROWS);
}

/* Those of exhibit-verify(1), as the record keeps them. */
static void
checks(const struct page *p)
{
    static const char *const names[] = {"target", "status", "detail"};
    const json_t *list =
        json_object_get(json_object_get(p->r->facts, fields_verification.key), "checks");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *check = json_array_get(list, i);
        const char *name = json_text_or_null(check, "name");

        text_row(p->f, 0, "Check", name ? name : "");
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            char buf[FIELDS_LABEL_MAX];

            text_value(p->f, 2, names[k], fields_label(names[k], buf),
                       json_object_get(check, names[k]));
        }
    }
}

/* --- the disk --- */

static void
partition_details(const struct page *p, const json_t *v)
{
    static const char *const shown[] = {"index", "slot",  "start",     "length", "type",
                                        "name",  "state", "allocated", NULL};
    const char *key;
    json_t *item;

    json_object_foreach((json_t *)v, key, item)
    {
        char buf[FIELDS_LABEL_MAX];
        bool skip = fields_is_missing(item) || fields_is_hidden(key);

        for (const char *const *s = shown; *s; s++)
            skip = skip || strcmp(*s, key) == 0;
        if (strcmp(key, "description") == 0)
            skip = json_equal(item, json_object_get(v, "type")) ||
                   json_equal(item, json_object_get(v, "label"));
        if (!skip)
            text_value(p->f, 22, key, fields_label(key, buf), item);
    }
}

static void
partitions(const struct page *p)
{
    const json_t *list = json_object_get(p->document, "partitions");
    size_t n = json_array_size(list);

    whole_value(p, "Partition table", json_object_get(p->document, "partition_table"));
    if (n == 0)
        return;
    (void)fprintf(p->f, "\n%5s %-10s %15s %15s  %s\n", "", "slot", "start", "length", "type");
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        const char *slot = json_text_or_null(v, "slot");
        const char *type = json_text_or_null(v, "type");
        AUTO_FREE char *printable = text_printable(type ? type : "");
        AUTO_FREE char *slot_text = text_printable(slot ? slot : "");
        char start[32];
        char length[32];

        (void)fprintf(
            p->f, "%4" JSON_INTEGER_FORMAT ": %-10s %15s %15s  %s\n",
            json_integer_value(json_object_get(v, "index")), slot_text,
            text_number((uint64_t)json_integer_value(json_object_get(v, "start")), start),
            text_number((uint64_t)json_integer_value(json_object_get(v, "length")), length),
            printable);
        partition_details(p, v);
    }
}

static void
volumes(const struct page *p)
{
    const json_t *list = json_object_get(p->document, "volumes");
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        const char *name = json_text_or_null(v, "name");
        AUTO_FREE char *title = xasprintf("Volume: %s", name ? name : "?");

        json_t *named = fields_of_volume(v);

        whole_value(p, title, named);
        json_decref(named);
    }
}

static void
findings(const struct page *p)
{
    text_heading(p->f, "Findings", '-');
    if (p->r->n_findings == 0)
        (void)fputs("Nothing hostile or unparsable was met.\n", p->f);
    for (size_t i = 0; i < p->r->n_findings; i++) {
        const struct finding *x = &p->r->findings[i];
        AUTO_FREE char *line =
            xasprintf("%s: %s (%s)", x->subject ? x->subject : "image", x->text, x->code);

        (void)fputs("- ", p->f);
        text_wrap(p->f, 2, 2, line);
    }
    for (size_t i = 0; i < p->r->n_notes; i++) {
        (void)fputs("note: ", p->f);
        text_wrap(p->f, 6, 6, p->r->notes[i]);
    }
}

static void
deviations(const struct page *p)
{
    size_t n = json_array_size(p->r->deviations);

    text_heading(p->f, "Deviations", '-');
    if (n == 0)
        (void)fputs(p->r->manifest_path ? "The record names none.\n" : "Nothing is recorded.\n",
                    p->f);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_text_or_null(json_array_get(p->r->deviations, i), "text");

        (void)fputs("- ", p->f);
        text_wrap(p->f, 2, 2, text ? text : "");
    }
}

static void
facts(const struct page *p)
{
    const json_t *media = json_object_get(p->r->facts, "media");

    findings(p);
    deviations(p);
    section(p, &fields_case);
    section(p, &fields_source);
    section(p, &fields_write_block);
    section(p, &fields_acquisition);
    whole_value(p, "Hashes", media);
    section(p, &fields_verification);
    checks(p);
    section(p, &fields_proof);
    section(p, &fields_image);
    whole_value(p, "Segments", json_object_get(json_object_get(p->r->facts, "image"), "segments"));
    ranges(p);
    partitions(p);
    volumes(p);
    whole_value(p, "Slack, all volumes", json_object_get(p->document, "slack"));
}

/* --- the documents --- */

static void
take(void *arg, const char *s)
{
    struct page *p = arg;
    char *longer = xasprintf("%s%s", p->line, s);

    free(p->line);
    p->line = longer;
}

static void
begin(void *arg, enum template_part part)
{
    struct page *p = arg;

    (void)part;
    free(p->line);
    p->line = xstrdup("");
}

static void
end(void *arg, enum template_part part)
{
    struct page *p = arg;

    if (part == TEMPLATE_TITLE || part == TEMPLATE_HEADING) {
        text_heading(p->f, p->line, part == TEMPLATE_TITLE ? '=' : '-');
        return;
    }
    (void)fputs(part == TEMPLATE_ITEM ? "- " : "\n", p->f);
    text_wrap(p->f, part == TEMPLATE_ITEM ? 2 : 0, part == TEMPLATE_ITEM ? 2 : 0, p->line);
}

static void
sign(void *arg, const char *label)
{
    (void)fprintf(((struct page *)arg)->f, "\n\n%.60s\n%s\n",
                  "____________________________________________________________", label);
}

static void
exhibit_table(const struct page *p)
{
    (void)fputc('\n', p->f);
    for (size_t i = 0; i < form_exhibit_rows_n; i++) {
        const char *name = form_exhibit_rows[i].value;
        AUTO_FREE char *v = form_value(&p->form, name, strlen(name));

        text_row(p->f, 0, form_exhibit_rows[i].label, v);
    }
}

static void
hashes_table(const struct page *p)
{
    const json_t *hashes = json_object_get(json_object_get(p->r->facts, "media"), "hashes");
    const char *key;
    json_t *v;

    (void)fputc('\n', p->f);
    json_object_foreach((json_t *)hashes, key, v)
    {
        char buf[FIELDS_LABEL_MAX];

        text_value(p->f, 0, key, fields_label(key, buf), v);
        text_row(p->f, 0, "on reading back", form_comparison(&p->form));
    }
    if (json_object_size(hashes) == 0)
        (void)fputs("No acquisition hash is recorded.\n", p->f);
}

static void
pen_row(const struct page *p, const char *label, const json_t *v)
{
    if (fields_is_missing(v))
        text_row(p->f, 3, label, "__________________________________________________");
    else
        text_value(p->f, 3, "", label, v);
}

static void
transfer(const struct page *p, const struct custody_event *e)
{
    AUTO_FREE char *user = custody_user(e);

    pen_row(p, "Date and time", e->when);
    if (custody_is_transfer(e) || !e->action) {
        pen_row(p, "Released by", e->from);
        pen_row(p, "  signature", NULL);
        pen_row(p, "Received by", e->to);
        pen_row(p, "  signature", NULL);
        pen_row(p, "Where", e->place);
    }
    if (e->action)
        pen_row(p, "What", e->action);
    if (e->reason || custody_is_transfer(e) || !e->action)
        pen_row(p, "Why", e->reason);
    if (user)
        text_row(p->f, 3, "Entered by", user);
}

static void
transfers_table(const struct page *p)
{
    size_t n = json_array_size(p->r->custody);
    size_t shown = n < FORM_EVENT_ROWS ? n : FORM_EVENT_ROWS;
    size_t empty = p->r->custody ? FORM_EMPTY_ROWS_AFTER_LEDGER : FORM_EMPTY_ROWS;

    for (size_t i = 0; i < shown + empty; i++) {
        struct custody_event e = {0};

        if (i < shown)
            custody_event_of(json_array_get(p->r->custody, i), &e);
        (void)fprintf(p->f, "\n%zu.\n", i < shown ? i + 1 : n + 1 + i - shown);
        transfer(p, &e);
    }
    if (n > shown)
        (void)fprintf(p->f, "\nentries %zu to %zu of the ledger stand in the JSON report\n",
                      shown + 1, n);
}

static void
table(void *arg, enum form_table which)
{
    static void (*const tables[FORM_TABLES])(const struct page *) = {
        [FORM_EXHIBIT] = exhibit_table,
        [FORM_HASHES] = hashes_table,
        [FORM_TRANSFERS] = transfers_table,
    };

    tables[which](arg);
}

static void
document(struct page *p, const struct stationery *s, enum document which)
{
    static const struct template_sink sink = {begin, take, take, end, table, sign};

    if (!s)
        return;
    if (which != DOCUMENT_REPORT)
        (void)fputs("\n\n", p->f);
    template_run(s->templates[which], &p->form, &sink, p);
}

static void
letterhead(const struct page *p, const struct stationery *s)
{
    if (s && s->laboratory)
        text_wrap(p->f, 0, 0, s->laboratory);
    if (s && s->address)
        text_wrap(p->f, 0, 0, s->address);
    if (s && (s->laboratory || s->address))
        (void)fputc('\n', p->f);
    text_value(p->f, 0, "", "Exhibit",
               json_object_get(json_object_get(p->r->facts, "case"), "evidence_number"));
    text_value(p->f, 0, "", "Case",
               json_object_get(json_object_get(p->r->facts, "case"), "case_number"));
    text_row(p->f, 0, "Image", p->r->name);
    text_row(p->f, 0, "Report of", p->r->created);
}

char *
write_text(const struct report *r, const struct paper *paper, size_t *n, struct err *err)
{
    char *text;
    FILE *f = writer_open(&text, n);
    json_t *json = report_json(r, paper);
    struct page p = {.f = f, .r = r, .form = {r, paper->stationery}, .document = json};

    if (f) {
        letterhead(&p, paper->stationery);
        for (enum document i = 0; i < DOCUMENTS; i++) {
            if ((paper->documents >> i & 1) == 0)
                continue;
            document(&p, paper->stationery, i);
            if (i == DOCUMENT_REPORT)
                facts(&p);
        }
        (void)fputs("\n\nMade by Exhibit " EXHIBIT_VERSION " from ", f);
        text_wrap(f, 30, 0, r->manifest_path ? r->manifest_path : r->image_path);
    }
    free(p.line);
    json_decref(json);
    return writer_close(f, &text, err);
}
