/*
 * What the guard's programs in the kernel and guard_linux.c share: the maps' keys and values, and
 * the numbers in them. Whatever changes here, in a map's size or in what a program expects of a map
 * changes GUARD_ABI: the programs stay in the kernel for longer than the file that loaded them.
 */
#ifndef EXHIBIT_ACQUIRE_BPF_GUARD_SHARED_H
#define EXHIBIT_ACQUIRE_BPF_GUARD_SHARED_H

#define GUARD_ABI 2u

#define GUARD_DISKS_MAX 64
#define GUARD_NODES_MAX 16384
#define GUARD_EVENTS_KEPT 256 /* of each disk, the last ones; a power of two */

enum guard_kind {
    GUARD_BLOCK = 1,
    GUARD_CHAR = 2,
};

/* A device node: kind and the kernel's own encoding of its number, the major number above 20 bits
   of minor. */
struct guard_node {
    unsigned int kind;
    unsigned int number;
};

/* By what a disk is known when it comes back. */
enum guard_identity_kind {
    GUARD_BY_SCSI = 1, /* INQUIRY's vendor, product and revision; the serial number of VPD page 80h,
                          or else of the USB device */
    GUARD_BY_NVME = 2, /* the serial number of the subsystem */
    GUARD_BY_PLACE = 3, /* the name of the device that the controller or disk hangs on */
};

#define GUARD_IDENTITY_SIZE 92
#define GUARD_SERIAL_AT 32
#define GUARD_SERIAL_MAX 60

struct guard_identity {
    unsigned int kind;
    unsigned char bytes[GUARD_IDENTITY_SIZE];
};

struct guard_disk {
    unsigned long long refused; /* attempts so far */
    unsigned long long left_ns; /* since when it is away (CLOCK_BOOTTIME); 0: it is there */
    unsigned int number;        /* of its block device */
    unsigned int used;
    unsigned int scsi; /* its pass-through commands are SCSI's */
};

struct guard_record {
    unsigned long long number; /* the first is 1; written last */
    unsigned long long boot_ns;
    unsigned int pid;
    unsigned int uid;
    unsigned int kind;   /* enum guard_kind of the node */
    unsigned int device; /* its number */
    unsigned int what;   /* enum guard_attempt (acquire/supervisor/guard.h) */
    unsigned int detail;
    char comm[16];
};

/* Offsets in structures of modules that may be loaded later than the programs; 0: not known. */
struct guard_layout {
    unsigned int scsi_device; /* of its struct device */
    unsigned int scsi_inquiry;
    unsigned int scsi_vpd80;
    unsigned int vpd_len;
    unsigned int vpd_data;
    unsigned int usb_device; /* of its struct device */
    unsigned int usb_serial;
    unsigned int nvme_subsystem;
    unsigned int nvme_serial;
};

struct guard_config {
    unsigned int abi;
    unsigned int disks;   /* how many are used */
    unsigned int pins;    /* the number of the bpf file system */
    unsigned int exe_dev; /* the program that loaded them */
    unsigned long long exe_ino;
    unsigned int judge; /* SCSI commands can be judged by the kernel's own copy of them */
    struct guard_layout layout;
};

/* The ioctl by which the supervisor names a disk, through an open descriptor of it; `arg` is the
   disk's index. It never gets further than the guard, which answers ECANCELED. */
#define GUARD_ENROL 0x45784701u

/* Every map and program has a name that begins so; only the supervisor gets at them. */
#define GUARD_PREFIX "exhibit_"

#endif
