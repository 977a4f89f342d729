/*
 * Which disks are marked as evidence when they appear: docs/evidence-disks.md. libc only.
 */
#ifndef EXHIBIT_ACQUIRE_MARK_POLICY_H
#define EXHIBIT_ACQUIRE_MARK_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/daemon/config.h"
#include "acquire/device/device.h"

/* What the machine had when it was armed: the kernel numbers each attachment of a disk, and each
   medium that is put into a reader (diskseq, since Linux 5.15), and never gives a number twice. */
struct mark_state {
    bool armed;
    uint64_t last; /* the highest number by then */
};

/* `device` is a whole disk. Disks that the configuration spares are none; those that it names are,
   whenever they came; all others if they came after the machine was armed. Never one that is in
   use. */
bool mark_is_evidence(const struct device *device, const struct mark_state *state,
                      const struct config *config);

/* Reads and writes the state: a file of the directory `dir` (made where it is missing). What is
   there already is kept: a second arming would spare what has come since. */
int mark_state_load(const char *dir, struct mark_state *out, struct err *err);
int mark_state_arm(const char *dir, uint64_t last, struct err *err);

#endif
