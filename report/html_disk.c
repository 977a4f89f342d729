/*
 * The page's view of the disk: the drawing to scale, the partition table, the volumes.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"
#include "report/html.h"

/* The drawing's own units. */
#define WIDTH 1000.0
#define BAR_TOP 8.0
#define BAR_HEIGHT 74.0
#define BAD_TOP 88.0
#define BAD_HEIGHT 12.0
#define AXIS_HEIGHT 24.0

/* Rectangles drawn and things named at most; nothing finer could be seen or read. */
#define MARKS_MAX 2000
#define NAMED_MAX 24
#define PARTITION_ROWS 300

/* Where the drawing proper ends: the rail of unreadable ranges is there only if there are some. */
static double
bottom(const struct report *r)
{
    return r->unreadable.n > 0 ? BAD_TOP + BAD_HEIGHT : BAR_TOP + BAR_HEIGHT;
}

static double
place(const struct report *r, uint64_t byte)
{
    if (byte > r->media_size)
        byte = r->media_size;
    return r->media_size > 0 ? (double)byte / (double)r->media_size * WIDTH : 0;
}

/* A rectangle for bytes from..to, never too narrow to be seen. */
static double
rect(FILE *f, const struct report *r, const char *class, uint64_t from, uint64_t to, double top,
     double height)
{
    double x = place(r, from);
    double w = place(r, to) - x;
    double shown = w < 1.5 ? 1.5 : w;

    if (x > WIDTH - shown)
        x = WIDTH - shown;
    (void)fprintf(f, "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"/>\n",
                  class, x, top, shown, height);
    return w;
}

static const char *
volume_type(const struct volume *v)
{
    if (v->fs)
        return v->fs->type;
    if (v->content)
        return v->content;
    return v->complete ? "no file system recognised" : "could not be parsed";
}

