/*
 * Everything before the first byte is read: the source, the plan, the destinations, the supervisor.
 * A refusal here leaves nothing behind.
 */
#ifndef EXHIBIT_ACQUIRE_PREPARE_H
#define EXHIBIT_ACQUIRE_PREPARE_H

#include "acquire/front/acquisition.h"

/* From the parsed options to a device that is held and directories that are made. */
int prepare(struct acquisition *a, struct err *err);

/* Undoes what is still empty, closes what is open. */
void prepare_undo(struct acquisition *a);

#endif
