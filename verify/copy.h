/*
 * Copying an image with everything beside it: what belongs to it, the copying of each file, and
 * the record of it. A file is written as NAME.partial, read back from the medium and compared with
 * what was read at the source, and only then gets its name; so a file that has its name is whole,
 * and a copy that was interrupted goes on from what is there.
 */
#ifndef EXHIBIT_VERIFY_COPY_H
#define EXHIBIT_VERIFY_COPY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/digest.h"
#include "common/image.h"
#include "common/image_locate.h"
#include "common/progress.h"

#define COPY_RECORD_SUFFIX ".copies.jsonl"
#define COPY_RECORD_SCHEMA "exhibit.copy/1"

enum copy_state {
    COPY_PENDING,
    COPY_KEPT,    /* was there already, and is the same */
    COPY_RESUMED, /* a part of it was there */
    COPY_COPIED,
};

struct copy_file {
    char *path; /* as found */
    char *name; /* its last component, and its name in the destination */
    size_t dir; /* index into the copy's dirs */
    uint64_t size;
    mode_t mode;
    const struct manifest_segment *listed; /* its entry in the image's manifest, or NULL */
    enum copy_state state;
    bool from_medium;         /* the copy was read back with nothing of it in memory */
    bool differs;             /* the file at the source is not what the manifest says */
    char md5[DIGEST_HEX_MAX]; /* of the file at the source, and of its copy */
    char sha256[DIGEST_HEX_MAX];
};

struct copy {
    struct copy_file *files; /* the manifest last */
    size_t n;
    int *dirs; /* of the sources, O_PATH */
    char **dir_names;
    size_t n_dirs;
    int to;        /* the destination directory, O_PATH */
    char *to_path; /* its path */
    bool made;     /* it was not there before */
    char *base;    /* the image's name without extension */
    uint64_t bytes;
    const atomic_bool *stop;
    struct progress *progress;
    uint64_t done; /* of 2 * bytes: written, and read back */
};

/* copy_plan.c: lists what belongs to the image and opens the directories. Errors:
   OUTCOME_REFUSED (DEST is where the image is, or holds a file of that
   name and another size), OUTCOME_INTERRUPTED (not enough space). */
int copy_plan(struct copy *c, const struct image_location *location, const struct image_info *info,
              const char *dest, struct err *err);
void copy_free(struct copy *c);

/* Copies what is not there and checks all of it. Errors: OUTCOME_REFUSED (a file there differs;
   found before anything is written), OUTCOME_INTERRUPTED (stopped, or no space: start it again),
   OUTCOME_MISMATCH (a copy does not read back), OUTCOME_FAILED. */
int copy_run(struct copy *c, struct err *err);

/* copy_record.c: one line about this copy at the end of BASE.copies.jsonl in the destination, after
   those that the source's own record has. */
struct copy_record {
    const char *operand; /* the image, as named */
    const char *command_line;
    const struct image_info *info;
    const struct image_location *location;
    const char *user; /* who asked */
    uid_t uid;
};
int copy_record(const struct copy *c, const struct copy_record *r, struct err *err);

/* The same as an object, for --json; a new reference. */
json_t *copy_record_json(const struct copy *c, const struct copy_record *r);

#endif
