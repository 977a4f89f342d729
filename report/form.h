/*
 * What a template may ask of a report: values, conditions and tables, each by its name.
 */
#ifndef EXHIBIT_REPORT_FORM_H
#define EXHIBIT_REPORT_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "report/model.h"

struct stationery;

struct form {
    const struct report *report;
    const struct stationery *stationery;
};

enum form_table {
    FORM_EXHIBIT,   /* the evidence item */
    FORM_HASHES,    /* the acquisition hashes, and whether they were found again */
    FORM_TRANSFERS, /* the ledger's entries, and rows to fill in by hand */
    FORM_TABLES,
};

extern const char *const form_table_names[FORM_TABLES];

/* The number of the condition or value by that name (not terminated), or -1. "meta.KEY" is a value
   for any KEY. */
int form_condition(const char *name, size_t n);
bool form_has_value(const char *name, size_t n);

bool form_is(const struct form *f, int condition);

/* The value as text, foreign; "not recorded" where it is. The caller frees it. */
char *form_value(const struct form *f, const char *name, size_t n);

/* The rows of FORM_EXHIBIT. */
struct form_row {
    const char *value; /* name of a value */
    const char *label;
};
extern const struct form_row form_exhibit_rows[];
extern const size_t form_exhibit_rows_n;

/* What became of the comparison of the acquisition hashes: "identical", … */
const char *form_comparison(const struct form *f);

/* Rows of FORM_TRANSFERS: of the ledger at most, and left empty for a pen. */
#define FORM_EVENT_ROWS 1000
#define FORM_EMPTY_ROWS 6
#define FORM_EMPTY_ROWS_AFTER_LEDGER 4

#endif
