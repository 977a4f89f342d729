/*
 * The guard: programs in the kernel (BPF LSM) that refuse every write to a set of disks, whoever
 * tries, root included; write block level bpf-lsm. What is refused, and what is not, stands in
 * docs/threat-model.md. The programs are pinned below /sys/fs/bpf/exhibit: one set of them for all
 * disks and jobs, which outlives the supervisors and goes when the last disk is released. A disk
 * that leaves and comes back is protected again as it appears.
 */
#ifndef EXHIBIT_ACQUIRE_GUARD_H
#define EXHIBIT_ACQUIRE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "acquire/device/device.h"
#include "acquire/supervisor/guard_attempt.h"
#include "common/err.h"

struct guard;

struct guard_event {
    uint64_t boot_ns; /* since the machine was started, suspension included (CLOCK_BOOTTIME) */
    uint32_t pid;
    uint32_t uid;
    enum guard_attempt what;
    uint32_t detail;
    bool character; /* a character device: sg, bsg, nvme */
    dev_t device;
    char comm[16]; /* the process's name: bytes, ended with a NUL */
};

/* Whether it can be had, loading what is not in the kernel yet. NULL and the reason in words
   (OUTCOME_REFUSED) where it cannot. */
struct guard *guard_open(struct err *err);

/* Closes what guard_open() gave; the protection stays. The programs go if no disk is protected. */
void guard_close(struct guard *g);

/* Protects the disk that `device` is or lies on, its partitions and its character devices. `fd` is
   open on `device`. *before tells whether it was protected already. OUTCOME_REFUSED where it
   cannot. After an error nothing new is protected. */
int guard_protect(struct guard *g, const struct device *device, int fd, bool *before,
                  struct err *err);

/* Whether what guard_protect() protected still is. */
bool guard_holds(const struct guard *g);

/* Copies up to `max` of the attempts that were refused on the disk since guard_protect() and were
   not yet handed out, oldest first; returns how many. What was overwritten before it was asked for
   is missing here and counted in *refused, which is how many there were in all since then. */
size_t guard_events(struct guard *g, struct guard_event *out, size_t max, uint64_t *refused);

/* "open for writing", "ioctl BLKDISCARD", "SCSI command 0x2a" … */
void guard_event_text(const struct guard_event *e, char *out, size_t size);

/* Lifts the protection of the disk that `device` is or lies on, if there is one. */
int guard_release(const struct device *device, struct err *err);

#endif
