/*
 * Writing HTML so that foreign text stays text. Everything that is not a constant of the program
 * goes through html_text() or html_value().
 */
#ifndef EXHIBIT_REPORT_HTML_H
#define EXHIBIT_REPORT_HTML_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "report/fields.h"
#include "report/model.h"
#include "report/writer.h"

/* Characters of one value that are shown; a longer one is cut, and says so. */
#define HTML_TEXT_MAX 8000

/* Escaped for text and attribute values, in <bdi> so that it cannot reorder its surroundings; what
   has no visible form (control characters, bidirectional overrides, bad UTF-8) is written out. */
void html_text(FILE *f, const char *s);
/* The same without <bdi>, for attributes and SVG. */
void html_plain(FILE *f, const char *s);

/* "1,234,567" */
void html_number(FILE *f, uint64_t n);
/* "1,234,567 (1.2 MiB)" */
void html_bytes(FILE *f, uint64_t n);
/* "12.3 %", "< 0.1 %" or a dash */
void html_share(FILE *f, uint64_t part, uint64_t whole);

/* A JSON value of any shape; `key` says what it is and so how a number is shown. */
void html_value(FILE *f, const char *key, const json_t *v);
/* Rows of a table of facts; false, without a row, where the manifest has none of them. */
bool html_facts(FILE *f, const struct report *r, const struct fields_section *s);
/* One such row. */
void html_fact(FILE *f, const char *label, const char *value);

/* The parts of the page (html_case.c, html_chart.c, html_disk.c, html_picture.c, html_slack.c,
 * html_check.c). */
void html_case(FILE *f, const struct report *r);
void html_source(FILE *f, const struct report *r);
void html_write_block(FILE *f, const struct report *r);
void html_acquisition(FILE *f, const struct report *r);
void html_proof(FILE *f, const struct report *r);
void html_hashes(FILE *f, const struct report *r);
void html_segments(FILE *f, const struct report *r);
void html_unreadable(FILE *f, const struct report *r);
void html_drawing(FILE *f, const struct report *r);
/* Drawings that are left out where there is nothing to draw. */
void html_unreadable_map(FILE *f, const struct report *r);
void html_slack_bars(FILE *f, const struct report *r);
void html_rate(FILE *f, const struct report *r);
/* "ext4", "BitLocker", or in words that nothing was recognised. */
const char *html_volume_type(const struct volume *v);
void html_partitions(FILE *f, const struct report *r);
void html_volumes(FILE *f, const struct report *r);
void html_slack(FILE *f, const struct report *r);
void html_findings(FILE *f, const struct report *r);
void html_check(FILE *f, const struct report *r);
void html_deviations(FILE *f, const struct report *r);
void html_figures(FILE *f, const struct report *r, const struct paper *p);

/* The text of a document from its template, with its tables (html_forms.c). */
void html_document(FILE *f, const struct report *r, const struct paper *p, enum document which);
/* The laboratory's name, address and logo, where there are any. */
void html_letterhead(FILE *f, const struct paper *p);

extern const char html_style[];

#endif
