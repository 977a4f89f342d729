/*
 * What the kernel is told to do differently while a job runs, and told back at its end.
 */
#include "acquire/device/device.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acquire/device/device_sysfs.h"
#include "common/cleanup.h"
#include "common/text.h"

static bool
write_setting(const char *path, const char *value)
{
    AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    AUTO_FREE char *line = xasprintf("%s\n", value);
    size_t n = strlen(line);

    return fd >= 0 && write(fd, line, n) == (ssize_t)n;
}

/* Notes what a file holds, then writes to it. */
static bool
change(const char *dir, const char *attribute, const char *value, struct device_setting *setting)
{
    memset(setting, 0, sizeof *setting);
    if (sysfs_text(dir, attribute, setting->old, sizeof setting->old) &&
        (size_t)snprintf(setting->path, sizeof setting->path, "%s/%s", dir, attribute) <
            sizeof setting->path &&
        write_setting(setting->path, value))
        return true;
    memset(setting, 0, sizeof *setting);
    return false;
}

void
device_usb_keep_awake_at(const char *root, const struct device *device,
                         struct device_setting *state)
{
    char dir[PATH_MAX], usb[PATH_MAX], old[24];

    memset(state, 0, sizeof *state);
    if (sysfs_block_dir(root, device->disk_number, dir) && sysfs_usb_ancestor(root, dir, usb) &&
        sysfs_text(usb, "power/control", old, sizeof old) && strcmp(old, "auto") == 0)
        (void)change(usb, "power/control", "on", state);
}

void
device_usb_keep_awake(const struct device *device, struct device_setting *state)
{
    device_usb_keep_awake_at("", device, state);
}

bool
device_setting_restore(const struct device_setting *setting)
{
    /* The disk may be gone by now, and its directory with it: then nothing is left to restore. */
    return !setting->path[0] || write_setting(setting->path, setting->old) ||
           access(setting->path, F_OK) != 0;
}

uint64_t
device_diskseq(const struct device *device)
{
    char dir[PATH_MAX];
    uint64_t value;

    return sysfs_block_dir("", device->disk_number, dir) && sysfs_u64(dir, "diskseq", &value)
               ? value
               : 0;
}

/* --- a SCSI device's timeouts --- */

void
device_timeouts_at(const char *root, const struct device *device, struct device_timeouts *out)
{
    char dir[PATH_MAX];

    *out = (struct device_timeouts){0};
    out->known = sysfs_block_dir(root, device->disk_number, dir) &&
                 sysfs_u64(dir, "device/timeout", &out->command) &&
                 sysfs_u64(dir, "device/eh_timeout", &out->handler);
}

void
device_timeouts(const struct device *device, struct device_timeouts *out)
{
    device_timeouts_at("", device, out);
}

int
device_timeouts_set_at(const char *root, const struct device *device, uint64_t seconds,
                       struct device_setting settings[2], struct err *err)
{
    AUTO_FREE char *value = xasprintf("%" PRIu64, seconds);
    struct device_timeouts now;
    char dir[PATH_MAX];

    memset(settings, 0, 2 * sizeof *settings);
    device_timeouts_at(root, device, &now);
    if (!now.known || !sysfs_block_dir(root, device->disk_number, dir))
        return err_set(err, OUTCOME_USAGE,
                       "'/dev/%s' has no SCSI timeouts; '--scsi-timeout' is for SCSI, ATA and USB "
                       "disks",
                       device->disk_name);
    if (!change(dir, "device/timeout", value, &settings[0]))
        return err_set(err, OUTCOME_FAILED, "cannot set the SCSI timeout of '/dev/%s'",
                       device->disk_name);
    if (seconds >= now.handler || change(dir, "device/eh_timeout", value, &settings[1]))
        return 0;
    (void)device_setting_restore(&settings[0]);
    memset(settings, 0, 2 * sizeof *settings);
    return err_set(err, OUTCOME_FAILED, "cannot set the SCSI error handler's timeout of '/dev/%s'",
                   device->disk_name);
}

int
device_timeouts_set(const struct device *device, uint64_t seconds,
                    struct device_setting settings[2], struct err *err)
{
    return device_timeouts_set_at("", device, seconds, settings, err);
}
