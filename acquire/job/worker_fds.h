/*
 * The descriptors that a worker is born with, put there by the supervisor.
 */
#ifndef EXHIBIT_ACQUIRE_WORKER_FDS_H
#define EXHIBIT_ACQUIRE_WORKER_FDS_H

#define WORKER_FD_EVENTS 3 /* SOCK_SEQPACKET to the front: acquire/job/channel.h */
#define WORKER_FD_SOURCE 4 /* read-only, already opened */
#define WORKER_FD_DIR 5 /* directories: one a sink to write to, then earlier ones to go on from */
#define WORKER_SINKS_MAX 2 /* the image and one copy */
#define WORKER_DIRS_MAX 8

#endif
