#include "acquire/device.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acquire/device_sysfs.h"
#include "common/cleanup.h"

static bool
write_setting(const char *path, const char *value)
{
    AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t n = strlen(value);

    return fd >= 0 && write(fd, value, n) == (ssize_t)n;
}

void
device_usb_keep_awake_at(const char *root, const struct device *device,
                         struct device_usb_state *state)
{
    char dir[PATH_MAX], usb[PATH_MAX];

    memset(state, 0, sizeof *state);
    if (!sysfs_block_dir(root, device->disk_number, dir) || !sysfs_usb_ancestor(root, dir, usb) ||
        !sysfs_text(usb, "power/control", state->old, sizeof state->old) ||
        strcmp(state->old, "auto") != 0 ||
        (size_t)snprintf(state->path, sizeof state->path, "%s/power/control", usb) >=
            sizeof state->path ||
        !write_setting(state->path, "on"))
        memset(state, 0, sizeof *state);
}

void
device_usb_keep_awake(const struct device *device, struct device_usb_state *state)
{
    device_usb_keep_awake_at("", device, state);
}

void
device_usb_restore(const struct device_usb_state *state)
{
    /* The disk may be gone by now, and its directory with it: then nothing is left to restore. */
    if (state->path[0])
        (void)write_setting(state->path, state->old);
}
