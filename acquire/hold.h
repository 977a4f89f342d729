/*
 * Taking a device for a job: whether it may be taken, the one open of it, the write block. The
 * supervisor's policy.
 */
#ifndef EXHIBIT_ACQUIRE_HOLD_H
#define EXHIBIT_ACQUIRE_HOLD_H

#include "acquire/device.h"
#include "acquire/record.h"
#include "common/err.h"
#include "common/supervisor_proto.h"

/* Opens the whole device read-only and exclusively, and makes sure that it is the one named. */
int hold_open_exclusive(const struct device *d, struct err *err);

/* Answers an OPEN of the device that was read into *d: refuses what is in use, opens, checks the
   identity with the descriptor held, and write-protects. Fills *r's level, before and during.
   Returns the descriptor; after an error nothing is changed. */
int hold_device(const struct supervisor_message *m, const struct device *d, struct record *r,
                struct err *err);

#endif
