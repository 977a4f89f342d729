/*
 * The outputs of a report. A writer reads the model and returns the whole file; a new output is a
 * file with one function and a line in the table (writers.c).
 */
#ifndef EXHIBIT_REPORT_WRITER_H
#define EXHIBIT_REPORT_WRITER_H

#include "common/err.h"
#include "report/model.h"

struct writer {
    const char *format; /* as in --format */
    const char *suffix; /* of the file: ".report.html" */
    /* The file's n bytes; the caller frees them. NULL: out of memory. */
    char *(*write)(const struct report *r, size_t *n);
};

extern const struct writer writers[];
extern const size_t n_writers;

/* The writers of a list such as "html,json", each once, in the table's order: bit i of *set is
   writers[i]. An unknown name is OUTCOME_USAGE, and the error lists what there is. */
int writers_parse(const char *list, unsigned *set, struct err *err);

char *write_html(const struct report *r, size_t *n);
char *write_json(const struct report *r, size_t *n);

/* The report's JSON document; a new reference. */
json_t *report_json(const struct report *r);

#endif
