/*
 * What the monitor's programs in the kernel and monitor_linux.c share: one value of a map.
 */
#ifndef EXHIBIT_ACQUIRE_BPF_MONITOR_SHARED_H
#define EXHIBIT_ACQUIRE_BPF_MONITOR_SHARED_H

/* Requests by kind. */
struct monitor_kinds {
    unsigned long long reads;
    unsigned long long writes; /* what writes zeros or moves a zone's end as well */
    unsigned long long flushes;
    unsigned long long discards;    /* secure erasure as well */
    unsigned long long passthrough; /* commands that a driver passes on as they are */
};

struct monitor_state {
    /* set before the programs are attached; a disk's number in the kernel's own encoding: the
       major number above 20 bits of minor */
    unsigned int disk;
    unsigned int controller; /* of an NVMe disk: its character device's; 0: none */
    /* counted */
    struct monitor_kinds bios;       /* as they are handed to the block layer, for the disk */
    struct monitor_kinds requests;   /* as the disk's queue hands them to the driver */
    unsigned long long scsi;         /* commands to the disk, as the SCSI layer dispatches them */
    unsigned long long nvme_admin;   /* commands to the NVMe disk's controller */
    unsigned long long ata_internal; /* commands that libata sends the disk on its own */
};

#endif
