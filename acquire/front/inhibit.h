/*
 * Keeps the machine from sleeping or shutting down while a job runs, by way of systemd-inhibit(1).
 * The lock ends with inhibit_end() and, in any case, with this process.
 */
#ifndef EXHIBIT_ACQUIRE_INHIBIT_H
#define EXHIBIT_ACQUIRE_INHIBIT_H

#include <stddef.h>

struct inhibit;

/* `state` gets "inhibited", or the reason why not: then, and where it cannot be told within half a
   second, the job goes on all the same. NULL where nothing was started. */
struct inhibit *inhibit_sleep(const char *why, char *state, size_t n);

/* As inhibit_sleep(), through a program other than /usr/bin/systemd-inhibit with its arguments. */
struct inhibit *inhibit_with(const char *program, const char *why, char *state, size_t n);

void inhibit_end(struct inhibit *inhibit);

#endif
