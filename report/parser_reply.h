/*
 * The messages of exhibit-parser, checked field by field and put into the model.
 *
 *   kind          fields                                                       from
 *   sandbox       seccomp, no_new_privs, landlock_abi, missing                 both
 *   table         type, description, sector_size, backup                       table
 *   part          index, start, length, slot, description, state, GUIDs        table
 *   gap           index, tally                                                 table
 *   fs            type, label, id, block_size, …                               volume
 *   no-fs         content, encrypted                                           volume
 *   volume-slack  tally                                                        volume
 *   slack         slack                                                        volume
 *   unallocated   blocks, bytes                                                volume
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

#endif
