/*
 * A drive's temperature, where the kernel shows one (drivetemp, nvme: a hwmon below the device in
 * sysfs). Reading it may send the drive a command, and one that hangs would not answer: so a
 * process of its own reads, and nobody waits for it.
 */
#ifndef EXHIBIT_ACQUIRE_THERMOMETER_H
#define EXHIBIT_ACQUIRE_THERMOMETER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct thermometer;

/* NULL where the disk with that number shows no temperature. */
struct thermometer *thermometer_start(dev_t disk);

/* For poll(): readable when there is a new value; -1 for NULL, or when it has ended. */
int thermometer_fd(const struct thermometer *t);

/* After thermometer_fd() was readable: false if nothing came. In thousandths of a degree. */
bool thermometer_read(struct thermometer *t, int *celsius);

/* Does not wait for the process. NULL is fine. */
void thermometer_end(struct thermometer *t);

/* For tests: the file below the root directory of a sysfs tree; false where there is none. */
bool thermometer_find_at(const char *root, dev_t disk, char path[PATH_MAX]);

#endif
