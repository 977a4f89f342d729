/*
 * The descriptors that a worker is born with, put there by the supervisor.
 */
#ifndef EXHIBIT_ACQUIRE_WORKER_FDS_H
#define EXHIBIT_ACQUIRE_WORKER_FDS_H

#define WORKER_FD_EVENTS 3 /* SOCK_SEQPACKET to the front: acquire/channel.h */
#define WORKER_FD_SOURCE 4 /* read-only, already opened */
#define WORKER_FD_DIR 5    /* the destination's directory; copies follow */
#define WORKER_DIRS_MAX 2

#endif
