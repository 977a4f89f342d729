/*
 * Rescue mode's files before the source is read: the staging file is made, and, if that was asked
 * for, filled with what ddrescue has rescued before.
 */
#ifndef EXHIBIT_ACQUIRE_TAKEOVER_H
#define EXHIBIT_ACQUIRE_TAKEOVER_H

#include "acquire/front/acquisition.h"

/* Nothing without --rescue. In DEST.partial, which is open. A job that goes on must have its
   staging file yet. The positions of a mapfile are those of the source, as ddrescue means them
   unless it was told otherwise; one that goes beyond the source's end is OUTCOME_REFUSED. */
int takeover_prepare(struct acquisition *a, struct err *err);

#endif
