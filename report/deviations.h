/*
 * What in the record of an acquisition differs from an undisturbed one.
 */
#ifndef EXHIBIT_REPORT_DEVIATIONS_H
#define EXHIBIT_REPORT_DEVIATIONS_H

#include "report/model.h"

/* Fills r->deviations with sentences, drawn from r->facts; after facts_gather()'s work. */
void deviations_find(struct report *r);

#endif
