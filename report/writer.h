/*
 * The outputs of a report. A writer reads the model and returns the whole file; a new output is a
 * file with one function and a line in the table (writers.c).
 */
#ifndef EXHIBIT_REPORT_WRITER_H
#define EXHIBIT_REPORT_WRITER_H

#include <signal.h>

#include "common/err.h"
#include "report/model.h"
#include "report/stationery.h"

/* What is written beside the facts, and how. */
struct paper {
    const struct stationery *stationery;
    unsigned documents;                /* bit i: document_names[i]; html, pdf and text have them */
    const volatile sig_atomic_t *stop; /* or NULL; looked at where writing takes a while */
};

struct writer {
    const char *format; /* as in --format */
    const char *suffix; /* of the file: ".report.html" */
    bool by_default;
    bool temporary; /* what it starts makes temporary files */
    /* The file's n bytes; the caller frees them. NULL with an error: OUTCOME_FAILED, or
       OUTCOME_INTERRUPTED on *stop. */
    char *(*write)(const struct report *r, const struct paper *p, size_t *n, struct err *err);
};

extern const struct writer writers[];
extern const size_t n_writers;

/* The writers of a list such as "html,json", each once, in the table's order: bit i of *set is
   writers[i]. An unknown name is OUTCOME_USAGE, and the error lists what there is. */
int writers_parse(const char *list, unsigned *set, struct err *err);
/* Those that are written where no list is given. */
unsigned writers_default(void);
/* Whether one of the set makes temporary files. */
bool writers_need_temporary(unsigned set);

char *write_html(const struct report *r, const struct paper *p, size_t *n, struct err *err);
char *write_pdf(const struct report *r, const struct paper *p, size_t *n, struct err *err);
char *write_json(const struct report *r, const struct paper *p, size_t *n, struct err *err);
char *write_text(const struct report *r, const struct paper *p, size_t *n, struct err *err);
char *write_dfxml(const struct report *r, const struct paper *p, size_t *n, struct err *err);
char *write_case(const struct report *r, const struct paper *p, size_t *n, struct err *err);

/* The report's JSON document; a new reference. */
json_t *report_json(const struct report *r, const struct paper *p);

/* A writer's stream into memory: the text on success, NULL with an error where memory ran out. */
FILE *writer_open(char **text, size_t *n);
char *writer_close(FILE *f, char **text, struct err *err);

#endif
