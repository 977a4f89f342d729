/*
 * What is wrong with where the partitions lie, whatever the kind of their table.
 */
#ifndef EXHIBIT_REPORT_LAYOUT_H
#define EXHIBIT_REPORT_LAYOUT_H

#include "report/model.h"

/* Adds findings for partitions that overlap, that are empty or that lie past the end of the media.
   The report's table and volumes must be there; their numbers are bounded (parser_field.h). */
void layout_check(struct report *r);

#endif