/* Cut so that it fits into `room` units at about `per` units a character. */
static void
fitted(FILE *f, double x, double y, double room, const char *class, const char *s)
{
    double per = strcmp(class, "pn") == 0 ? 11 : 8;
    size_t max = room > 0 ? (size_t)(room / per) : 0;
    size_t n = 0;
    size_t chars = 0;
    uint32_t cp;

    while (s[n] && chars < max) {
        size_t len = text_utf8_next(s + n, strlen(s + n), &cp);

        n += len > 0 ? len : 1;
        chars++;
    }
    if (chars < 3 && s[n])
        return;
    AUTO_FREE char *cut = xasprintf("%.*s%s", (int)n, s, s[n] ? "…" : "");

    (void)fprintf(f, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    html_plain(f, cut);
    (void)fputs("</text>\n", f);
}

static void
draw_volume(FILE *f, const struct report *r, const struct volume *v, bool odd)
{
    const char *class = !v->complete   ? "bad-volume"
                        : v->encrypted ? "encrypted"
                        : !v->fs       ? "no-fs"
                        : odd          ? "part odd"
                                       : "part";
    double w = rect(f, r, class, v->start, v->start + v->present, BAR_TOP, BAR_HEIGHT);
    double x = place(r, v->start);
    char number[32];
    char human[SIZE_TEXT_MAX];

    if (w < 16)
        return;
    if (v->partition) {
        (void)snprintf(number, sizeof number, "%" PRIu64, v->partition->index);
        fitted(f, x + 6, BAR_TOP + 24, w - 4, "pn", number);
    }
    if (w < 60)
        return;
    fitted(f, x + 6, BAR_TOP + 44, w - 8, "pt", volume_type(v));
    fitted(f, x + 6, BAR_TOP + 62, w - 8, "pt", size_human(v->length, human));
}

static void
describe(FILE *f, const struct report *r)
{
    char human[SIZE_TEXT_MAX];

    (void)fprintf(f, "<desc id=\"disk-desc\">%s of media. ", size_human(r->media_size, human));
    for (size_t i = 0; i < r->n_volumes && i < NAMED_MAX; i++) {
        const struct volume *v = &r->volumes[i];

        html_plain(f, v->name);
        (void)fprintf(f, ": from byte %" PRIu64 ", %s, ", v->start, size_human(v->length, human));
        html_plain(f, volume_type(v));
        (void)fputs(". ", f);
    }
    if (r->n_volumes > NAMED_MAX)
        (void)fprintf(f, "And %zu more volumes, in the table below. ", r->n_volumes - NAMED_MAX);
    (void)fprintf(f, "%zu unreadable ranges.</desc>\n", r->unreadable.n);
}

static void
draw_axis(FILE *f, const struct report *r)
{
    static const char *const anchors[] = {"start", "middle", "middle", "middle", "end"};
    char human[SIZE_TEXT_MAX];

    for (unsigned i = 0; i <= 4; i++) {
        double x = WIDTH / 4 * i;

        (void)fprintf(
            f, "<text class=\"axis\" x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x,
            bottom(r) + 19, anchors[i], i == 0 ? "0" : size_human(r->media_size / 4 * i, human));
    }
}

static void
draw_bad(FILE *f, const struct report *r)
{
    double last = -1;
    size_t drawn = 0;

    (void)fprintf(f, "<rect class=\"rail\" x=\"0\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\"/>\n",
                  BAD_TOP, WIDTH, BAD_HEIGHT);
    for (size_t i = 0; i < r->unreadable.n && drawn < MARKS_MAX; i++) {
        const struct range *x = &r->unreadable.v[i];
        double end = place(r, x->offset + x->length);

        if (end < last + 0.5) /* it would fall onto the mark before it */
            continue;
        (void)rect(f, r, "bad", x->offset, x->offset + x->length, BAD_TOP, BAD_HEIGHT);
        last = end;
        drawn++;
    }
}

static void
legend_item(FILE *f, const char *class, const char *text)
{
    (void)fprintf(f,
                  "<span><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\"><rect class=\"%s\" "
                  "x=\"0\" y=\"0\" width=\"14\" height=\"14\"/></svg> %s</span>\n",
                  class, text);
}

static void
legend(FILE *f, const struct report *r)
{
    bool fs = false;
    bool none = false;
    bool encrypted = false;
    bool bad = false;

    for (size_t i = 0; i < r->n_volumes; i++) {
        const struct volume *v = &r->volumes[i];

        bad = bad || !v->complete;
        encrypted = encrypted || (v->complete && v->encrypted);
        fs = fs || (v->complete && v->fs);
        none = none || (v->complete && !v->encrypted && !v->fs);
    }
    (void)fputs("<figcaption class=\"legend\">", f);
    if (fs)
        legend_item(f, "part", "file system");
    if (none)
        legend_item(f, "no-fs", "no file system recognised");
    if (encrypted)
        legend_item(f, "encrypted", "encrypted");
    if (bad)
        legend_item(f, "bad-volume", "could not be parsed to its end");
    if (r->table.found)
        legend_item(f, "gap", "in no partition");
    if (r->unreadable.n > 0)
        legend_item(f, "bad", "unreadable");
    (void)fputs("</figcaption>\n", f);
}

void
html_drawing(FILE *f, const struct report *r)
{
    (void)fprintf(f,
                  "<figure><svg class=\"disk\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
                  "aria-labelledby=\"disk-title disk-desc\">\n"
                  "<title id=\"disk-title\">The disk, drawn to scale</title>\n",
                  WIDTH, bottom(r) + AXIS_HEIGHT);
    describe(f, r);
    (void)fputs("<defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits="
                "\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"hatch-back\" "
                "width=\"7\" height=\"7\"/><rect class=\"hatch-line\" width=\"2\" height=\"7\"/>"
                "</pattern></defs>\n",
                f);
    (void)rect(f, r, "gap", 0, r->media_size, BAR_TOP, BAR_HEIGHT);
    for (size_t i = 0; i < r->n_volumes && i < MARKS_MAX; i++)
        draw_volume(f, r, &r->volumes[i], i % 2 == 1);
    if (r->unreadable.n > 0)
        draw_bad(f, r);
    draw_axis(f, r);
    (void)fputs("</svg>\n", f);
    legend(f, r);
    (void)fputs("</figure>\n", f);
}

static void
guid_row(FILE *f, const struct partition *p)
{
    (void)fprintf(f, "<tr class=\"guids\"><td></td><td colspan=\"6\">");
    if (p->type_name) {
        html_plain(f, p->type_name);
        (void)fputs(" · ", f);
    }
    (void)fputs("type <span class=\"mono\">", f);
    html_plain(f, p->type_guid);
    (void)fputs("</span> · unique <span class=\"mono\">", f);
    html_plain(f, p->guid ? p->guid : "–");
    (void)fputs("</span>", f);
    if (p->attributes != 0)
        (void)fprintf(f, " · attributes 0x%016" PRIx64, p->attributes);
    (void)fputs("</td></tr>\n", f);
}

static void
partition_row(FILE *f, const struct report *r, const struct partition *p)
{
    char human[SIZE_TEXT_MAX];

    (void)fprintf(f,
                  "<tr class=\"%s%s\"><td class=\"n\">%03" PRIu64 "</td><td class=\"mono slot\">",
                  part_state_names[p->state], p->type_guid ? " has-guids" : "", p->index);
    html_plain(f, p->slot);
    (void)fputs("</td><td class=\"n\">", f);
    html_number(f, p->start);
    (void)fputs("</td><td class=\"n\">", f);
    html_number(f, p->length > 0 ? p->start + p->length - 1 : p->start);
    (void)fputs("</td><td class=\"n\">", f);
    html_number(f, p->length);
    (void)fprintf(f, "</td><td class=\"n\">%s</td><td class=\"w\">",
                  size_human(p->length * r->table.sector_size, human));
    html_text(f, p->description);
    (void)fputs("</td></tr>\n", f);
    if (p->type_guid)
        guid_row(f, p);
}

void
html_partitions(FILE *f, const struct report *r)
{
    (void)fputs("<section id=\"partitions\"><h2>Disk layout</h2>\n", f);
    html_drawing(f, r);
    if (!r->table.found) {
        (void)fputs("<p class=\"none\">No partition table was found: the image is taken as one "
                    "volume.</p></section>\n",
                    f);
        return;
    }
    (void)fputs("<p>", f);
    html_text(f, r->table.description);
    (void)fprintf(f,
                  ", counted in sectors of %" PRIu64 " bytes%s. The rows are those of "
                  "<span class=\"mono\">mmls</span>; rows marked Meta are the table itself and "
                  "lie over others.</p>\n",
                  r->table.sector_size,
                  r->table.backup ? "; <strong>the primary table is damaged, this is the backup at "
                                    "the end of the disk</strong>"
                                  : "");
    (void)fputs("<table class=\"grid\"><thead><tr><th class=\"n\">Row</th><th>Slot</th><th "
                "class=\"n\">First sector</th><th class=\"n\">Last sector</th><th class=\"n\">"
                "Sectors</th><th class=\"n\">Size</th><th>Description</th></tr></thead><tbody>\n",
                f);
    for (size_t i = 0; i < r->table.n_parts && i < PARTITION_ROWS; i++)
        partition_row(f, r, &r->table.parts[i]);
    (void)fputs("</tbody></table>\n", f);
    if (r->table.n_parts > PARTITION_ROWS)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      r->table.n_parts - PARTITION_ROWS);
    (void)fputs("</section>\n", f);
}

