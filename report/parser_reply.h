/*
 * The messages of exhibit-parser, checked field by field and put into the model.
 *
 *   kind          fields                                                       from
 *   sandbox       seccomp, no_new_privs, landlock_abi, missing                 both
 *   table         type, description, sector_size, backup                       table
 *   part          index, start, length, slot, description, state, type_guid,   table
 *                 type_name, guid, attributes, type_code, label, flags
 *   gpt           copy and the header's fields, one message each copy          table
 *   gap           index, tally                                                 table
 *   fs            type, label, id, state, times, block_size, …                 volume
 *   no-fs         content, encrypted                                           volume
 *   sample        tally, looks_encrypted                                       volume
 *   volume-slack  tally                                                        volume
 *   slack         slack; those marked incomplete are replaced by the next      volume
 *   top           files: the most slack that is not zero                       volume
 *   unallocated   blocks, bytes, tally                                         volume
 *   finding       code, text                                                   both
 *   progress      done, total                                                  both
 */
#ifndef EXHIBIT_REPORT_PARSER_REPLY_H
#define EXHIBIT_REPORT_PARSER_REPLY_H

#include "common/progress.h"
#include "report/model.h"

struct reply_target {
    struct report *report;
    struct volume *volume;     /* NULL while the partition table is read */
    struct progress *progress; /* or NULL */
    uint64_t done;             /* bytes of the volumes before this one */
    uint64_t total;            /* bytes of all */
};

/* A parser_reply; arg is a struct reply_target. */
int parser_reply_take(void *arg, const char *kind, const json_t *message, struct err *err);

/* parser_reply_table.c */
int parser_take_table(struct reply_target *t, const json_t *m, struct err *err);
int parser_take_part(struct reply_target *t, const json_t *m, struct err *err);
int parser_take_gap(struct reply_target *t, const json_t *m, struct err *err);
int parser_take_gpt(struct reply_target *t, const json_t *m, struct err *err);

#endif
