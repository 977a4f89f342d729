/*
 * Who may have the daemon lift a write block: root, and whoever the last job on the device was
 * for, by the supervisors' own records.
 */
#ifndef EXHIBIT_ACQUIRE_DAEMON_RELEASE_H
#define EXHIBIT_ACQUIRE_DAEMON_RELEASE_H

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

/* The node of that block device, "/dev/NAME", which the caller frees, and its disk's sequence
   number (0: the kernel has none); NULL where there is no such device, or this user may not have it
   released (OUTCOME_REFUSED). */
char *daemon_release_node(dev_t device, uid_t uid, uint64_t *diskseq, struct err *err);

/* The same with the records in another directory. */
char *daemon_release_node_at(const char *records, dev_t device, uid_t uid, uint64_t *diskseq,
                             struct err *err);

#endif
