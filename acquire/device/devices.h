/*
 * `exhibit devices`: one disk as it is listed, and the two ways of showing it.
 */
#ifndef EXHIBIT_ACQUIRE_DEVICES_H
#define EXHIBIT_ACQUIRE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "acquire/device/device.h"
#include "acquire/device/device_sysfs.h"
#include "acquire/device/drive_facts.h"

struct listed {
    struct device device;
    struct device_identity identity;
    struct drive_reply reply; /* asked only as root, and of nobody whom a job reads */
    enum device_use use;
    char why[1024]; /* the use's reason, raw */
    bool evidence;  /* marked as such */
    enum device_locked locked;
};

/* One JSON array on stdout. */
void devices_print_json(struct listed *const *disks, size_t n, const struct mounts *mounts);

/* A table on stdout, no wider than the terminal where there is one (or $COLUMNS). */
void devices_print_table(struct listed *const *disks, size_t n, const struct mounts *mounts);

/* The block devices that stand on the one with that number, "dm-0 md0"; "" if none; the caller
   frees it. */
char *devices_holders(dev_t number);

#endif
