/*
 * The worker's state, as its three files share it: worker.c sets up and runs, worker_control.c
 * listens to the front meanwhile, worker_tell.c says what there is to say.
 */
#ifndef EXHIBIT_ACQUIRE_WORKER_H
#define EXHIBIT_ACQUIRE_WORKER_H

#include <pthread.h>

#include "acquire/job/job.h"
#include "acquire/job/resume.h"
#include "acquire/job/worker_fds.h"
#include "acquire/worker/existing.h"
#include "acquire/worker/gate.h"
#include "acquire/worker/lanes.h"
#include "acquire/worker/pipeline.h"
#include "acquire/worker/rescue.h"
#include "acquire/worker/samples.h"
#include "common/sandbox.h"

struct worker {
    struct job job;
    struct resume resume; /* what is on the destination already */
    size_t n_dirs;
    size_t n_sinks; /* the first of these directories are theirs */
    struct sandbox_state sandbox;
    struct source *device; /* behind its gate */
    struct gate *gate;
    bool direct;
    struct lanes *lanes;
    struct existing *existing; /* what is imaged already, or NULL */
    uint64_t known_until;      /* its end, bytes of the image */
    int dirs[WORKER_DIRS_MAX]; /* their descriptors */
    struct sink_spec specs[WORKER_SINKS_MAX];
    struct segment_log *logs[WORKER_SINKS_MAX];
    size_t told[WORKER_SINKS_MAX]; /* segments that the front knows of */
    uint64_t told_durable[WORKER_SINKS_MAX];
    struct pipeline_sink sinks[WORKER_SINKS_MAX];

    /* rescue mode, else NULL */
    struct staging *staging;
    struct rescue *rescue;
    struct source *rescued; /* what it has collected, behind a gate of its own */
    struct gate *rescued_gate;

    pthread_t controller;
    bool controlled;
    int stop_pipe[2];     /* closing the write end ends the control thread */
    pthread_mutex_t lock; /* guards what follows */
    struct pipeline *pipeline;
    bool stopped; /* the front wants no more */
};

/* --- worker_control.c --- */

/* Listens to the front and reports progress, until control_end(). */
int control_begin(struct worker *w, struct err *err);
void control_end(struct worker *w);
/* The pipeline runs: from now on a stop reaches it. */
void control_pipeline(struct worker *w, struct pipeline *p);

/* --- worker_tell.c --- */

void tell_error(const struct err *err);
void tell_ready(const struct worker *w);
void tell_progress(struct worker *w);
void tell_unreadable(void *context, const struct range *range, int sys);
void tell_resumed(struct worker *w, uint64_t at, const struct samples *samples);
/* What was there of an earlier rescue, and how much of it was compared with the source. */
void tell_compared(const struct worker *w, const struct samples *samples);
void tell_read_error(void *context, const struct range *range, int sys, enum rescue_phase phase);
void tell_pass(void *context, const struct rescue_pass *pass);
void tell_rescued(void);
/* What has become durable since: closed segments whose hashes are known, and the open raw file.
   Only one thread at a time calls this. */
void tell_durable(struct worker *w);
void tell_finishing(void);
void tell_sink_failed(size_t sink, const struct err *err);
void tell_pieces(struct worker *w);
void tell_hashes(uint64_t length, const struct manifest_hashes *hashes);
void tell_done(void);

#endif
