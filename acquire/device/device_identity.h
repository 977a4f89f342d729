/*
 * What else the kernel knows of a disk: how it hangs on USB, what else the same item of evidence
 * shows (further areas, namespaces, logical units), whether a maker of write blockers stands in the
 * path. Read from sysfs alone; plain libc.
 */
#ifndef EXHIBIT_ACQUIRE_DEVICE_IDENTITY_H
#define EXHIBIT_ACQUIRE_DEVICE_IDENTITY_H

#include <stdbool.h>

#include "acquire/device/device.h"

struct device_usb {
    bool there; /* it hangs on USB */
    uint16_t vendor, product;
    char port[64]; /* the kernel's path of ports: "2-1.4" */
    /* as the USB device, which may be a bridge, says; "" where it says nothing */
    char manufacturer[DEVICE_TEXT_MAX];
    char product_name[DEVICE_TEXT_MAX];
    char serial[DEVICE_TEXT_MAX];
    char speed[16]; /* Mbit/s */
};

#define DEVICE_AREAS_MAX 64

struct device_area {
    char name[DEVICE_TEXT_MAX]; /* kernel name: "mmcblk0boot0", "nvme0n2", "sdc" */
    const char *kind;           /* in words: "eMMC boot area", "NVMe namespace" … */
    uint64_t size;              /* bytes; 0: no medium, or not known */
};

struct device_identity {
    struct device_usb usb;
    struct device_area areas[DEVICE_AREAS_MAX]; /* other areas of the same item, by name */
    size_t n_areas;
    bool more_areas;           /* there are more than fit */
    bool discards;             /* the kernel would send it TRIM or its like */
    const char *blocker;       /* a known maker of write blockers, or NULL … */
    const char *blocker_model; /* … and which of theirs, or NULL */
};

void device_identity_read(const struct device *device, struct device_identity *out);

/* For tests: below the root directory of a sysfs tree. */
void device_identity_read_at(const char *root, const struct device *device,
                             struct device_identity *out);

#endif
