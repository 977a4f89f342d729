/*
 * Whether a drive is locked. A locked drive answers every read with an error, as a dead one does.
 */
#include <linux/hdreg.h>
#include <linux/sed-opal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "acquire/device/ata_identify.h"
#include "acquire/device/device.h"
#include "acquire/device/device_sysfs.h"

/* Page 89h holds the identification behind its own header (SAT-3, 12.4.2). */
#define PAGE_89_IDENTIFY 60u

bool
device_opal_locked(uint32_t flags)
{
    return (flags & OPAL_FL_LOCKING_ENABLED) && (flags & OPAL_FL_LOCKED);
}

bool
device_locked_at(const char *root, const struct device *device)
{
    unsigned char page[PAGE_89_IDENTIFY + ATA_BLOCK_SIZE];
    char dir[PATH_MAX];

    return sysfs_block_dir(root, device->disk_number, dir) &&
           sysfs_bytes(dir, "device/vpd_pg89", page, sizeof page) == sizeof page &&
           ata_identify_locked(page + PAGE_89_IDENTIFY, ATA_BLOCK_SIZE);
}

enum device_locked
device_locked(const struct device *device, int fd)
{
    unsigned char identify[ATA_BLOCK_SIZE];
    struct opal_status opal = {0};

    /* libata answers this from what it read when the drive was attached. */
    if (device_locked_at("", device) || (ioctl(fd, HDIO_GET_IDENTITY, identify) == 0 &&
                                         ata_identify_locked(identify, sizeof identify)))
        return DEVICE_LOCKED_ATA;
    if (ioctl(fd, IOC_OPAL_GET_STATUS, &opal) == 0 && device_opal_locked(opal.flags))
        return DEVICE_LOCKED_OPAL;
    return DEVICE_NOT_LOCKED;
}
