/*
 * The options that a client may give a job, and the command line that comes of them.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_OPTIONS_H
#define EXHIBIT_ACQUIRE_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "acquire/daemon/daemon_job.h"
#include "common/err.h"

/* Refuses what makes no sense in a job of the daemon (what belongs to a terminal; --resume, which
   has a call of its own), what would take the job's write block away, and paths that would depend
   on the directory of whoever asks. exhibit-acquire judges the rest. OUTCOME_USAGE or
   OUTCOME_REFUSED. */
int daemon_options_check(const char *source, const char *dest, char *const *options, size_t n,
                         struct err *err);

/* True if an option with that long name (n bytes) and value takes a path, which must be absolute in
   a job: not where a key's URI is. */
bool daemon_option_is_path(const char *name, size_t n, const char *value);

/* True if the job's own options (n words) make the laboratory's default `word`, one word, none of
   this job's: they hold the same option (of --meta the same key), or one with which the default
   would be refused, such as --format=raw with --compression. */
bool daemon_options_replace(const char *word, char *const *options, size_t n);

/* exhibit-acquire's argv for the job. Strings stay the job's; the array is the caller's. */
char **daemon_options_argv(const struct daemon_job *job, bool resume);

#endif
