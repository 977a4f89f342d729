/*
 * Keeps the machine from sleeping or shutting down while a job runs, by way of systemd-inhibit(1).
 * The lock ends with inhibit_end() and, in any case, with this process.
 */
#ifndef EXHIBIT_ACQUIRE_INHIBIT_H
#define EXHIBIT_ACQUIRE_INHIBIT_H

#include <stddef.h>

struct inhibit;

/* Begins to ask for it, which takes the machine a moment. NULL where nothing could be started:
   `state` says why. */
struct inhibit *inhibit_begin(const char *why, char *state, size_t n);

/* As inhibit_begin(), through a program other than /usr/bin/systemd-inhibit with its arguments. */
struct inhibit *inhibit_begin_with(const char *program, const char *why, char *state, size_t n);

/* Hears what came of it: `state` gets "inhibited", or the reason why not; then, and where it cannot
   be told half a second after it was asked for, the job goes on all the same. What was begun is
   taken over; NULL where it has ended already. */
struct inhibit *inhibit_confirm(struct inhibit *inhibit, char *state, size_t n);

void inhibit_end(struct inhibit *inhibit);

#endif
