/*
 * Taking a device for a job: whether it may be taken, the one open of it, the write block. The
 * supervisor's policy.
 */
#ifndef EXHIBIT_ACQUIRE_HOLD_H
#define EXHIBIT_ACQUIRE_HOLD_H

#include "acquire/device/device.h"
#include "acquire/supervisor/guard.h"
#include "acquire/supervisor/record.h"
#include "common/err.h"
#include "common/supervisor_proto.h"

/* Opens the whole device read-only and exclusively, and makes sure that it is the one named. */
int hold_open_exclusive(const struct device *d, struct err *err);

/* Answers an OPEN: refuses what is in use, opens r->device, checks the identity with the descriptor
   held, and write-protects. Fills *r's level, before, during and what goes with them, and *g (NULL
   but at level bpf-lsm). Returns the descriptor; after an error nothing is changed. */
int hold_device(const struct supervisor_message *m, struct record *r, struct guard **g,
                struct err *err);

/* Changes back what hold_device() changed, but for a disk of which somebody else holds a part. With
   the descriptor closed. */
void hold_undo(const struct record *r);

/* Lifts the write block of the disk that `d` is or lies on. The block is the whole disk's: it
   stays, OUTCOME_REFUSED, while anybody holds the disk or one of its partitions, and where another
   disk has taken the place of `d`. */
int hold_lift(const struct device *d, struct flag_state *now, struct err *err);

#endif
