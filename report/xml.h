/*
 * Writing XML 1.0. Foreign text may hold what XML has no way of saying (control characters, U+FFFE,
 * bytes that are no UTF-8): it is written out as text_printable() does.
 */
#ifndef EXHIBIT_REPORT_XML_H
#define EXHIBIT_REPORT_XML_H

#include <stdint.h>
#include <stdio.h>

/* Escaped for content and for attribute values. */
void xml_text(FILE *f, const char *s);

/* <name>s</name> on a line of its own, indented by `depth` steps; nothing where s is NULL. */
void xml_element(FILE *f, unsigned depth, const char *name, const char *s);
void xml_number(FILE *f, unsigned depth, const char *name, uint64_t n);

void xml_indent(FILE *f, unsigned depth);

#endif
