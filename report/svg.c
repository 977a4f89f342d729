#include "report/svg.h"

#include "common/cleanup.h"
#include "common/text.h"
#include "report/html.h"

#define INK "#1a2330"
#define SOFT "#5a6676"

/* A width of letters that holds for most text in a plain typeface, as a part of their size. */
#define LETTER 0.58

static const struct {
    const char *fill;    /* or the pattern's ground */
    const char *stroke;  /* of the edge */
    const char *pattern; /* drawn over the ground in a tile of 8 by 8, or NULL */
} looks[SVG_FILLS] = {
    [SVG_VOLUME] = {"#4a7fb0", "#fff", NULL},
    [SVG_VOLUME_NEXT] = {"#2c5d8b", "#fff", NULL},
    [SVG_NO_FS] = {"#9aa7b5", "#fff", NULL},
    [SVG_ENCRYPTED] = {"#5b4a8a", "#fff",
                       "<path d=\"M0 8L8 0\" stroke=\"#8d7fb8\" stroke-width=\"1.6\"/>"},
    [SVG_UNPARSED] = {"#b4532a", "#fff",
                      "<path d=\"M0 0L8 8M0 8L8 0\" stroke=\"#e09a78\" stroke-width=\"1.4\"/>"},
    [SVG_GAP] = {"#f0f2f5", "#9aa5b1",
                 "<path d=\"M0 8L8 0\" stroke=\"#c6ced7\" stroke-width=\"1.6\"/>"},
    [SVG_RAIL] = {"#eef1f4", "#d5dbe3", NULL},
    [SVG_BAD] = {"#b8140f", "#b8140f", NULL},
    [SVG_DATA] = {"#1f4e79", "#1f4e79", NULL},
    [SVG_ZERO] = {"#fff", "#5a6676", NULL},
    [SVG_NOT_SEEN] = {"#f0f2f5", "#5a6676",
                      "<circle cx=\"4\" cy=\"4\" r=\"1.1\" fill=\"#7c8896\"/>"},
};

static void
pattern(FILE *f, const char *id, size_t fill)
{
    (void)fprintf(f,
                  "<pattern id=\"%s-%zu\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
                  "<rect width=\"8\" height=\"8\" fill=\"%s\"/>%s</pattern>",
                  id, fill, looks[fill].fill, looks[fill].pattern);
}

static void
patterns(FILE *f, const char *id)
{
    (void)fputs("<defs>", f);
    for (size_t i = 0; i < SVG_FILLS; i++) {
        if (looks[i].pattern)
            pattern(f, id, i);
    }
    (void)fputs("</defs>\n", f);
}

void
svg_begin(FILE *f, const char *id, const char *title, double w, double h)
{
    (void)fprintf(f,
                  "<svg class=\"disk\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" "
                  "role=\"img\" font-family=\"Helvetica, Arial, Liberation Sans, sans-serif\" "
                  "aria-labelledby=\"%s-title %s-desc\">\n<title id=\"%s-title\">%s</title>\n"
                  "<desc id=\"%s-desc\">",
                  w, h, w, h, id, id, id, title, id);
}

void
svg_described(FILE *f, const char *id)
{
    (void)fputs("</desc>\n", f);
    patterns(f, id);
}

void
svg_end(FILE *f)
{
    (void)fputs("</svg>\n", f);
}

static void
paint(FILE *f, const char *id, enum svg_fill fill)
{
    if (looks[fill].pattern)
        (void)fprintf(f, " fill=\"url(#%s-%d)\"", id, (int)fill);
    else
        (void)fprintf(f, " fill=\"%s\"", looks[fill].fill);
    (void)fprintf(f, " stroke=\"%s\"", looks[fill].stroke);
}

void
svg_rect(FILE *f, const char *id, enum svg_fill fill, double x, double y, double w, double h)
{
    (void)fprintf(f, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"", x, y, w, h);
    paint(f, id, fill);
    (void)fputs("/>\n", f);
}

/* The start of s that fits into so many units, with an ellipsis where it is cut; NULL where less
   than three letters of more would be left. */
static char *
fitted(const char *s, const struct svg_text *where)
{
    size_t max = (size_t)(where->room / (where->size * LETTER));
    size_t chars = 0;
    size_t n = 0;
    uint32_t cp;

    while (s[n] && chars < max) {
        size_t len = text_utf8_next(s + n, strlen(s + n), &cp);

        n += len > 0 ? len : 1;
        chars++;
    }
    if (chars < 3 && s[n])
        return NULL;
    return xasprintf("%.*s%s", (int)n, s, s[n] ? "…" : "");
}

void
svg_text(FILE *f, const struct svg_text *where, const char *s)
{
    AUTO_FREE char *cut = where->room > 0 ? fitted(s, where) : xstrdup(s);

    if (!cut)
        return;
    (void)fprintf(f,
                  "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.0f\" fill=\"%s\" text-anchor=\"%s\">",
                  where->x, where->y, where->size, where->colour ? where->colour : SOFT,
                  where->anchor ? where->anchor : "start");
    html_plain(f, cut);
    (void)fputs("</text>\n", f);
}

void
svg_legend(FILE *f, const char *id, enum svg_fill fill, const char *text)
{
    /* A pattern is looked up in the drawing itself by some, so the key has one of its own. */
    AUTO_FREE char *key = xasprintf("%s-key", id);

    (void)fputs("<span><svg viewBox=\"0 0 14 14\" width=\"14\" height=\"14\" aria-hidden=\"true\">",
                f);
    if (looks[fill].pattern) {
        (void)fputs("<defs>", f);
        pattern(f, key, fill);
        (void)fputs("</defs>", f);
    }
    svg_rect(f, key, fill, 0.5, 0.5, 13, 13);
    (void)fprintf(f, "</svg> %s</span>\n", text);
}
