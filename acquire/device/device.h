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

/* The kernel's own encoding of a device number (MKDEV). */
uint32_t device_kernel_number(dev_t number);
dev_t device_number_of_kernel(uint32_t number);

/* Reads the block device with that number. OUTCOME_FAILED if there is none. */
int device_read(dev_t number, struct device *out, struct err *err);

/* The disk's sequence number now; 0: it has none, or is gone. */
uint64_t device_diskseq(const struct device *device);

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

/* True if a worker of this suite has the disk open; `why` gets it: "process 12 (exhibit-worker)".
 */
bool device_has_worker(const struct device *device, char *why, size_t why_size);

/* A setting of the kernel's that was changed for a job, and what it was before; path "" if it was
   not changed. */
struct device_setting {
    char path[1024]; /* its file in sysfs */
    char old[24];
};

/* Keeps the USB device that the disk hangs on (if it does) from autosuspending; needs root. */
void device_usb_keep_awake(const struct device *device, struct device_setting *state);

/* How long the kernel waits for a SCSI (or ATA) disk, in seconds: for a command, and for one of its
   error handler. */
struct device_timeouts {
    bool known; /* the kernel has them for this device */
    uint64_t command, handler;
};
void device_timeouts(const struct device *device, struct device_timeouts *out);

/* Sets both (the handler's is never made longer); needs root. -1 if the device has none, or the
   kernel does not take the value; nothing is changed then. */
int device_timeouts_set(const struct device *device, uint64_t seconds,
                        struct device_setting settings[2], struct err *err);

/* True if it was put back, or there was nothing to put back. */
bool device_setting_restore(const struct device_setting *setting);

/* Whether a drive says of itself that it is locked: why none of its sectors can be read. */
enum device_locked {
    DEVICE_NOT_LOCKED, /* as far as is known */
    DEVICE_LOCKED_ATA, /* by an ATA password */
    DEVICE_LOCKED_OPAL,
};
/* Asks what the kernel knows from the drive's identification, and through `fd` of the open device;
   no command is sent that changes anything. */
enum device_locked device_locked(const struct device *device, int fd);

#endif
