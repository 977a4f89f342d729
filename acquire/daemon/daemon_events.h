/*
 * What has happened to a job, kept for those who ask later: the last changes of state and messages,
 * and the last word on its progress. Bounded: the oldest is forgotten.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_EVENTS_H
#define EXHIBIT_ACQUIRE_DAEMON_EVENTS_H

#include "acquire/daemon/daemon_proto.h"

#define EVENTS_KEPT 256
#define JOB_PHASE_MAX 32
#define EVENT_TEXT_MAX 1024 /* longer messages are cut */

/* A copy of at most so much of a text, cut between characters; the caller frees it. */
char *job_event_text(const char *text);

struct job_event {
    uint64_t number; /* 0: there is none */
    int64_t time;    /* epoch */
    enum job_event_kind kind;
    struct job_facts facts; /* as they were then */
    char phase[JOB_PHASE_MAX];
    char *text; /* MESSAGE, and STATE where a message goes with it; else NULL */
};

struct job_events {
    struct job_event kept[EVENTS_KEPT]; /* a ring; the oldest at `first` */
    size_t first, n;
    struct job_event progress; /* the last one */
    uint64_t last;             /* number of the last event of all */
};

/* Numbers are milliseconds since the job was submitted, or one more than the last: so they grow
   also across a restart that remembers no more of them than the time of day. The text is copied. */
struct job_news {
    enum job_event_kind kind;
    const struct job_facts *facts;
    const char *phase; /* "" or less than JOB_PHASE_MAX bytes */
    const char *text;  /* or NULL */
};
void job_events_add(struct job_events *e, int64_t now_ms, const struct job_news *news);

/* The first event after that number, or NULL. */
const struct job_event *job_events_after(const struct job_events *e, uint64_t number);

void job_events_clear(struct job_events *e);

#endif
