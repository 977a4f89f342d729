/*
 * The page's slack tables: totals, then each volume. Definitions: docs/slack.md.
 */
#include <inttypes.h>

#include "report/html.h"

#define VOLUMES_MAX 64

static void
head(FILE *f)
{
    (void)fputs("<table class=\"grid slack\"><thead><tr><th>Area</th><th class=\"n\">Bytes</th><th "
                "class=\"n\">Share</th><th class=\"n\">Not zero</th><th "
                "class=\"n\">Examined</th><th class=\"n\">Entropy</th></tr></thead><tbody>\n",
                f);
}

static void
row(FILE *f, const char *class, const char *name, const struct tally *t, uint64_t whole)
{
    uint64_t examined = tally_examined(t);

    (void)fprintf(f, "<tr class=\"%s\"><td>%s</td><td class=\"n\">", class, name);
    html_number(f, t->bytes);
    (void)fputs("</td><td class=\"n\">", f);
    html_share(f, t->bytes, whole);
    (void)fputs("</td><td class=\"n\">", f);
    if (examined > 0)
        html_number(f, tally_nonzero(t));
    else
        (void)fputs("–", f);
    (void)fputs("</td><td class=\"n\">", f);
    if (examined == 0 && t->bytes > 0)
        (void)fputs("no", f);
    else if (examined < t->bytes)
        html_number(f, examined);
    else
        (void)fputs(t->bytes > 0 ? "all" : "–", f);
    (void)fputs("</td><td class=\"n\">", f);
    if (examined > 0)
        (void)fprintf(f, "%.2f", tally_entropy(t));
    else
        (void)fputs("–", f);
    (void)fputs("</td></tr>\n", f);
}

static void
group(FILE *f, const char *title)
{
    (void)fprintf(f, "<tr class=\"group\"><th colspan=\"6\" scope=\"colgroup\">%s</th></tr>\n",
                  title);
}

static void
rows(FILE *f, const struct slack *s, const struct tally *volume, const struct unallocated *u,
     const struct tally *gaps, uint64_t whole)
{
    static const char *const titles[] = {"File slack, allocated files",
                                         "File slack, deleted files"};
    static const char *const beyond[] = {"Blocks allocated past the end, allocated files",
                                         "Blocks allocated past the end, deleted files"};
    static const char *const uninit[] = {"Uninitialised ends of allocated files",
                                         "Uninitialised ends of deleted files"};

    group(f, "Slack");
    row(f, "sum", "Volume slack", volume, whole);
    for (size_t i = 0; i < FILE_STATES; i++) {
        struct tally file;

        report_file_slack(&s->of[i], &file);
        row(f, "sum", titles[i], &file, whole);
        if (file.bytes == 0)
            continue;
        row(f, "sub", "sector slack", &s->of[i].kinds[SLACK_SECTOR], whole);
        row(f, "sub", "drive slack", &s->of[i].kinds[SLACK_DRIVE], whole);
    }
    if (s->of[FILE_ALLOCATED].kinds[SLACK_MFT].areas + s->of[FILE_DELETED].kinds[SLACK_MFT].areas) {
        row(f, "sum", "MFT-entry slack, in use", &s->of[FILE_ALLOCATED].kinds[SLACK_MFT], whole);
        row(f, "sum", "MFT-entry slack, deleted", &s->of[FILE_DELETED].kinds[SLACK_MFT], whole);
    }
    group(f, "Beside it, not slack");
    if (gaps)
        row(f, "sum", "Gaps between partitions", gaps, whole);
    for (size_t i = 0; i < FILE_STATES; i++) {
        if (s->of[i].kinds[SLACK_BEYOND].areas > 0)
            row(f, "sum", beyond[i], &s->of[i].kinds[SLACK_BEYOND], whole);
        if (s->of[i].kinds[SLACK_UNINIT].areas > 0)
            row(f, "sum", uninit[i], &s->of[i].kinds[SLACK_UNINIT], whole);
    }
    if (u)
        row(f, "sum", "Unallocated blocks", &u->content, whole);
}

