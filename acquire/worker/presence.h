/*
 * A source that is told from one that is gone: a drive that has dropped off its bus may answer each
 * read with the error of a bad sector. After 32 failed reads in a row, and at each doubling, what
 * was read first and what was read last are read again; if neither can be, it is the drive that
 * fails and not its sectors, and reads fail with ENODEV from then on. A source that never gave
 * anything is not judged.
 */
#ifndef EXHIBIT_ACQUIRE_PRESENCE_H
#define EXHIBIT_ACQUIRE_PRESENCE_H

#include "acquire/worker/source.h"

/* Takes over `next`. One thread reads at a time. */
struct source *presence_new(struct source *next);

#endif
