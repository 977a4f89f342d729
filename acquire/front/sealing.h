/*
 * Signing and time-stamping at the end of an acquisition. The key is asked for and tried before
 * anything is read: exhibit-seal is started then, and waits with it.
 */
#ifndef EXHIBIT_ACQUIRE_SEALING_H
#define EXHIBIT_ACQUIRE_SEALING_H

#include <stdbool.h>
#include <stddef.h>

#include "acquire/front/options_acquire.h"
#include "common/err.h"

struct sealing;

/* Starts it if a key or an authority is named; *out is NULL otherwise. -1: the key is not to be
   had. */
int sealing_start(const struct acquire_options *o, struct sealing **out, struct err *err);

/* Seals the finished images at these paths. False if any part is missing, which exhibit-seal has
   named. */
bool sealing_finish(struct sealing *s, const char *const *dests, size_t n);

/* Ends it; before sealing_finish() nothing is sealed. NULL is let pass. */
void sealing_free(struct sealing *s);

#endif
