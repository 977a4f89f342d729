/*
 * The slack figures of one volume (definitions with their sources: docs/slack.md), and their way
 * from the parser child to the report.
 */
#ifndef EXHIBIT_REPORT_SLACK_H
#define EXHIBIT_REPORT_SLACK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "report/tally.h"

enum slack_kind {
    SLACK_SECTOR, /* end of the file's data to the end of that sector */
    SLACK_DRIVE,  /* from there to the end of the block or cluster */
    SLACK_MFT,    /* the unused end of an NTFS MFT entry */
    SLACK_BEYOND, /* not called slack: whole blocks allocated past the one that holds the end */
    SLACK_UNINIT, /* not called slack: inside the file, past its initialised size */
    SLACK_KINDS,
};

extern const char *const slack_kind_names[SLACK_KINDS];

enum file_state {
    FILE_ALLOCATED,
    FILE_DELETED,
    FILE_STATES,
};

extern const char *const file_state_names[FILE_STATES];

struct file_slack {
    uint64_t files;      /* metadata entries (inodes, MFT entries) looked at */
    uint64_t streams;    /* their non-resident data streams that were measured */
    uint64_t resident;   /* streams inside the metadata: they have no block */
    uint64_t compressed; /* streams left out: the end of their data is not at their size */
    uint64_t shared;     /* left out: the last block was counted with another file */
    uint64_t reused;     /* deleted only, left out: the last block belongs to something else now */
    uint64_t unreadable; /* left out in part or whole: metadata or content could not be read */
    struct tally kinds[SLACK_KINDS];
};

struct slack {
    struct file_slack of[FILE_STATES];
    bool deleted_by_name; /* deleted files were looked for by name only (FAT, exFAT) */
    bool incomplete;      /* the walk over the metadata ended with an error */
};

struct unallocated { /* blocks that the file system says are free */
    uint64_t blocks;
    uint64_t bytes;
    struct tally content; /* areas: runs of free blocks; looked at in full, or evenly spread */
};

/* One file among those with the most slack that is not zero. */
struct slack_file {
    char *path;   /* raw bytes; NULL where no name leads to it */
    char *stream; /* of which stream, where it is not the file's plain data; or NULL */
    uint64_t inode;
    enum file_state state;
    uint64_t size;    /* bytes of the stream */
    uint64_t slack;   /* bytes: sector slack and drive slack */
    uint64_t nonzero; /* of these */
};

#define SLACK_TOP_MAX 10 /* files named of each volume */

json_t *slack_to_json(const struct slack *s);
int slack_from_json(const json_t *v, struct slack *s, struct err *err);

/* Adds b's figures to a. */
void slack_sum(struct slack *a, const struct slack *b);

#endif
