/*
 * Whether a drive is locked. A locked drive answers every read with an error, as a dead one does.
 */
#include <linux/hdreg.h>
#include <linux/sed-opal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "acquire/device.h"
#include "acquire/device_sysfs.h"

#define IDENTIFY_SIZE 512u
/* Page 89h holds the identification behind its own header (SAT-3, 12.4.2). */
#define PAGE_89_IDENTIFY 60u
#define WORD_SECURITY 128u
#define SECURITY_LOCKED 0x0004u

bool
device_identify_locked(const unsigned char *identify, size_t n)
{
    size_t at = (size_t)WORD_SECURITY * 2;

    /* Words are little-endian. A word of all ones is none. */
    if (n < IDENTIFY_SIZE || (identify[at] == 0xff && identify[at + 1] == 0xff))
        return false;
    return (identify[at] & SECURITY_LOCKED) != 0;
}

bool
device_opal_locked(uint32_t flags)
{
    return (flags & OPAL_FL_LOCKING_ENABLED) && (flags & OPAL_FL_LOCKED);
}

bool
device_locked_at(const char *root, const struct device *device)
{
    unsigned char page[PAGE_89_IDENTIFY + IDENTIFY_SIZE];
    char dir[PATH_MAX];

    return sysfs_block_dir(root, device->disk_number, dir) &&
           sysfs_bytes(dir, "device/vpd_pg89", page, sizeof page) == sizeof page &&
           device_identify_locked(page + PAGE_89_IDENTIFY, IDENTIFY_SIZE);
}

enum device_locked
device_locked(const struct device *device, int fd)
{
    unsigned char identify[IDENTIFY_SIZE];
    struct opal_status opal = {0};

    /* libata answers this from what it read when the drive was attached. */
    if (device_locked_at("", device) || (ioctl(fd, HDIO_GET_IDENTITY, identify) == 0 &&
                                         device_identify_locked(identify, sizeof identify)))
        return DEVICE_LOCKED_ATA;
    if (ioctl(fd, IOC_OPAL_GET_STATUS, &opal) == 0 && device_opal_locked(opal.flags))
        return DEVICE_LOCKED_OPAL;
    return DEVICE_NOT_LOCKED;
}
