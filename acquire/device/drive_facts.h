/*
 * What is known of a disk beyond struct device, as JSON for the manifest and `exhibit devices`, and
 * in the words of both.
 */
#ifndef EXHIBIT_ACQUIRE_DRIVE_FACTS_H
#define EXHIBIT_ACQUIRE_DRIVE_FACTS_H

#include <jansson.h>
#include <stdbool.h>

#include "acquire/device/device_identity.h"
#include "acquire/device/drive_reply.h"

/* Adds usb, write_blocker, other_areas, drive, bridge, trim and hidden to the object. */
void drive_facts_add(json_t *v, const struct device *device, const struct device_identity *identity,
                     const struct drive_reply *reply);

/* "Tableau (…), T8-R2", or NULL; the caller frees it. */
char *drive_blocker_text(const struct device_identity *identity);

/* "USB 13d7:000c at 2-1"; the caller frees it. */
char *drive_usb_text(const struct device_usb *usb);

/* "mmcblk0boot0 (eMMC boot area, 4.0 MiB)"; the caller frees it. */
char *drive_area_text(const struct device_area *area);

/* True for a drive that may erase sectors by itself once they were trimmed. */
bool drive_trims(const struct device *device, const struct device_identity *identity,
                 const struct drive_reply *reply);

#define DRIVE_TRIM_ADVICE                                                                          \
    "a solid-state drive erases on its own what was trimmed before, for as long as it has power: " \
    "its unallocated sectors may read as zero, and another reading later may differ there"

#define DRIVE_HIDDEN_ADVICE                                                                        \
    "what is hidden is not in the image: image the drive as it is first; then, if the case "       \
    "allows the drive's settings to be changed, lift the limit on record (hdparm -N and "          \
    "--dco-restore do so, and change the drive) or with a hardware imager for this power cycle "   \
    "only, and image it again"

#endif
