/*
 * A GUID Partition Table as it stands on the disk, both copies, with what libtsk does not hand out:
 * checksums, GUIDs, attributes (UEFI Specification 2.10, 5.3.2 and 5.3.3).
 */
#ifndef EXHIBIT_REPORT_PARSER_GPT_H
#define EXHIBIT_REPORT_PARSER_GPT_H

#include "report/model.h"
#include "report/parser_image.h"

struct gpt {
    struct gpt_header header; /* disk_guid points to guid */
    uint32_t sector_size;     /* bytes */
    uint8_t *entries;
    size_t entry_size; /* bytes */
    size_t n;          /* 0 where the entries cannot be read or their numbers are absurd */
    char guid[37];
};

struct gpt_entry {
    size_t slot;    /* its place in the table, from 0 */
    uint64_t first; /* sectors */
    uint64_t last;  /* sectors, inclusive */
    char type_guid[37];
    char guid[37];
    const char *type_name; /* or NULL */
    uint64_t attributes;
    char name[36 * 3 + 1]; /* UTF-8 */
};

/* The copy of the table: the backup from where the primary says it is, else from the last sector.
   NULL if no header stands there; the caller frees it with gpt_free(). `primary` may be NULL. */
struct gpt *gpt_load(struct parser_image *p, uint32_t sector_size, enum gpt_copy copy,
                     const struct gpt *primary);
void gpt_free(struct gpt *gpt);

/* The entry at that place; false if it is unused. */
bool gpt_entry(const struct gpt *gpt, size_t slot, struct gpt_entry *out);
/* The entry whose first sector is `start`; false if there is none. `gpt` may be NULL. */
bool gpt_find(const struct gpt *gpt, uint64_t start, struct gpt_entry *out);
/* Whether both entries (below gpt->n) are in use and have the same GUID of their own. */
bool gpt_same_guid(const struct gpt *gpt, size_t a, size_t b);
/* The attributes in words, or NULL; the caller frees it. */
char *gpt_flags(const struct gpt_entry *entry);

/* Sends both headers and what is wrong with them as findings. `found` is what libtsk took the disk
   for; the copies are those of gpt_load(), either may be NULL. */
void gpt_check(struct parser_image *p, const TSK_VS_INFO *found, const struct gpt *primary,
               const struct gpt *backup);

/* The checksum of the table (CRC-32 of ISO 3309, as in Ethernet). */
uint32_t gpt_crc32(const void *data, size_t n);

#endif
