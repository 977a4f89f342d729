#include "acquire/supervisor/guard.h"

#include <stdio.h>

/* Requests that write, by the names that people know; the numbers are the kernel's. */
static const struct {
    uint32_t request;
    const char *name;
} requests[] = {
    {0x125d, "BLKROSET"},
    {0x1277, "BLKDISCARD"},
    {0x127d, "BLKSECDISCARD"},
    {0x127f, "BLKZEROOUT"},
    {0x1269, "BLKPG"},
    {0x2285, "SG_IO"},
    {0x2284, "SG_SCSI_RESET"},
    {0x0001, "SCSI_IOCTL_SEND_COMMAND"},
    {0x031f, "HDIO_DRIVE_CMD"},
    {0x031e, "HDIO_DRIVE_TASK"},
    {0x031d, "HDIO_DRIVE_TASKFILE"},
    {0x4e42, "NVME_IOCTL_SUBMIT_IO"},
    {0x4e44, "NVME_IOCTL_RESET"},
    {0x4e45, "NVME_IOCTL_SUBSYS_RESET"},
    {0xc0484e41, "NVME_IOCTL_ADMIN_CMD"},
    {0xc0484e43, "NVME_IOCTL_IO_CMD"},
    {0xc0504e47, "NVME_IOCTL_ADMIN64_CMD"},
    {0xc0504e48, "NVME_IOCTL_IO64_CMD"},
    {0x4c00, "LOOP_SET_FD"},
    {0x4c01, "LOOP_CLR_FD"},
    {0x4c0a, "LOOP_CONFIGURE"},
};

static void
ioctl_text(uint32_t request, char *out, size_t size)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (requests[i].request == request) {
            (void)snprintf(out, size, "ioctl %s", requests[i].name);
            return;
        }
    }
    (void)snprintf(out, size, "ioctl 0x%x", (unsigned)request);
}

static const char *
self_text(uint32_t how)
{
    static const char *const texts[] = {
        [GUARD_SELF_PINS] = "removing the guard's pins",
        [GUARD_SELF_UMOUNT] = "unmounting the guard's file system",
        [GUARD_SELF_DETACH] = "detaching the guard",
        [GUARD_SELF_MAP] = "opening the guard's maps",
        [GUARD_SELF_TRACE] = "tracing a supervisor",
        [GUARD_SELF_SWITCH] = "switching off function tracing",
    };

    return how < sizeof texts / sizeof texts[0] && texts[how] ? texts[how] : "touching the guard";
}

void
guard_event_text(const struct guard_event *e, char *out, size_t size)
{
    unsigned detail = e->detail;

    switch (e->what) {
    case GUARD_OPEN:
        (void)snprintf(out, size, "open for writing");
        break;
    case GUARD_WRITE:
        (void)snprintf(out, size, "write");
        break;
    case GUARD_MAP:
        (void)snprintf(out, size, "shared writable mapping");
        break;
    case GUARD_IOCTL:
        ioctl_text(detail, out, size);
        break;
    case GUARD_SCSI:
        if (detail > 0xff)
            (void)snprintf(out, size, "ATA command 0x%02x", detail >> 8);
        else
            (void)snprintf(out, size, "SCSI command 0x%02x", detail);
        break;
    case GUARD_NVME:
        (void)snprintf(out, size, "NVMe admin command 0x%02x", detail);
        break;
    case GUARD_URING:
        (void)snprintf(out, size, "io_uring command 0x%x", detail);
        break;
    case GUARD_CLAIM:
        (void)snprintf(out, size, "mount, or another use by the kernel");
        break;
    case GUARD_SELF:
        (void)snprintf(out, size, "%s", self_text(detail));
        break;
    default:
        (void)snprintf(out, size, "attempt of kind %d", (int)e->what);
    }
}
