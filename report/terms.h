/*
 * Terms that the parser child and the report share, with the words for them.
 */
#ifndef EXHIBIT_REPORT_TERMS_H
#define EXHIBIT_REPORT_TERMS_H

enum part_state {
    PART_ALLOCATED,
    PART_UNALLOCATED,
    PART_META, /* the table's own sectors; they overlap the others and are never added up */
};

extern const char *const part_state_names[3];

enum gpt_copy {
    GPT_PRIMARY,
    GPT_BACKUP,
    GPT_COPIES,
};

extern const char *const gpt_copy_names[GPT_COPIES];

/* What a file system says of how it was left. */
enum fs_state {
    FS_STATE_UNKNOWN, /* it has no such mark, or it cannot be read */
    FS_STATE_CLEAN,
    FS_STATE_DIRTY, /* not unmounted, a journal to be replayed, errors noted */
};

extern const char *const fs_state_names[3];

#endif
