/*
 * The kernel's read-only flag on the disk and every partition of it: the write block of level
 * read-only-flag, and a part of every higher one. What it does not stop stands in
 * docs/threat-model.md.
 */
#ifndef EXHIBIT_ACQUIRE_WRITE_BLOCK_H
#define EXHIBIT_ACQUIRE_WRITE_BLOCK_H

#include <stdbool.h>

#include "acquire/device/device.h"
#include "common/err.h"
#include "common/supervisor_proto.h"

/* Reads the flag of the disk of `device` and its partitions, without waiting for the drive. */
int write_block_look(const struct device *device, struct flag_state *state, struct err *err);

/* Sets (or clears) the flag on all of them and reads it back; -1 also if one of them kept it. */
int write_block_set(const struct device *device, bool read_only, struct flag_state *state,
                    struct err *err);

/* Takes the disk out of the guard, then clears the flag: after `release` it can be written. */
int write_block_lift(const struct device *device, struct flag_state *state, struct err *err);

static inline bool
flag_is_full(const struct flag_state *s)
{
    return s->nodes > 0 && s->read_only == s->nodes;
}

#endif
