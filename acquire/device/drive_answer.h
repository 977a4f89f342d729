/*
 * What exhibit-drive writes on its standard output: this structure, then, where health was asked
 * for and smartctl is there, the JSON document that smartctl writes, until the end. Both ends are
 * of one build. It is asked for by its first argument, and names the disk by its second:
 *
 *   exhibit-drive size|health /dev/NAME
 *
 * with the device, opened for reading, as descriptor DRIVE_FD.
 */
#ifndef EXHIBIT_ACQUIRE_DRIVE_ANSWER_H
#define EXHIBIT_ACQUIRE_DRIVE_ANSWER_H

#include <stdint.h>

#include "acquire/device/ata_identify.h"

#define DRIVE_FD 3
#define DRIVE_SIZE "size"
#define DRIVE_HEALTH "health"

/* It ends itself, and smartctl, after so many seconds; who waits for it waits hardly longer. */
#define DRIVE_SECONDS(health) ((health) ? 40u : 15u)
/* smartctl's document at most. */
#define DRIVE_JSON_MAX ((size_t)1 << 20)

#define DRIVE_MAGIC UINT32_C(0x31525645)

struct drive_answer {
    uint32_t magic;
    uint32_t smartctl; /* 1: its document follows; 0: it was not asked for, or is not installed */
    uint32_t locked;   /* enum device_locked */
    struct ata_facts ata;
};

#endif