static void
fs_cells(FILE *f, const struct file_system *fs)
{
    char human[SIZE_TEXT_MAX];

    (void)fprintf(f, "<td class=\"n\">%s</td><td class=\"n\">",
                  size_human(fs->block_size * fs->block_count, human));
    html_number(f, fs->block_count);
    (void)fputs(" × ", f);
    html_number(f, fs->block_size);
    (void)fputs("<br><small>", f);
    html_number(f, fs->first_block);
    (void)fputs(" – ", f);
    html_number(f, fs->last_block);
    if (fs->cluster_size != fs->block_size) {
        (void)fputs(", clusters of ", f);
        html_number(f, fs->cluster_size);
    }
    (void)fputs("</small></td></tr>\n", f);
}

static void
volume_row(FILE *f, const struct volume *v)
{
    char human[SIZE_TEXT_MAX];
    const struct file_system *fs = v->fs;

    (void)fputs("<tr><td>", f);
    html_plain(f, v->name);
    if (v->unreadable > 0) {
        (void)fputs("<br><small>", f);
        html_number(f, v->unreadable);
        (void)fputs(" bytes unreadable</small>", f);
    }
    (void)fputs("</td><td class=\"w\">", f);
    html_plain(f, volume_type(v));
    if (v->encrypted)
        (void)fputs(" <strong>(encrypted)</strong>", f);
    (void)fputs("</td><td class=\"w\">", f);
    html_text(f, fs && fs->label ? fs->label : "–");
    if (fs && fs->id) {
        (void)fputs("<br><small class=\"mono\">", f);
        html_plain(f, fs->id);
        (void)fputs("</small>", f);
    }
    (void)fprintf(f, "</td><td class=\"n\">%s</td>", size_human(v->length, human));
    if (fs)
        fs_cells(f, fs);
    else
        (void)fputs("<td class=\"n\">–</td><td class=\"n\">–</td></tr>\n", f);
}

void
html_volumes(FILE *f, const struct report *r)
{
    (void)fputs("<section id=\"volumes\"><h2>Volumes</h2>\n", f);
    if (r->n_volumes == 0) {
        (void)fputs("<p class=\"none\">The partition table holds no partition.</p></section>\n", f);
        return;
    }
    (void)fputs(
        "<table class=\"grid\"><thead><tr><th>Volume</th><th>File system</th><th>Label, "
        "identifier</th><th class=\"n\">Volume size</th><th class=\"n\">File system "
        "size</th><th class=\"n\">Blocks × bytes<br>first – last</th></tr></thead><tbody>\n",
        f);
    for (size_t i = 0; i < r->n_volumes && i < PARTITION_ROWS; i++)
        volume_row(f, &r->volumes[i]);
    (void)fputs("</tbody></table>\n", f);
    if (r->n_volumes > PARTITION_ROWS)
        (void)fprintf(f, "<p class=\"more\">and %zu more, in the JSON report</p>\n",
                      r->n_volumes - PARTITION_ROWS);
    (void)fputs("</section>\n", f);
}
