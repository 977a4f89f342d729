/*
 * Plain text for a terminal or a case file: lines of at most 79 columns where words allow it, each
 * foreign text printable.
 */
#ifndef EXHIBIT_REPORT_TEXT_PAGE_H
#define EXHIBIT_REPORT_TEXT_PAGE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* A heading, underlined with the character. */
void text_heading(FILE *f, const char *s, char line);

/* Words, wrapped; further lines are indented by `indent` columns, the first starts at column `at`.
   Ends the line. Words longer than a line (hashes, paths) are left whole, to be copied. */
void text_wrap(FILE *f, unsigned at, unsigned indent, const char *s);

/* "label   value", wrapped within the second column. */
void text_row(FILE *f, unsigned indent, const char *label, const char *value);

/* A JSON value of any shape as rows; NULL is "not recorded". */
void text_value(FILE *f, unsigned indent, const char *key, const char *label, const json_t *v);

/* "1,234,567", in buf. */
const char *text_number(uint64_t n, char buf[32]);

#endif
