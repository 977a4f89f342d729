/* NVMe commands, by ioctl and by io_uring, and io_uring's own writing. */
#include "tests/vm/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/nvme_ioctl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- NVMe --- */

static struct nvme_passthru_cmd
nvme_write_command(unsigned sector)
{
    return (struct nvme_passthru_cmd){
        .opcode = 0x01,
        .nsid = 1,
        .addr = (uintptr_t)data,
        .data_len = SECTOR,
        .cdw10 = sector,
        .timeout_ms = 5000,
    };
}

int
way_nvme_write(const char *node)
{
    struct nvme_passthru_cmd c = nvme_write_command(18);

    return ioctl(open_node(node, O_RDONLY), NVME_IOCTL_IO_CMD, &c) == 0 ? 0 : refused("IO_CMD");
}

static int
admin(const char *node, unsigned opcode, unsigned length)
{
    static unsigned char page[4096] __attribute__((aligned(4096)));
    struct nvme_passthru_cmd c = {
        .opcode = (uint8_t)opcode,
        .nsid = opcode == 0x06 ? 0 : 1,
        .addr = length ? (uintptr_t)page : 0,
        .data_len = length,
        .cdw10 = opcode == 0x06,
        .timeout_ms = 20000,
    };
    int r = ioctl(open_node(node, O_RDONLY), NVME_IOCTL_ADMIN_CMD, &c);

    if (r < 0)
        return refused("ADMIN_CMD");
    if (r > 0)
        (void)printf("the drive did not take it: status 0x%x\n", (unsigned)r);
    return r == 0 ? 0 : 2;
}

int
way_nvme_format(const char *node)
{
    return admin(node, 0x80, 0);
}

int
way_nvme_identify(const char *node)
{
    return admin(node, 0x06, 4096);
}

/* --- io_uring --- */

struct ring {
    int fd;
    struct io_uring_params p;
    unsigned char *sq, *cq;
    unsigned char *sqes;
};

static int
ring_open(struct ring *r)
{
    memset(r, 0, sizeof *r);
    r->p.flags = IORING_SETUP_SQE128 | IORING_SETUP_CQE32;
    r->fd = (int)syscall(SYS_io_uring_setup, 4, &r->p);
    if (r->fd < 0)
        return -1;
    r->sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
    r->cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
    r->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQES);
    return r->sq == MAP_FAILED || r->cq == MAP_FAILED || r->sqes == MAP_FAILED ? -1 : 0;
}

/* The one entry that is there: its result. */
static int
ring_run(struct ring *r)
{
    unsigned *array = (unsigned *)(void *)(r->sq + r->p.sq_off.array);
    unsigned *tail = (unsigned *)(void *)(r->sq + r->p.sq_off.tail);
    const struct io_uring_cqe *cqe = (const void *)(r->cq + r->p.cq_off.cqes);

    array[*tail & 3] = 0;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
        return -errno;
    return cqe->res;
}

int
ring_write(int fd, unsigned sector)
{
    struct io_uring_sqe *sqe;
    struct ring r;

    if (ring_open(&r) != 0)
        return 2;
    sqe = (void *)r.sqes;
    *sqe = (struct io_uring_sqe){
        .opcode = IORING_OP_WRITE,
        .fd = fd,
        .off = (uint64_t)sector * SECTOR,
        .addr = (uintptr_t)data,
        .len = SECTOR,
    };
    errno = -ring_run(&r);
    return errno <= 0 ? 0 : refused("io_uring write");
}

/* linux/nvme_ioctl.h of Linux 5.19: NVME_URING_CMD_IO is _IOWR('N', 0x80, struct nvme_uring_cmd),
   which is struct nvme_passthru_cmd with a reserved word for the result. */
int
way_uring(const char *node)
{
    struct nvme_passthru_cmd c = nvme_write_command(19);
    struct io_uring_sqe *sqe;
    struct ring r;
    int result;

    if (ring_open(&r) != 0)
        return 2;
    sqe = (void *)r.sqes;
    *sqe = (struct io_uring_sqe){
        .opcode = 46, /* IORING_OP_URING_CMD */
        .fd = open_node(node, O_RDONLY),
        .off = 0xC0484E80u,
    };
    memcpy(r.sqes + 48, &c, sizeof c);
    result = ring_run(&r);
    errno = result < 0 ? -result : 0;
    return result == 0 ? 0 : refused("uring_cmd");
}