static void
counts(FILE *f, const struct slack *s)
{
    for (size_t i = 0; i < FILE_STATES; i++) {
        const struct file_slack *x = &s->of[i];

        (void)fprintf(f, "%s%s: ", i > 0 ? " " : "", i == 0 ? "Allocated" : "Deleted");
        html_number(f, x->files);
        (void)fputs(" entries, ", f);
        html_number(f, x->streams);
        (void)fputs(" streams measured, ", f);
        html_number(f, x->resident);
        (void)fputs(" resident", f);
        const struct {
            uint64_t n;
            const char *what;
        } left[] = {
            {x->compressed, "compressed (left out)"},
            {x->shared, "sharing their last block (counted once)"},
            {x->reused, "whose last block is in use again (left out)"},
            {x->unreadable, "that could not be read"},
        };

        for (size_t k = 0; k < sizeof left / sizeof left[0]; k++) {
            if (left[k].n == 0)
                continue;
            (void)fputs(", ", f);
            html_number(f, left[k].n);
            (void)fprintf(f, " %s", left[k].what);
        }
        (void)fputs(".", f);
    }
    if (s->deleted_by_name)
        (void)fputs(" Deleted files of FAT volumes are those whose names are still in a directory.",
                    f);
    if (s->incomplete)
        (void)fputs(" <strong>The metadata could not be read to the end; the figures are what was "
                    "found until then.</strong>",
                    f);
}

static void
top_files(FILE *f, const struct volume *v)
{
    if (v->n_top == 0)
        return;
    (void)fputs("<table class=\"grid\"><thead><tr><th>Most slack that is not zero</th><th>State"
                "</th><th class=\"n\">Entry</th><th class=\"n\">Size</th><th class=\"n\">Slack</th>"
                "<th class=\"n\">Not zero</th></tr></thead><tbody>\n",
                f);
    for (size_t i = 0; i < v->n_top; i++) {
        const struct slack_file *x = &v->top[i];
        const uint64_t numbers[] = {x->inode, x->size, x->slack, x->nonzero};

        (void)fputs("<tr><td class=\"w\">", f);
        html_text(f, x->path ? x->path : "(no name leads to it)");
        if (x->stream) {
            (void)fputs(" <small>", f);
            html_text(f, x->stream);
            (void)fputs("</small>", f);
        }
        (void)fprintf(f, "</td><td>%s</td>", file_state_names[x->state]);
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            (void)fputs("<td class=\"n\">", f);
            html_number(f, numbers[k]);
            (void)fputs("</td>", f);
        }
        (void)fputs("</tr>\n", f);
    }
    (void)fputs("</tbody></table>\n", f);
}

static void
volume_slack(FILE *f, const struct volume *v)
{
    if (!v->has_slack && !v->has_volume_slack)
        return;
    (void)fputs("<h3>", f);
    html_plain(f, v->name);
    if (v->fs) {
        (void)fputs(", ", f);
        html_plain(f, v->fs->type);
    }
    (void)fputs("</h3>\n", f);
    head(f);
    rows(f, &v->slack, &v->volume_slack, v->has_unallocated ? &v->unallocated : NULL, NULL,
         v->present);
    (void)fputs("</tbody></table>\n<p class=\"remark\">", f);
    counts(f, &v->slack);
    if (v->has_unallocated && tally_examined(&v->unallocated.content) < v->unallocated.bytes)
        (void)fputs(" Of the unallocated blocks, pieces spread evenly over all of them were "
                    "examined.",
                    f);
    (void)fputs("</p>\n", f);
    top_files(f, v);
}

void
html_slack(FILE *f, const struct report *r)
{
    struct totals totals;
    size_t shown = 0;
    size_t with = 0;

    report_totals(r, &totals);
    for (size_t i = 0; i < r->n_volumes; i++)
        with += r->volumes[i].has_slack || r->volumes[i].has_volume_slack ? 1 : 0;
    (void)fputs("<section id=\"slack\"><h2>Slack space</h2>\n", f);
    if (with == 0 && !r->table.found) {
        (void)fputs("<p class=\"none\">No file system was recognised, so there is no slack to "
                    "count.</p></section>\n",
                    f);
        return;
    }
    (void)fputs("<p>Sector slack is what lies between the end of a file and the end of that "
                "sector; drive slack, from there to the end of its block or cluster; volume slack, "
                "from the end of a file system to the end of its volume. Each block is counted "
                "once. Entropy is in bits a byte.</p>\n",
                f);
    html_slack_bars(f, r);
    if (with != 1 || r->table.found) {
        (void)fputs("<h3>All volumes</h3>\n", f);
        head(f);
        rows(f, &totals.slack, &totals.volume_slack, &totals.unallocated,
             r->table.found ? &totals.gaps : NULL, r->media_size);
        (void)fputs("</tbody></table>\n", f);
    }
    for (size_t i = 0; i < r->n_volumes && shown < VOLUMES_MAX; i++) {
        if (r->volumes[i].has_slack || r->volumes[i].has_volume_slack) {
            volume_slack(f, &r->volumes[i]);
            shown++;
        }
    }
    if (with > shown)
        (void)fprintf(f, "<p class=\"more\">and %zu more volumes, in the JSON report</p>\n",
                      with - shown);
    (void)fputs("</section>\n", f);
}
