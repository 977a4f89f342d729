/*
 * The front's eye on the source while a worker reads it: reads that do not come back, pauses asked
 * for by SIGUSR1 and ended by SIGUSR2, the drive's temperature, a drive that is locked. What is to
 * be done stands in watch.h; this says it on the terminal, in the log and to the worker.
 */
#ifndef EXHIBIT_ACQUIRE_SOURCE_WATCH_H
#define EXHIBIT_ACQUIRE_SOURCE_WATCH_H

#include "acquire/front/acquisition.h"

struct thermometer;

struct source_watch {
    struct acquisition *a;
    struct thermometer *thermometer; /* or NULL */
    uint64_t begun;                  /* monotonic ns */
    uint64_t stopped;                /* when the worker was told to stop; 0: it was not */
    bool nothing_read;               /* that was said */
};

/* From now on SIGUSR1 and SIGUSR2 are taken in where ppoll() lets them. */
void source_watch_catch_signals(void);

void source_watch_begin(struct source_watch *s, struct acquisition *a);
void source_watch_end(struct source_watch *s);

/* For poll(): readable when there is a temperature; or -1. */
int source_watch_fd(const struct source_watch *s);

/* Once a turn; `events` is the worker's socket, or -1. -1: the job has to end, resumable: the time
   of a read is up. */
int source_watch_turn(struct source_watch *s, int events, bool heat, struct err *err);

/* After an unreadable range, or a failing read of rescue mode: -1 if nothing could be read at all
   and the drive says that it is locked. */
int source_watch_unreadable(struct source_watch *s, struct err *err);

#endif
