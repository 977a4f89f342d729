/*
 * Drawings inside the page, in SVG without scripts or style sheets: what a shape looks like stands
 * on the shape, so that a drawing is the same in a browser, in print and through a converter. Each
 * kind of area has its own pattern or lightness as well as its colour.
 */
#ifndef EXHIBIT_REPORT_SVG_H
#define EXHIBIT_REPORT_SVG_H

#include <stdint.h>
#include <stdio.h>

enum svg_fill {
    SVG_VOLUME,
    SVG_VOLUME_NEXT, /* neighbours are told apart by turns */
    SVG_NO_FS,
    SVG_ENCRYPTED,
    SVG_UNPARSED,
    SVG_GAP,
    SVG_RAIL,
    SVG_BAD,
    SVG_DATA,     /* not zero */
    SVG_ZERO,     /* zero */
    SVG_NOT_SEEN, /* not examined */
    SVG_FILLS,
};

/* Starts a drawing of w by h units; `id` (letters) is unique in the page. The description is what
   the caller writes between svg_begin() and svg_described(). */
void svg_begin(FILE *f, const char *id, const char *title, double w, double h);
void svg_described(FILE *f, const char *id);
void svg_end(FILE *f);

void svg_rect(FILE *f, const char *id, enum svg_fill fill, double x, double y, double w, double h);

struct svg_text {
    double x;
    double y;           /* of the base line */
    double size;        /* of the letters */
    const char *anchor; /* "start" (NULL), "middle", "end" */
    const char *colour; /* NULL: that of the axis */
    double room;        /* units; cut to fit, left out where little would remain. 0: as it is */
};
/* s is foreign text. */
void svg_text(FILE *f, const struct svg_text *where, const char *s);

/* An entry of the key below the drawing of that id; `text` is a constant. */
void svg_legend(FILE *f, const char *id, enum svg_fill fill, const char *text);

#endif
