/* SCSI and ATA commands, through sd, sg and bsg, and from a 32-bit program. */
#include "tests/vm/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bsg.h>
#include <pthread.h>
#include <scsi/scsi_ioctl.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RACES 400

void
write10(unsigned char cdb[16], unsigned sector)
{
    memset(cdb, 0, 16);
    cdb[0] = 0x2a;
    cdb[5] = (unsigned char)sector;
    cdb[8] = 1;
}

/* ATA PASS-THROUGH (16): PIO data out, WRITE SECTORS. */
static void
ata_write(unsigned char cdb[16], unsigned sector)
{
    const unsigned char c[16] = {0x85, 5 << 1, 0x06, 0, 0,    0,    1, 0, (unsigned char)sector,
                                 0,    0,      0,    0, 0x40, 0x30, 0};

    memcpy(cdb, c, 16);
}

/* PIO data in, IDENTIFY DEVICE. */
static void
ata_identify(unsigned char cdb[16])
{
    const unsigned char c[16] = {0x85, 4 << 1, 0x0e, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xec, 0};

    memcpy(cdb, c, 16);
}

static void
fill_header(sg_io_hdr_t *h, unsigned char *cdb, unsigned length, int direction)
{
    static unsigned char sense[64];

    *h = (sg_io_hdr_t){
        .interface_id = 'S',
        .dxfer_direction = direction,
        .cmd_len = (unsigned char)length,
        .mx_sb_len = sizeof sense,
        .dxfer_len = SECTOR,
        .dxferp = data,
        .cmdp = cdb,
        .sbp = sense,
        .timeout = 5000,
    };
}

int
send_cdb(int fd, unsigned char *cdb, unsigned length, int direction)
{
    sg_io_hdr_t h;

    fill_header(&h, cdb, length, direction);
    if (ioctl(fd, SG_IO, &h) != 0)
        return refused("SG_IO");
    if (h.status == 0 && h.host_status == 0)
        return 0;
    (void)printf("the drive did not take it: status %d, host %d\n", h.status, h.host_status);
    return 2;
}

int
way_scsi(const char *node)
{
    unsigned char cdb[16];

    write10(cdb, 11);
    return send_cdb(open_node(node, O_RDONLY), cdb, 10, SG_DXFER_TO_DEV);
}

int
way_ata(const char *node)
{
    unsigned char cdb[16];

    ata_write(cdb, 12);
    return send_cdb(open_node(node, O_RDONLY), cdb, 16, SG_DXFER_TO_DEV);
}

int
way_identify(const char *node)
{
    unsigned char cdb[16];

    ata_identify(cdb);
    return send_cdb(open_node(node, O_RDONLY), cdb, 16, SG_DXFER_FROM_DEV);
}

int
way_sg_rw(const char *node)
{
    unsigned char cdb[16];

    write10(cdb, 13);
    return send_cdb(open_node(node, O_RDWR), cdb, 10, SG_DXFER_TO_DEV);
}

int
way_sg_write(const char *node)
{
    int fd = open_node(node, O_RDWR);
    unsigned char cdb[16];
    sg_io_hdr_t h;

    write10(cdb, 14);
    fill_header(&h, cdb, 10, SG_DXFER_TO_DEV);
    if (write(fd, &h, sizeof h) != (ssize_t)sizeof h)
        return refused("write");
    return read(fd, &h, sizeof h) == (ssize_t)sizeof h && h.status == 0 ? 0 : refused("read");
}

int
way_bsg(const char *node)
{
    unsigned char cdb[16];
    unsigned char sense[64];
    struct sg_io_v4 h = {
        .guard = 'Q',
        .request_len = 10,
        .request = (uintptr_t)cdb,
        .dout_xfer_len = SECTOR,
        .dout_xferp = (uintptr_t)data,
        .max_response_len = sizeof sense,
        .response = (uintptr_t)sense,
        .timeout = 5000,
    };

    write10(cdb, 15);
    if (ioctl(open_node(node, O_RDONLY), SG_IO, &h) != 0)
        return refused("SG_IO");
    return h.device_status == 0 ? 0 : 2;
}

int
way_send_command(const char *node)
{
    struct {
        unsigned in, out;
        unsigned char bytes[16 + SECTOR];
    } c = {.out = SECTOR};

    write10(c.bytes, 16);
    memcpy(c.bytes + 10, data, SECTOR);
    return ioctl(open_node(node, O_RDONLY), SCSI_IOCTL_SEND_COMMAND, &c) == 0
               ? 0
               : refused("SCSI_IOCTL_SEND_COMMAND");
}

/* A second thread changes the command between the look at it and the kernel's copying it. */
static volatile unsigned char raced[16];
static volatile int racing = 1;

static void *
change(void *unused)
{
    unsigned char good[16], bad[16];

    ata_identify(good);
    ata_write(bad, 17);
    while (racing) {
        for (int i = 0; i < 16; i++)
            raced[i] = good[i];
        for (int i = 0; i < 16; i++)
            raced[i] = bad[i];
    }
    return unused;
}

/* The host looks whether one got through. */
int
way_race(const char *node)
{
    int fd = open_node(node, O_RDONLY);
    int went_on = 0;
    pthread_t thread;

    if (pthread_create(&thread, NULL, change, NULL) != 0)
        return 2;
    for (int i = 0; i < RACES; i++) {
        sg_io_hdr_t h;

        fill_header(&h, (unsigned char *)(uintptr_t)raced, 16, SG_DXFER_TO_DEV);
        h.timeout = 300;
        went_on += ioctl(fd, SG_IO, &h) == 0;
    }
    racing = 0;
    (void)pthread_join(thread, NULL);
    (void)printf("%d of %d were let through as something else\n", went_on, RACES);
    return 1;
}

/* --- 32-bit: the system call of the old kind, with everything below 4 GiB --- */

#if defined(__x86_64__)
static long
ioctl32(int fd, unsigned long request, void *arg)
{
    long r;

    __asm__ volatile("int $0x80"
                     : "=a"(r)
                     : "a"(54L), "b"((long)fd), "c"(request), "d"(arg)
                     : "memory", "r8", "r9", "r10", "r11");
    return r;
}

/* struct sg_io_hdr of a 32-bit program. */
struct header32 {
    int32_t interface_id, direction;
    uint8_t cmd_len, mx_sb_len;
    uint16_t iovec_count;
    uint32_t dxfer_len, dxferp, cmdp, sbp, timeout, flags;
    int32_t pack_id;
    uint32_t usr_ptr;
    uint8_t status[4];
    uint16_t host_status, driver_status;
    int32_t resid;
    uint32_t duration, info;
};

int
way_compat(const char *node)
{
    unsigned char *low =
        mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    struct header32 *h = (void *)low;
    uint32_t base = (uint32_t)(uintptr_t)low;
    long r;

    if (low == MAP_FAILED)
        return 2;
    memcpy(low + 4096, data, SECTOR);
    write10(low + 512, 20);
    *h = (struct header32){
        .interface_id = 'S',
        .direction = SG_DXFER_TO_DEV,
        .cmd_len = 10,
        .mx_sb_len = 64,
        .dxfer_len = SECTOR,
        .dxferp = base + 4096,
        .cmdp = base + 512,
        .sbp = base + 1024,
        .timeout = 5000,
    };
    r = ioctl32(open_node(node, O_RDONLY), SG_IO, low);
    errno = (int)-r;
    return r == 0 ? 0 : refused("SG_IO of 32 bits");
}
#endif
