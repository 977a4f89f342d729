/*
 * The parts of exhibit-parser, the child that takes disks apart with libtsk. Each sends its
 * messages itself (parser_emit.h).
 */
#ifndef EXHIBIT_REPORT_PARSER_H
#define EXHIBIT_REPORT_PARSER_H

#include <jansson.h>

#include "common/ranges.h"
#include "report/parser_image.h"
#include "report/tally.h"

/* The partition table of the whole image. */
void parser_table(struct parser_image *p);

/* The file system in the stretch, its slack and its unallocated blocks. */
void parser_volume(struct parser_image *p);

/* The files that lie in p->wanted: "file", "name", "blocks" and "no-fs" messages. Reads through
   damage (sets p->fill). */
void parser_files(struct parser_image *p);

/* UTF-16 as UTF-8, up to the first zero; a surrogate without its partner becomes U+FFFD. The caller
   frees it. */
char *utf16le_text(const uint8_t *p, size_t units);

/* Adds type_code, label and flags of the row to its message. */
void parser_entry(struct parser_image *p, const TSK_VS_INFO *vs, const TSK_VS_PART_INFO *part,
                  json_t *message);
/* What is wrong with the sectors of a DOS, BSD, Sun or Apple table itself, as findings. */
void parser_table_check(struct parser_image *p, const TSK_VS_INFO *vs);

struct signature_found {
    const char *name; /* "BitLocker", "LUKS", "XFS", … */
    char *detail;     /* what the header says besides, or NULL; the caller frees it */
    bool is_fs;       /* a file system that libtsk knows */
    bool encrypted;
};
/* What the stretch's header says it is; false if nothing known. */
bool parser_signature(struct parser_image *p, struct signature_found *out);
/* Whether a header that is known stands at that byte of the stretch. */
bool parser_signature_at(struct parser_image *p, uint64_t offset);

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

/* Looks at the areas (bytes of the stretch) and adds their content to t: all of it, or if they are
   larger than p->examine_max, so much of it in pieces spread evenly. */
void parser_examine(struct parser_image *p, const struct ranges *areas, struct tally *t);
/* Looks at places all over the stretch; true if what stands there is as even as random bytes. */
bool parser_sample(struct parser_image *p, struct tally *t);

/* Adds version, state, state_text, mounted_on and times to the message. */
void parser_state(struct parser_image *p, TSK_FS_INFO *fs, json_t *message);

#endif
