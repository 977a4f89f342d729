/*
 * Ways to write to a disk, for tests/vm/guard.guest.sh:
 *
 *   attack WAY NODE    exit 0: it went through; 1: refused (says by what errno); 2: cannot be tried
 *
 * Writes the word "attack" to the sector that is its own, so that the host sees which one got
 * through. "late" reads a line before it goes on: what it opened and mapped by then is older than
 * the guard, in a place where nobody sees it.
 */
#include "tests/vm/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

unsigned char data[SECTOR] __attribute__((aligned(4096)));

int
refused(const char *where)
{
    (void)printf("%s: %s\n", where, strerror(errno));
    return 1;
}

int
open_node(const char *node, int flags)
{
    int fd = open(node, flags | O_CLOEXEC);

    if (fd < 0) {
        (void)refused("open");
        exit(flags == O_RDONLY ? 2 : 1);
    }
    return fd;
}

/* --- the block layer --- */

static int
way_open(const char *node)
{
    int fd = open_node(node, O_RDWR);

    return pwrite(fd, data, SECTOR, 10 * SECTOR) == SECTOR && fsync(fd) == 0 ? 0 : refused("write");
}

/* The kernel asks for a descriptor that writes; where there is none, the guard is asked first. */
static int
range_ioctl(const char *node, unsigned long request)
{
    uint64_t range[2] = {64 * SECTOR, 8 * SECTOR};
    int fd = open(node, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        fd = open_node(node, O_RDONLY);
    return ioctl(fd, request, range) == 0 ? 0 : refused("ioctl");
}

static int
way_discard(const char *node)
{
    return range_ioctl(node, BLKDISCARD);
}

static int
way_zeroout(const char *node)
{
    return range_ioctl(node, BLKZEROOUT);
}

static int
way_setrw(const char *node)
{
    int off = 0;

    return ioctl(open_node(node, O_RDONLY), BLKROSET, &off) == 0 ? 0 : refused("ioctl");
}

/* --- what was there before --- */

/* On its way through a socket a descriptor is in no process's table. */
static int
hide_and_wait(int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return -1;
    memset(&control, 0, sizeof control);
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    if (sendmsg(pair[0], &m, 0) != 1)
        return -1;
    (void)close(fd);
    (void)printf("ready\n");
    (void)fflush(stdout);
    (void)getchar();
    if (recvmsg(pair[1], &m, 0) != 1)
        return -1;
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return fd;
}

/* Every way that the old descriptor has; the ones that went through are counted. */
static int
way_late(const char *node)
{
    int fd = hide_and_wait(open_node(node, O_RDWR));
    uint64_t range[2] = {64 * SECTOR, 8 * SECTOR};
    unsigned char cdb[16];
    unsigned char *map;
    int through = 0;

    if (fd < 0)
        return 2;
    through += pwrite(fd, data, SECTOR, 21 * SECTOR) == SECTOR;
    through += ring_write(fd, 22) == 0;
    through += fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 64 * SECTOR, 4096) == 0;
    through += ioctl(fd, BLKDISCARD, range) == 0;
    through += ioctl(fd, BLKZEROOUT, range) == 0;
    write10(cdb, 23);
    through += send_cdb(fd, cdb, 10, SG_DXFER_TO_DEV) == 0;
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    through += map != MAP_FAILED;
    map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    through += map != MAP_FAILED && mprotect(map, 4096, PROT_READ | PROT_WRITE) == 0;
    (void)printf("%d went through\n", through);
    return through == 0;
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*go)(const char *node);
    } ways[] = {
        {"open", way_open},
        {"discard", way_discard},
        {"zeroout", way_zeroout},
        {"setrw", way_setrw},
        {"scsi", way_scsi},
        {"ata", way_ata},
        {"identify", way_identify},
        {"sg-rw", way_sg_rw},
        {"sg-write", way_sg_write},
        {"bsg", way_bsg},
        {"send-command", way_send_command},
        {"race", way_race},
        {"nvme-write", way_nvme_write},
        {"nvme-format", way_nvme_format},
        {"nvme-identify", way_nvme_identify},
        {"uring", way_uring},
#if defined(__x86_64__)
        {"compat", way_compat},
#endif
        {"late", way_late},
    };

    for (size_t i = 0; argc == 3 && i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(argv[1], ways[i].name) == 0) {
            for (size_t at = 0; at + 6 <= sizeof data; at += 6)
                memcpy(data + at, "attack", 6);
            return ways[i].go(argv[2]);
        }
    }
    (void)fprintf(stderr, "usage: attack WAY NODE\n");
    return 2;
}
