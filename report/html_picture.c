/*
 * The disk, drawn to scale: partitions, what lies between them, and what could not be read.
 */
#include <inttypes.h>

#include "common/size.h"
#include "report/html.h"
#include "report/svg.h"

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

#define ID "disk"
#define WHITE "#fff"

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

/* A rectangle for bytes from..to, never too narrow to be seen; its true width. */
static double
stretch(FILE *f, const struct report *r, enum svg_fill fill, const struct range *x, double top,
        double height)
{
    double left = place(r, x->offset);
    double w = place(r, x->offset + x->length) - left;
    double shown = w < 1.5 ? 1.5 : w;

    if (left > WIDTH - shown)
        left = WIDTH - shown;
    svg_rect(f, ID, fill, left, top, shown, height);
    return w;
}

static enum svg_fill
fill_of(const struct volume *v, bool odd)
{
    if (!v->complete)
        return SVG_UNPARSED;
    if (v->encrypted || v->looks_encrypted)
        return SVG_ENCRYPTED;
    if (!v->fs)
        return SVG_NO_FS;
    return odd ? SVG_VOLUME_NEXT : SVG_VOLUME;
}

static void
draw_volume(FILE *f, const struct report *r, const struct volume *v, bool odd)
{
    struct range x = {v->start, v->present};
    double w = stretch(f, r, fill_of(v, odd), &x, BAR_TOP, BAR_HEIGHT);
    struct svg_text at = {
        .x = place(r, v->start) + 6, .y = BAR_TOP + 24, .size = 19, .colour = WHITE, .room = w - 4};
    char number[32];
    char human[SIZE_TEXT_MAX];

    if (w < 16)
        return;
    if (v->partition) {
        (void)snprintf(number, sizeof number, "%" PRIu64, v->partition->index);
        svg_text(f, &at, number);
    }
    if (w < 60)
        return;
    at =
        (struct svg_text){.x = at.x, .y = BAR_TOP + 44, .size = 14, .colour = WHITE, .room = w - 8};
    svg_text(f, &at, html_volume_type(v));
    at.y = BAR_TOP + 62;
    svg_text(f, &at, size_human(v->length, human));
}

static void
describe(FILE *f, const struct report *r)
{
    char human[SIZE_TEXT_MAX];

    (void)fprintf(f, "%s of media. ", size_human(r->media_size, human));
    for (size_t i = 0; i < r->n_volumes && i < NAMED_MAX; i++) {
        const struct volume *v = &r->volumes[i];

        html_plain(f, v->name);
        (void)fprintf(f, ": from byte %" PRIu64 ", %s, ", v->start, size_human(v->length, human));
        html_plain(f, html_volume_type(v));
        (void)fputs(". ", f);
    }
    if (r->n_volumes > NAMED_MAX)
        (void)fprintf(f, "And %zu more volumes, in the table below. ", r->n_volumes - NAMED_MAX);
    (void)fprintf(f, "%zu unreadable ranges.", r->unreadable.n);
}

static void
draw_axis(FILE *f, const struct report *r)
{
    static const char *const anchors[] = {"start", "middle", "middle", "middle", "end"};
    char human[SIZE_TEXT_MAX];

    for (unsigned i = 0; i <= 4; i++) {
        const struct svg_text at = {
            .x = WIDTH / 4 * i, .y = bottom(r) + 19, .size = 14, .anchor = anchors[i]};

        svg_text(f, &at, i == 0 ? "0" : size_human(r->media_size / 4 * i, human));
    }
}

static void
draw_bad(FILE *f, const struct report *r)
{
    double last = -1;
    size_t drawn = 0;

    svg_rect(f, ID, SVG_RAIL, 0, BAD_TOP, WIDTH, BAD_HEIGHT);
    for (size_t i = 0; i < r->unreadable.n && drawn < MARKS_MAX; i++) {
        const struct range *x = &r->unreadable.v[i];
        double end = place(r, x->offset + x->length);

        if (end < last + 0.5) /* it would fall onto the mark before it */
            continue;
        (void)stretch(f, r, SVG_BAD, x, BAD_TOP, BAD_HEIGHT);
        last = end;
        drawn++;
    }
}

static void
legend(FILE *f, const struct report *r)
{
    bool seen[SVG_FILLS] = {false};
    static const struct {
        enum svg_fill fill;
        const char *text;
    } entries[] = {
        {SVG_VOLUME, "file system"},
        {SVG_NO_FS, "no file system recognised"},
        {SVG_ENCRYPTED, "encrypted, or consistent with encryption"},
        {SVG_UNPARSED, "could not be parsed to its end"},
        {SVG_GAP, "in no partition"},
        {SVG_BAD, "unreadable"},
    };

    for (size_t i = 0; i < r->n_volumes; i++)
        seen[fill_of(&r->volumes[i], false)] = true;
    seen[SVG_GAP] = r->table.found;
    seen[SVG_BAD] = r->unreadable.n > 0;
    (void)fputs("<figcaption class=\"legend\">", f);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (seen[entries[i].fill])
            svg_legend(f, ID, entries[i].fill, entries[i].text);
    }
    (void)fputs("</figcaption>\n", f);
}

void
html_drawing(FILE *f, const struct report *r)
{
    (void)fputs("<figure>", f);
    svg_begin(f, ID, "The disk, drawn to scale", WIDTH, bottom(r) + AXIS_HEIGHT);
    describe(f, r);
    svg_described(f, ID);
    svg_rect(f, ID, SVG_GAP, 0, BAR_TOP, WIDTH, BAR_HEIGHT);
    for (size_t i = 0; i < r->n_volumes && i < MARKS_MAX; i++)
        draw_volume(f, r, &r->volumes[i], i % 2 == 1);
    if (r->unreadable.n > 0)
        draw_bad(f, r);
    draw_axis(f, r);
    svg_end(f);
    legend(f, r);
    (void)fputs("</figure>\n", f);
}
