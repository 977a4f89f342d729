/*
 * One table describes a program's options: getopt_long's arguments, the text of --help and the
 * check against the manual page are all drawn from it.
 */
#ifndef EXHIBIT_OPTIONS_H
#define EXHIBIT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct option_spec {
    const char *name; /* long name, without the dashes */
    char letter;      /* short form, or 0 */
    const char *arg;  /* name of the argument in the help text, or NULL: takes none */
    int id;           /* what options_next() returns; 1 and up */
    const char *help; /* one line or more, '\n' between lines */
};

struct program {
    const char *name;                  /* "exhibit acquire" */
    const char *usage;                 /* "SOURCE DEST [options]" */
    const char *summary;               /* one sentence */
    const struct option_spec *options; /* -h/--help and --version are added to them */
    size_t n_options;
    const struct option_spec *unlisted; /* taken as well, but explained elsewhere */
    size_t n_unlisted;
};

struct options; /* the state of one run over argv */

struct options *options_new(const struct program *program, int argc, char **argv);
void options_free(struct options *o);

/* The id of the next option (its argument in *arg), 0 at the end, -1 on an error (OUTCOME_USAGE).
   --help and --version print on stdout and exit with 0. Long names are not abbreviated. */
int options_next(struct options *o, const char **arg, struct err *err);

/* The arguments of an option that may be given several times; they stay argv's. */
struct option_list {
    const char **v;
    size_t *n;
    size_t max;
    const char *name; /* the option's, for the error */
};

/* OUTCOME_USAGE where the list is full. */
int option_list_add(struct option_list list, const char *arg, struct err *err);

/* What is left after the end: the operands, in order. */
char **options_operands(const struct options *o, int *count);

#endif
