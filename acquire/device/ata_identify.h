/*
 * What an ATA drive answers when it is asked who it is and how many sectors it has: pure parsers of
 * the bytes, which are the drive's and hostile. Plain libc. ACS-3 and ACS-4 are T13's; the device
 * configuration overlay was last in ATA8-ACS.
 */
#ifndef EXHIBIT_ACQUIRE_ATA_IDENTIFY_H
#define EXHIBIT_ACQUIRE_ATA_IDENTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATA_BLOCK_SIZE 512 /* of IDENTIFY DEVICE and of DEVICE CONFIGURATION IDENTIFY */

/* IDENTIFY DEVICE (ACS-3, 7.12.7). Texts: blanks at both ends cut off, "" where there is none. */
struct ata_identify {
    char model[41], serial[21], firmware[9];
    uint64_t sectors;              /* that can be read now: words 60, 100 and 230 */
    uint32_t logical_sector_size;  /* bytes */
    uint32_t physical_sector_size; /* bytes */
    bool lba48;
    bool hpa;            /* has the feature set Host Protected Area */
    bool ama;            /* has Accessible Max Address Configuration, which came after it */
    bool dco;            /* has the feature set Device Configuration Overlay */
    bool trim;           /* takes TRIM … */
    bool trim_zeroes;    /* … and promises zeros where it was trimmed (RZAT) */
    bool solid_state;    /* says that nothing rotates */
    uint16_t rotation;   /* per minute, or 0: not said */
    bool locked, frozen; /* the security feature set's state */
};

/* False if the bytes are no identification: another size, a packet device, a wrong checksum, or
   nothing but one value, as some bridges answer. */
bool ata_identify_parse(const void *bytes, size_t n, struct ata_identify *out);

/* A text of IDENTIFY DEVICE: n bytes, two of each word swapped. */
void ata_text(const unsigned char *identify, size_t at, size_t n, char *out, size_t size);

/* Word 128, from as many bytes as there are. */
bool ata_identify_locked(const unsigned char *identify, size_t n);

/* DEVICE CONFIGURATION IDENTIFY: sectors of the drive without its overlay. False if the bytes are
   no such answer. */
bool ata_dco_parse(const void *bytes, size_t n, uint64_t *sectors);

/* What came back with the sense data of an ATA PASS-THROUGH with CK_COND (SAT-3, 12.2.2.7). */
struct ata_registers {
    uint8_t error, status, device;
    uint64_t lba;   /* 48 bits */
    bool lba_whole; /* all 48 are known: fixed format sense data has room for 24 */
};

/* False if the sense data holds no registers. */
bool ata_registers_parse(const void *sense, size_t n, struct ata_registers *out);

/* --- hidden sectors --- */

enum ata_answer {
    ATA_NOT_ASKED,
    ATA_ANSWERED,
    ATA_REFUSED, /* the drive says that it cannot, or may not now */
    ATA_FAILED,  /* no answer: the host, a bridge, a time that ran out */
};

/* All that was asked of a drive, as its bytes came. */
struct ata_facts {
    uint8_t identified, native_asked, dco_asked; /* enum ata_answer */
    uint8_t native_is_ama; /* the native size is of Accessible Max Address, not of the HPA */
    uint64_t native_max;   /* address of the last sector, without a host protected area */
    unsigned char identify[ATA_BLOCK_SIZE];
    unsigned char dco[ATA_BLOCK_SIZE];
};

/* Sectors that are there and cannot be read as the drive is set now. */
struct ata_hidden {
    bool hpa_known, dco_known; /* whether it was found out */
    uint64_t hpa, dco;         /* sectors; 0: none */
    uint64_t native, whole;    /* sectors without an HPA, and without the overlay; 0: unknown */
    const char *hpa_note, *dco_note; /* why it is not known, or how it is, or NULL */
};

void ata_find_hidden(const struct ata_facts *facts, struct ata_hidden *out);

#endif
