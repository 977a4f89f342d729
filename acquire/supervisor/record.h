/*
 * The supervisor's own record of a job, in a directory that only root can write: what it saw
 * itself, bound to the manifest by its hash. The user could forge a manifest, not this. libc only.
 */
#ifndef EXHIBIT_ACQUIRE_RECORD_H
#define EXHIBIT_ACQUIRE_RECORD_H

#include <sys/types.h>

#include "acquire/device/device.h"
#include "common/err.h"
#include "common/supervisor_proto.h"

#define RECORD_DIR "/var/lib/exhibit/records"

struct record {
    int64_t opened;      /* epoch; when the device was taken */
    uid_t uid;           /* for whom */
    const char *purpose; /* "acquire" or "compare" */
    const char *policy;  /* "any" or "evidence" */
    const struct device *device;
    enum write_block_level level;
    struct flag_state before, during, after;
    struct monitor_counts monitor;
    char monitor_missing[SUPERVISOR_WHY_MAX]; /* why there is none, or "" */
    bool guard_taken;                         /* the guard did not have it before this job */
    char guard_missing[SUPERVISOR_WHY_MAX];   /* why there is no guard where one was wanted */
    bool guard_lost;                          /* it was found taken away during the job */
    uint64_t refused;                         /* attempts to change the source; at level bpf-lsm */
    struct supervisor_attempt attempts[SUPERVISOR_ATTEMPTS_MAX]; /* the first of them */
    size_t n_attempts;
    uint32_t lost;      /* times that the flag was found cleared */
    int worker_status;  /* exit status, or 128 + signal, or -1 if none ran or was seen end */
    pid_t worker_stuck; /* killed, but waiting in the kernel with the device; or 0 */
    struct device_timeouts timeouts; /* as they were found */
    uint32_t timeout_set;            /* seconds; 0: left as they were */
    bool timeout_restored;
    const char *manifest_sha256; /* hex, or "" if the job wrote none */
};

/* Where the record of this job goes: known from its start, so that the manifest can name it. */
void record_path(const struct record *r, char *path, size_t n);

/* Writes the record as JSON, in place of the one before; `end`: the job is over. */
int record_write(const struct record *r, bool end, struct err *err);

const char *write_block_level_name(enum write_block_level level);

#endif
