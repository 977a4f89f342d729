#include "report/layout.h"

#include <inttypes.h>

/* Each partition is compared with so many that follow it: a table made to mislead can have
   thousands. */
#define NEIGHBOURS 256

/* Overlaps that are named. */
#define OVERLAPS_MAX 200

/* BSD labels have a slice over the whole disk on purpose; its type says that it is not used. Those
   of Sun are rows that libtsk marks as meta and thus are no volumes. */
static bool
is_unused(const struct volume *v)
{
    const char *code = v->partition ? v->partition->type_code : NULL;

    return code && strcmp(code, "0x00") == 0;
}

static void
check_overlaps(struct report *r)
{
    size_t before = r->n_findings;

    for (size_t i = 0; i < r->n_volumes; i++) {
        const struct volume *a = &r->volumes[i];

        if (is_unused(a))
            continue;
        for (size_t k = i + 1; k < r->n_volumes && k < i + NEIGHBOURS; k++) {
            if (r->n_findings - before > OVERLAPS_MAX) {
                report_finding(r, "overlap", "partition table",
                               "there are more overlaps than are named here");
                return;
            }

            const struct volume *b = &r->volumes[k];
            uint64_t from = a->start > b->start ? a->start : b->start;
            uint64_t a_end = a->start + a->length;
            uint64_t b_end = b->start + b->length;
            uint64_t to = a_end < b_end ? a_end : b_end;

            if (!is_unused(b) && from < to)
                report_finding(r, "overlap", b->name, "it overlaps %s by %" PRIu64 " bytes",
                               a->name, to - from);
        }
    }
}

static void
check_end(struct report *r, const struct volume *v)
{
    if (v->length == 0)
        report_finding(r, "empty", v->name, "it has no sectors");
    else if (v->start >= r->media_size)
        report_finding(r, "past-end", v->name,
                       "it starts %" PRIu64 " bytes past the end of the media",
                       v->start - r->media_size);
    else if (v->present < v->length)
        report_finding(r, "past-end", v->name,
                       "it ends %" PRIu64 " bytes past the end of the media",
                       v->length - v->present);
}

void
layout_check(struct report *r)
{
    if (!r->table.found)
        return;
    for (size_t i = 0; i < r->n_volumes; i++)
        check_end(r, &r->volumes[i]);
    check_overlaps(r);
}
