/*
 * The parts of exhibit-parser, the child that takes disks apart with libtsk. Each sends its
 * messages itself (parser_emit.h).
 */
#ifndef EXHIBIT_REPORT_PARSER_H
#define EXHIBIT_REPORT_PARSER_H

#include "report/parser_image.h"
#include "report/tally.h"

/* Gaps and volume slack are looked into up to this many bytes each; the figures say how many. */
#define PARSER_EXAMINE_MAX (UINT64_C(64) << 20)

/* The partition table of the whole image. */
void parser_table(struct parser_image *p);

/* The file system in the stretch, its slack and its unallocated blocks. */
void parser_volume(struct parser_image *p);

/* GUIDs and attributes of the GPT entry whose first sector is `start`; false if there is none. */
struct gpt_entry {
    size_t slot; /* its place in the table, from 0 */
    char type_guid[37];
    char guid[37];
    const char *type_name; /* or NULL */
    uint64_t attributes;
};
struct gpt; /* the entries of one table, in memory */
struct gpt *gpt_load(struct parser_image *p, uint32_t sector_size, bool backup);
bool gpt_find(const struct gpt *gpt, uint64_t start, struct gpt_entry *out);

/* What the stretch's header says it is, if anything known; `encrypted` where that is encryption. */
const char *parser_signature(struct parser_image *p, bool *is_fs, bool *encrypted);

/* The volume label, or NULL; the caller frees it. */
char *parser_label(struct parser_image *p, TSK_FS_INFO *fs);
/* UUID or serial number as text, or NULL; the caller frees it. */
char *parser_volume_id(const TSK_FS_INFO *fs);
/* Bytes in which the file system gives space to files. */
uint64_t parser_cluster_size(struct parser_image *p, const TSK_FS_INFO *fs);

/* File slack over all metadata, as a "slack" message. */
void parser_slack(struct parser_image *p, TSK_FS_INFO *fs, uint64_t cluster);
struct slack;
/* The unused ends of an NTFS volume's MFT entries, into s. */
void parser_mft_slack(struct parser_image *p, TSK_FS_INFO *fs, struct slack *s);

/* Adds the content of n bytes at offset to t, up to PARSER_EXAMINE_MAX. */
void parser_examine(struct parser_image *p, uint64_t offset, uint64_t n, struct tally *t);

#endif
