/*
 * A source behind a gate: reads pass through it one at a time, can be held back (a pause), and can
 * be seen waiting for an answer that does not come. It stands between whoever reads and the source
 * itself, so that every way of reading is paused and watched alike.
 */
#ifndef EXHIBIT_ACQUIRE_GATE_H
#define EXHIBIT_ACQUIRE_GATE_H

#include "acquire/worker/source.h"

struct gate;

/* Takes over `next`. */
struct gate *gate_new(struct source *next);

/* What to read from; closing it closes `next` and frees the gate. */
struct source *gate_source(struct gate *g);

/* Any thread: reads that have not begun wait until the gate is opened again. */
void gate_pause(struct gate *g, bool paused);

/* Any thread: reads that have not begun fail with ECANCELED, also while paused. */
void gate_stop(struct gate *g);

/* Any thread: true while a read is under way; where it begins (bytes of the source), and for how
   many milliseconds. */
bool gate_waiting(struct gate *g, uint64_t *offset, uint64_t *ms);

#endif
