/*
 * The run itself, from the front's side: starts the worker, follows it, keeps an eye on the write
 * block, and stops it when a signal asks for that.
 */
#ifndef EXHIBIT_ACQUIRE_RUN_H
#define EXHIBIT_ACQUIRE_RUN_H

#include "acquire/front/acquisition.h"

/* From now on SIGINT, SIGTERM and SIGHUP stop the job in an orderly way. */
void run_catch_signals(void);
bool run_was_interrupted(void);

/* 0: every byte was read or recorded as unreadable, and at least one image is whole. */
int run_worker(struct acquisition *a, struct err *err);

#endif
