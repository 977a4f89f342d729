/*
 * Making a PDF of a page: WeasyPrint, a program of its own, run without a network and against a
 * deadline. It gets the page through a pipe and gives the PDF back through another.
 */
#ifndef EXHIBIT_REPORT_TYPESET_H
#define EXHIBIT_REPORT_TYPESET_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct typeset_request {
    const char *program;               /* its path, or NULL: looked for in PATH */
    const char *page;                  /* HTML, UTF-8 */
    size_t n;                          /* bytes of it */
    const char *identifier;            /* of the PDF: a text that the same page always gets */
    uint32_t deadline;                 /* seconds */
    const volatile sig_atomic_t *stop; /* or NULL */
};

/* The PDF/A-3b file of *n bytes; the caller frees it. Errors: OUTCOME_FAILED: the program is not
   there, fails, writes no PDF or takes too long; OUTCOME_INTERRUPTED on *stop. */
char *typeset(const struct typeset_request *q, size_t *n, struct err *err);

#endif
