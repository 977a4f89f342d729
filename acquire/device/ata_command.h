/*
 * Asking an ATA drive, through SCSI's ATA PASS-THROUGH (SAT-3, 12.2.2), what it is and how large it
 * is without its hidden areas. Nothing but the five commands below is ever sent, each of which only
 * reads; there is no call that takes a command from outside.
 */
#ifndef EXHIBIT_ACQUIRE_ATA_COMMAND_H
#define EXHIBIT_ACQUIRE_ATA_COMMAND_H

#include <stdbool.h>

#include "acquire/device/ata_identify.h"

enum ata_question {
    ATA_IDENTIFY,         /* IDENTIFY DEVICE: a block */
    ATA_READ_NATIVE_MAX,  /* READ NATIVE MAX ADDRESS, 28 bits: an address */
    ATA_READ_NATIVE_EXT,  /* READ NATIVE MAX ADDRESS EXT: an address */
    ATA_GET_NATIVE_EXT,   /* GET NATIVE MAX ADDRESS EXT (Accessible Max Address): an address */
    ATA_IDENTIFY_OVERLAY, /* DEVICE CONFIGURATION IDENTIFY: a block */
};

/* Asks through fd, a descriptor of the block device, opened for reading. Takes ten seconds at most.
   A block goes into `block`, an address into *lba. */
enum ata_answer ata_ask(int fd, enum ata_question question, unsigned char block[ATA_BLOCK_SIZE],
                        uint64_t *lba);

/* All of them that fit the drive. `direct`: the kernel speaks ATA to it itself; a bridge is asked
   for nothing that the drive behind it does not claim to know. */
void ata_ask_all(int fd, bool direct, struct ata_facts *out);

#endif
