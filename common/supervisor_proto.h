/*
 * The messages between a front (exhibit-acquire, exhibit-release, exhibit-verify) and the
 * supervisor: one fixed structure a packet on a SOCK_SEQPACKET socket, descriptors beside it. Both
 * ends are of one build, on one machine. The supervisor trusts none of it: whoever runs the front
 * is its adversary. No message carries a user id, the purpose or the policy; all three are fixed
 * when the supervisor is started:
 *
 *   exhibit-supervisor UID GID [acquire|compare [evidence [MARK...]]]
 *
 * acquire (without a word, too) images devices through workers and never lends a descriptor,
 * compare lends one for reading and never starts a worker. With "evidence" it takes only devices
 * that are marked as such, by udev or by one of the MARKs (acquire/device/device_evidence.h), lets
 * none be without write block, and lifts none that another job left.
 */
#ifndef EXHIBIT_SUPERVISOR_PROTO_H
#define EXHIBIT_SUPERVISOR_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define SUPERVISOR_FD 3       /* the supervisor's end of the socket */
#define SUPERVISOR_FDS_MAX 10 /* descriptors with one message */
#define SUPERVISOR_TEXT_MAX 1024
#define SUPERVISOR_SERIAL_MAX 256
#define SUPERVISOR_WHY_MAX 256
/* Seconds; the kernel would take any number, and count it in ticks that wrap around. */
#define SUPERVISOR_TIMEOUT_MAX 3600
/* The third and the fourth argument, see above. */
#define SUPERVISOR_ACQUIRE "acquire"
#define SUPERVISOR_COMPARE "compare"
#define SUPERVISOR_EVIDENCE "evidence"
#define SUPERVISOR_LEAST "least=" /* the weakest level that a job may have */

enum supervisor_type {
    SUPERVISOR_OPEN = 1, /* front: hold this device */
    SUPERVISOR_OPENED,
    SUPERVISOR_START, /* front: run the worker on what is held, or on a file's descriptor */
    SUPERVISOR_STARTED,
    SUPERVISOR_ENDED,   /* supervisor, unasked: the worker has ended */
    SUPERVISOR_ATTEMPT, /* supervisor, unasked: somebody was refused to change the source */
    SUPERVISOR_LEND,    /* front: give me what is held, to compare an image with it */
    SUPERVISOR_LENT,    /* with the descriptor, read-only */
    SUPERVISOR_ASK,     /* front: ask the drive; a pipe for exhibit-drive's answer comes along */
    SUPERVISOR_ASKED,
    SUPERVISOR_CHECK, /* front: look at the read-only flag and the device again */
    SUPERVISOR_CHECKED,
    SUPERVISOR_FINISH, /* front: the job is over; write the record */
    SUPERVISOR_FINISHED,
    SUPERVISOR_RELEASE, /* front: lift the write block */
    SUPERVISOR_RELEASED,
    SUPERVISOR_REFUSED, /* supervisor: no; text and outcome say why */
};

enum write_block_level {
    WRITE_BLOCK_AUTO,
    WRITE_BLOCK_BPF_LSM,
    WRITE_BLOCK_READ_ONLY_FLAG,
    WRITE_BLOCK_HARDWARE,
    WRITE_BLOCK_NONE,
};

/* What the kernel's read-only flag is on the disk and all its partitions taken together. */
struct flag_state {
    uint32_t nodes;     /* the disk and its partitions */
    uint32_t read_only; /* how many of them have the flag */
};

/* What the I/O monitor has counted for the disk since it was taken (acquire/supervisor/monitor.h).
 */
struct monitor_counts {
    bool available; /* it counts */
    uint64_t reads, writes, flushes, discards;
    uint64_t passthrough; /* commands that a driver passes on as they are */
    uint64_t internal;    /* commands that the driver (libata) sent on its own */
};

/* What the guard refused (acquire/supervisor/guard.h). Of each job so many are told; all are
 * counted. */
#define SUPERVISOR_ATTEMPTS_MAX 256
struct supervisor_attempt {
    int64_t when;    /* epoch, seconds */
    uint64_t device; /* dev_t of the node that it was tried on */
    int32_t pid;
    uint32_t uid;
    char name[32]; /* of the process, as the kernel has it: any bytes */
    char what[64]; /* "open for writing", "ioctl BLKROSET" … */
    char node[64]; /* kernel name of the node ("sda1", "sg0"), or "" */
};

struct supervisor_message {
    uint32_t type;     /* enum supervisor_type */
    uint32_t outcome;  /* REFUSED: enum outcome */
    uint64_t device;   /* OPEN, RELEASE: dev_t */
    uint64_t diskseq;  /* OPEN, RELEASE: as the front saw it; CHECKED: as it is now; 0: unknown */
    uint64_t size;     /* OPENED, CHECKED: bytes, of the open descriptor; 0: the device is gone */
    uint32_t level;    /* OPEN: demanded; OPENED: in force (enum write_block_level) */
    int32_t status;    /* ENDED: exit status, or 128 + signal; STARTED: pid */
    uint32_t n_copies; /* START: further directories beside the first */
    uint32_t release;  /* FINISH: lift the write block at the end */
    uint32_t lost;     /* CHECKED, FINISHED: how often the flag was found cleared, and set again */
    uint32_t scsi_timeout; /* OPEN: set the kernel's timeouts to so many seconds, at most
                              SUPERVISOR_TIMEOUT_MAX; 0: leave them */
    uint32_t locked;       /* OPENED: enum device_locked */
    struct flag_state before, now;
    struct monitor_counts monitor;     /* OPENED, CHECKED, FINISHED */
    bool guarded;                      /* OPENED, CHECKED, FINISHED: the guard is in force … */
    bool guard_lost;                   /* … or was, and something took it away … */
    uint64_t refused;                  /* … and has refused so many attempts */
    struct supervisor_attempt attempt; /* ATTEMPT */
    char monitor_missing[SUPERVISOR_WHY_MAX]; /* OPENED: why there is no monitor, or "" */
    char guard_missing[SUPERVISOR_WHY_MAX];   /* OPENED: why no guard that was wanted, or "" */
    /* OPEN: the serial number expected, or ""; OPENED: where the record will be, or ""; FINISH: hex
       SHA-256 of the manifest, or ""; FINISHED: path of the record (outcome 0) or why there is
       none; REFUSED: the reason */
    char text[SUPERVISOR_TEXT_MAX];
    char serial[SUPERVISOR_SERIAL_MAX]; /* OPENED: of the device, or "" */
};

/* START's descriptors: the front's end for the worker's events, the directories of the destination
   (acquire/job/worker_fds.h), and, if no device is held, the source file. */

/* Sends m with n descriptors (which stay the caller's). */
int supervisor_send(int sock, const struct supervisor_message *m, const int *fds, size_t n,
                    struct err *err);

/* Sends m if there is room for it now; -1 otherwise, too. */
int supervisor_tell(int sock, const struct supervisor_message *m, struct err *err);

/* Receives one message: 1, or 0 at the end of the socket, or -1. fds has room for
   SUPERVISOR_FDS_MAX; those received become the caller's (close-on-exec). A packet of another size,
   with an unterminated text or too many descriptors is an error. */
int supervisor_receive(int sock, struct supervisor_message *m, int *fds, size_t *n,
                       struct err *err);

#endif
