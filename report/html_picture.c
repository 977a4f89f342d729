/*
 * The drawings: inline SVG without scripts, each with a title, a description in words, and nothing
 * that only a colour tells.
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
    fitted(f, x + 6, BAR_TOP + 44, w - 8, "pt", html_volume_type(v));
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
        html_plain(f, html_volume_type(v));
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
