/*
 * The files of a volume with the most file slack that is not zero. Filled while the metadata is
 * walked; their names are looked for afterwards, by a walk over the directories that ends as soon
 * as all are found.
 */
#ifndef EXHIBIT_REPORT_PARSER_TOP_H
#define EXHIBIT_REPORT_PARSER_TOP_H

#include <stdint.h>
#include <tsk/libtsk.h>

#include "report/slack.h"

struct top_file {
    TSK_INUM_T inode;
    enum file_state state;
    uint64_t size;    /* bytes */
    uint64_t slack;   /* bytes */
    uint64_t nonzero; /* of these */
    char stream[128]; /* "" for plain data */
    char *path;       /* NULL until it is found */
};

struct top { /* largest first; zero-initialise */
    struct top_file v[SLACK_TOP_MAX];
    size_t n;
};

void top_offer(struct top *top, const struct top_file *file);
/* Finds the names, sends the "top" message and frees the names. */
void top_send(struct top *top, TSK_FS_INFO *fs);

#endif
