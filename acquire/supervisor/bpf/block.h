/*
 * What the monitor reads of the kernel's structures. Only the fields that are used are declared;
 * where they lie is taken from the running kernel's own description (BTF) when the program is
 * loaded. The names are the kernel's.
 */
#ifndef EXHIBIT_ACQUIRE_BPF_BLOCK_H
#define EXHIBIT_ACQUIRE_BPF_BLOCK_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct gendisk {
    int major;
    int first_minor;
};

struct request_queue {
    struct gendisk *disk;
};

struct block_device {
    struct gendisk *bd_disk;
};

struct bvec_iter {
    unsigned int bi_size;
};

struct bio {
    struct block_device *bi_bdev;
    struct bvec_iter bi_iter;
    unsigned int bi_opf;
};

struct request {
    struct request_queue *q;
    unsigned int cmd_flags;
};

struct scsi_device {
    struct request_queue *request_queue;
};

struct scsi_cmnd {
    struct scsi_device *device;
};

struct ata_device {
    struct scsi_device *sdev;
};

struct ata_queued_cmd {
    struct ata_device *dev;
    struct scsi_cmnd *scsicmd;
};

struct device {
    unsigned int devt;
};

struct nvme_ctrl {
    struct device *device;
};

/* Lies behind the struct request of an NVMe queue. */
struct nvme_request {
    struct nvme_ctrl *ctrl;
};

struct nvme_command;

#pragma clang attribute pop

/* blk_opf_t: the lowest eight bits say what is asked for (REQ_OP_MASK); the numbers have been the
   same since Linux 4.12. */
#define OP_MASK 0xffu
#define OP_READ 0
#define OP_WRITE 1
#define OP_FLUSH 2
#define OP_DISCARD 3
#define OP_SECURE_ERASE 5
#define OP_DRV_IN 34
#define OP_DRV_OUT 35

#endif
