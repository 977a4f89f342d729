/*
 * exhibit-drive's answer, as the front has it: read from a pipe with a deadline, since a drive may
 * never answer, and put into words and JSON. That nothing came is told, and is never an error.
 */
#ifndef EXHIBIT_ACQUIRE_DRIVE_REPLY_H
#define EXHIBIT_ACQUIRE_DRIVE_REPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "acquire/device/ata_identify.h"
#include "acquire/device/device.h"

#define DRIVE_WHY_MAX 256

struct drive_reply {
    bool asked;
    bool answered; /* `ata` holds what came */
    struct ata_facts ata;
    enum device_locked locked;
    json_t *health;          /* drive_health_parse(), or NULL … */
    char why[DRIVE_WHY_MAX]; /* … and why: "smartctl is not installed" */
};

/* True for disks that are asked: ATA, SCSI, USB and NVMe. */
bool drive_is_asked(const struct device *device);

/* Reads until the end of the pipe, which stays the caller's. */
void drive_reply_read(int fd, bool health, struct drive_reply *out);
void drive_reply_clear(struct drive_reply *reply);

/* Starts exhibit-drive itself for the disk and waits for its answer; needs root. */
void drive_reply_ask(const struct device *device, bool health, struct drive_reply *out);

/* { hpa, dco, … }: hidden sectors, null where they are not known. */
json_t *drive_hidden_json(const struct drive_reply *reply);
/* The drive's own words, where a bridge may say something else; null without. */
json_t *drive_identity_json(const struct drive_reply *reply);

/* "none", "1000 sectors (512,000 bytes)", "not known: …"; the caller frees it. */
char *drive_hidden_text(const struct drive_reply *reply, bool dco);
/* True if there are hidden sectors. */
bool drive_hides(const struct drive_reply *reply);

/* What locks it: by what the kernel asked it as it was attached (`by_kernel`: by an ATA password),
   or by its own answer, past any bridge. */
enum device_locked drive_locked_by(const struct drive_reply *reply, bool by_kernel);

/* The drive has other sectors, or more of them, than the kernel is told of by what lies between:
   what is different, or NULL; the caller frees it. */
char *drive_bridge_text(const struct drive_reply *reply, const struct device *device);

#endif
