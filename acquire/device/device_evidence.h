/*
 * What is marked as evidence, and may be imaged for people who are not root: by the udev rule,
 * which sets the property EXHIBIT_EVIDENCE=1, or by the daemon's configuration. libc only.
 */
#ifndef EXHIBIT_ACQUIRE_DEVICE_EVIDENCE_H
#define EXHIBIT_ACQUIRE_DEVICE_EVIDENCE_H

#include "acquire/device/device.h"

/* A mark of the configuration: "serial=TEXT", "wwn=TEXT" (as `exhibit devices` shows them), or
   "path=/dev/…" (a symbolic link such as /dev/disk/by-id/…, or a node). OUTCOME_USAGE where it is
   none of these. */
int device_mark_check(const char *mark, struct err *err);

/* True if the device, or the disk that it is a partition of, is marked: by udev, or by one of the n
   marks. */
bool device_is_evidence(const struct device *device, const char *const *marks, size_t n);

/* True if one of the n marks is the device's, or its disk's, whatever udev says. */
bool device_mark_fits(const struct device *device, const char *const *marks, size_t n);

/* device_is_evidence() below another root directory, for tests. */
bool device_is_evidence_at(const char *root, const struct device *device, const char *const *marks,
                           size_t n);

#endif
