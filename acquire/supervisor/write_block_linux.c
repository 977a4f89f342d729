#include "acquire/supervisor/write_block.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/device/device_sysfs.h"
#include "acquire/supervisor/guard.h"
#include "common/cleanup.h"
#include "common/text.h"

/* Opens a kernel-named node and makes sure that it is the device that was meant. */
static int
open_node(const char *name, dev_t number, struct err *err)
{
    AUTO_FREE char *path = xasprintf("/dev/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct stat st;

    if (fd < 0)
        return err_errno(err, "cannot open '%s'", path);
    if (fstat(fd, &st) != 0 || !S_ISBLK(st.st_mode) || st.st_rdev != number) {
        (void)close(fd);
        return err_set(err, OUTCOME_REFUSED, "'%s' is not the device that was named", path);
    }
    return fd;
}

/* Sets the flag, reads it back, and counts. */
static int
visit(const char *name, dev_t number, bool set, struct flag_state *state, struct err *err)
{
    AUTO_FD int fd = open_node(name, number, err);
    int value = set;

    if (fd < 0)
        return -1;
    if (ioctl(fd, BLKROSET, &value) != 0)
        return err_errno(err, "cannot set the read-only flag of '/dev/%s'", name);
    if (ioctl(fd, BLKROGET, &value) != 0)
        return err_errno(err, "cannot read the read-only flag of '/dev/%s'", name);
    state->nodes++;
    if (value != 0)
        state->read_only++;
    return 0;
}

static int
too_many(const struct device *d, struct err *err)
{
    return err_set(err, OUTCOME_REFUSED, "'/dev/%s' has more partitions than can be protected",
                   d->disk_name);
}

static int
visit_all(const struct device *d, bool set, struct flag_state *state, struct err *err)
{
    *state = (struct flag_state){0};
    if (d->more_partitions)
        return too_many(d, err);
    if (visit(d->disk_name, d->disk_number, set, state, err) != 0)
        return -1;
    for (size_t i = 0; i < d->n_partitions; i++) {
        if (visit(d->partitions[i].name, d->partitions[i].number, set, state, err) != 0)
            return -1;
    }
    return 0;
}

/* By way of sysfs, which answers also where the drive no longer does: an open() may wait for it. */
static int
look(const char *name, dev_t number, struct flag_state *state, struct err *err)
{
    char dir[PATH_MAX];
    uint64_t value;

    if (!sysfs_block_dir("", number, dir) || !sysfs_u64(dir, "ro", &value))
        return err_set(err, OUTCOME_FAILED, "cannot read the read-only flag of '/dev/%s'", name);
    state->nodes++;
    if (value != 0)
        state->read_only++;
    return 0;
}

int
write_block_look(const struct device *device, struct flag_state *state, struct err *err)
{
    *state = (struct flag_state){0};
    if (device->more_partitions)
        return too_many(device, err);
    if (look(device->disk_name, device->disk_number, state, err) != 0)
        return -1;
    for (size_t i = 0; i < device->n_partitions; i++) {
        if (look(device->partitions[i].name, device->partitions[i].number, state, err) != 0)
            return -1;
    }
    return 0;
}

int
write_block_set(const struct device *device, bool read_only, struct flag_state *state,
                struct err *err)
{
    if (visit_all(device, read_only, state, err) != 0)
        return -1;
    if (read_only ? state->read_only != state->nodes : state->read_only != 0)
        return err_set(err, OUTCOME_REFUSED,
                       "the read-only flag of '/dev/%s' or a partition of it does not %s",
                       device->disk_name, read_only ? "hold" : "go");
    return 0;
}

int
write_block_lift(const struct device *device, struct flag_state *state, struct err *err)
{
    return guard_release(device, err) == 0 ? write_block_set(device, false, state, err) : -1;
}
