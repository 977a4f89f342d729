/*
 * One of the suite's programs, run by the daemon for its answer: the devices, a release, whether
 * the laboratory's defaults make a command line.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_HELPER_H
#define EXHIBIT_ACQUIRE_DAEMON_HELPER_H

#include <sys/types.h>

#include "common/err.h"
#include "common/privilege.h"

/* Starts it with its standard output, or (`as` NULL: as the daemon itself) its standard error, in a
   pipe, whose end is returned; the caller closes it and waits for *pid. */
int helper_start(char *const argv[], const struct privilege *as, pid_t *pid, struct err *err);

/* The first line of what it printed as its error, in err->text, without the suite's prefix. Reads
   once: after the program's end that is all of a short text. */
void helper_error(int out, struct err *err);

/* Whether exhibit-acquire takes the n options, a word each, whatever the source and destination:
   OUTCOME_USAGE if not, with its own words. Waits for it. */
int helper_check_options(char *const *options, size_t n, struct err *err);

#endif
