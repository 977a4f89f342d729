/*
 * What a block device says of itself, read from sysfs and the udev database; nothing is opened for
 * writing and no command is sent to the device. Plain libc, since the supervisor uses it as well.
 */
#ifndef EXHIBIT_ACQUIRE_DEVICE_H
#define EXHIBIT_ACQUIRE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

#define DEVICE_TEXT_MAX 256
#define DEVICE_PARTITIONS_MAX 256

struct device_partition {
    char name[DEVICE_TEXT_MAX]; /* kernel name: "sda1"; its node is /dev/NAME */
    dev_t number;
    uint64_t start; /* bytes */
    uint64_t size;  /* bytes */
};

/* Texts are bytes as the device gave them, blanks at both ends cut off, "" where unknown. */
struct device {
    char name[DEVICE_TEXT_MAX]; /* kernel name: "sda", "sda1", "nvme0n1" */
    dev_t number;
    bool is_partition;
    char disk_name[DEVICE_TEXT_MAX]; /* the whole disk; = name unless a partition */
    dev_t disk_number;
    uint64_t size;                 /* bytes, of the device itself */
    uint32_t logical_sector_size;  /* bytes */
    uint32_t physical_sector_size; /* bytes */
    bool read_only;                /* the kernel's flag */
    bool removable;
    bool rotational;
    uint64_t diskseq; /* changes with every attachment or medium; 0 before Linux 5.15 */
    char vendor[DEVICE_TEXT_MAX];
    char model[DEVICE_TEXT_MAX];
    char serial[DEVICE_TEXT_MAX];
    char wwn[DEVICE_TEXT_MAX];
    char firmware[DEVICE_TEXT_MAX];
    char bus[16]; /* "ata", "scsi", "usb", "nvme", "mmc", "virtio", "virtual" or "" */
    char backing_file[DEVICE_TEXT_MAX * 4];                    /* of a loop device */
    struct device_partition partitions[DEVICE_PARTITIONS_MAX]; /* of the whole disk */
    size_t n_partitions;
    bool more_partitions; /* there are more than fit */
};

/* Reads the block device with that number. OUTCOME_FAILED if there is none. */
int device_read(dev_t number, struct device *out, struct err *err);

/* All whole disks that hold media (size above 0), in name order: the numbers are put into *out,
   which the caller frees. */
int device_list(dev_t **out, size_t *n, struct err *err);

enum device_use {
    DEVICE_FREE,
    DEVICE_BUSY,   /* mounted, swap, or held by another block device (dm, md, bcache …) */
    DEVICE_SYSTEM, /* the running system lies on it: /, /boot, /usr, /var …, or its swap */
};

/* Who uses the disk that `device` is or lies on: the disk, any of its partitions, and whatever
   stands on them through holders. `why` gets the first reason for people, e.g.
   "mounted at /mnt" or "sda2 is swap"; mount points stand there raw (unescaped of octal). */
enum device_use device_in_use(const struct device *device, char *why, size_t why_size);
/* The same, and loop devices are asked for their files by way of their nodes, opened for reading:
   what sysfs gives is a path, and may be another file's by now. */
enum device_use device_in_use_closely(const struct device *device, char *why, size_t why_size);

/* True if files on the file system at `path_fd` end up on that disk: through partitions, dm, md,
   and loop devices whose backing file lies there. */
bool device_holds_path(const struct device *device, int path_fd);

/* The same for a source that is a regular file, opened at `file_fd`. It is busy where it backs a
   loop device that can be written to or that somebody uses ("attached as /dev/loop0"); a loop
   device attached read-only and left alone is nobody. */
enum device_use file_in_use(int file_fd, char *why, size_t why_size);

/* True if files on the file system at `path_fd` end up in that file; also where a loop device on
   the way down does not tell its file. */
bool file_holds_path(int file_fd, int path_fd);

/* True if a process other than this one has the disk, or a partition of it, open for writing or
   mapped shared from such a descriptor; `why` gets the first one, its name escaped: "process 12
   (dd) has it open for writing". Processes that may not be looked at are passed over; as root, all
   of this PID namespace may. */
bool device_has_writer(const struct device *device, char *why, size_t why_size);

/* Keeps the USB device that the disk hangs on (if it does) from autosuspending; needs root. The old
   setting goes into `state` (empty if nothing was changed), for device_usb_restore(). */
struct device_usb_state {
    char path[1024]; /* its power/control file */
    char old[16];
};
void device_usb_keep_awake(const struct device *device, struct device_usb_state *state);
void device_usb_restore(const struct device_usb_state *state);

#endif
