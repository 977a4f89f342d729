/*
 * What the guard refuses, for its programs in the kernel, the supervisor and whoever reads its
 * events.
 */
#ifndef EXHIBIT_ACQUIRE_GUARD_ATTEMPT_H
#define EXHIBIT_ACQUIRE_GUARD_ATTEMPT_H

/* The numbers are known to the programs in the kernel. */
enum guard_attempt {
    GUARD_OPEN = 1,  /* opening for writing */
    GUARD_WRITE = 2, /* writing through a descriptor opened before */
    GUARD_MAP = 3,   /* mapping shared and writable, or making a mapping so */
    GUARD_IOCTL = 4, /* detail: the request */
    GUARD_SCSI = 5,  /* detail: the operation code, and an ATA command's above it (<< 8) */
    GUARD_NVME = 6,  /* detail: the admin command's operation code */
    GUARD_URING = 7, /* a command by way of io_uring; detail: its request */
    GUARD_CLAIM = 8, /* the kernel taking it: mount, device-mapper, md, swap */
    GUARD_SELF = 9,  /* the guard itself; detail: enum guard_self */
};

/* What was tried on the guard. It concerns every disk, and is kept for each. */
enum guard_self {
    GUARD_SELF_PINS = 1,   /* removing, renaming or replacing what is pinned */
    GUARD_SELF_UMOUNT = 2, /* unmounting the file system with the pins */
    GUARD_SELF_DETACH = 3, /* detaching or exchanging a program */
    GUARD_SELF_MAP = 4,    /* getting at a map */
    GUARD_SELF_TRACE = 5,  /* tracing a supervisor, or reaching into its memory */
    GUARD_SELF_SWITCH = 6, /* the kernel's switch for all programs of this kind */
};

#endif
