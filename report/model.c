#include "report/model.h"

#include <stdarg.h>

#include "common/text.h"

/* Past this many, further findings are only counted in the last one: a hostile disk must not be
   able to fill memory with them. */
#define FINDINGS_MAX 1000

__attribute__((format(printf, 1, 0))) static char *
format(const char *fmt, va_list ap)
{
    char *s;

    return vasprintf(&s, fmt, ap) < 0 ? xstrdup("out of memory") : s;
}

void
report_finding(struct report *r, const char *code, const char *subject, const char *fmt, ...)
{
    struct finding *f;
    va_list ap;

    if (r->n_findings > FINDINGS_MAX)
        return;
    r->findings = xrealloc(r->findings, r->n_findings + 1, sizeof *r->findings);
    f = &r->findings[r->n_findings++];
    if (r->n_findings > FINDINGS_MAX) {
        *f = (struct finding){xstrdup("too-many"), NULL, xstrdup("there are more findings")};
        return;
    }
    va_start(ap, fmt);
    *f = (struct finding){xstrdup(code), subject ? xstrdup(subject) : NULL, format(fmt, ap)};
    va_end(ap);
}

void
report_note(struct report *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    r->notes = xrealloc(r->notes, r->n_notes + 1, sizeof *r->notes);
    r->notes[r->n_notes++] = format(fmt, ap);
    va_end(ap);
}

void
report_file_slack(const struct file_slack *f, struct tally *out)
{
    *out = f->kinds[SLACK_SECTOR];
    tally_sum(out, &f->kinds[SLACK_DRIVE]);
    out->areas = f->streams;
}

void
report_totals(const struct report *r, struct totals *out)
{
    *out = (struct totals){0};
    for (size_t i = 0; i < r->n_volumes; i++) {
        const struct volume *v = &r->volumes[i];

        tally_sum(&out->volume_slack, &v->volume_slack);
        slack_sum(&out->slack, &v->slack);
        out->unallocated.blocks += v->unallocated.blocks;
        out->unallocated.bytes += v->unallocated.bytes;
        tally_sum(&out->unallocated.content, &v->unallocated.content);
    }
    for (size_t i = 0; i < r->table.n_parts; i++)
        tally_sum(&out->gaps, &r->table.parts[i].gap);
}

void
partition_clear(struct partition *p)
{
    free(p->slot);
    free(p->description);
    free(p->type_guid);
    free(p->type_name);
    free(p->guid);
    free(p->type_code);
    free(p->label);
    free(p->flags);
}

static void
table_free(struct table *t)
{
    for (size_t i = 0; i < t->n_parts; i++)
        partition_clear(&t->parts[i]);
    for (size_t i = 0; i < GPT_COPIES; i++)
        free(t->gpt[i].disk_guid);
    free(t->parts);
    free(t->type);
    free(t->description);
}

void
file_system_free(struct file_system *fs)
{
    if (!fs)
        return;
    for (size_t i = 0; i < fs->n_times; i++) {
        free(fs->times[i].name);
        free(fs->times[i].time);
    }
    free(fs->times);
    free(fs->type);
    free(fs->label);
    free(fs->id);
    free(fs->version);
    free(fs->state_text);
    free(fs->mounted_on);
    free(fs);
}

static void
volume_free(struct volume *v)
{
    for (size_t i = 0; i < v->n_top; i++) {
        free(v->top[i].path);
        free(v->top[i].stream);
    }
    free(v->top);
    free(v->name);
    free(v->content);
    free(v->content_detail);
    file_system_free(v->fs);
}

void
report_free(struct report *r)
{
    if (!r)
        return;
    table_free(&r->table);
    for (size_t i = 0; i < r->n_volumes; i++)
        volume_free(&r->volumes[i]);
    for (size_t i = 0; i < r->n_findings; i++) {
        free(r->findings[i].code);
        free(r->findings[i].subject);
        free(r->findings[i].text);
    }
    for (size_t i = 0; i < r->n_notes; i++)
        free(r->notes[i]);
    free(r->volumes);
    free(r->findings);
    free(r->notes);
    free(r->sandbox.missing);
    free(r->name);
    free(r->image_path);
    free(r->manifest_path);
    free(r->created);
    ranges_free(&r->unreadable);
    json_decref(r->facts);
    json_decref(r->custody);
    json_decref(r->deviations);
    free(r);
}
