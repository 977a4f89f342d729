/*
 * Where an image is written: a fresh directory DEST.partial beside DEST, opened once, and at the
 * end the move of its files to their names, over nothing that exists.
 */
#ifndef EXHIBIT_ACQUIRE_DESTINATION_H
#define EXHIBIT_ACQUIRE_DESTINATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "acquire/front/plan.h"
#include "common/err.h"

struct destination {
    const char *path; /* DEST as typed; outlives this */
    const char *name; /* its last component */
    char *partial;    /* path of DEST.partial */
    int parent;       /* O_PATH descriptor of the directory that DEST lies in, or -1 */
    int dir;          /* of DEST.partial, or -1 */
};

/* Opens the parent and checks that nothing of the image's possible names is taken: any segment up
   to one past the last that the plan allows, every side file, DEST.partial (OUTCOME_REFUSED). */
int destination_open(struct destination *d, const char *path, struct err *err);
/* In a job that goes on, DEST.partial is expected. */
int destination_check_names(const struct destination *d, const struct plan_request *request,
                            const struct plan *plan, bool resumed, struct err *err);

/* Free bytes for this user on its file system, and the file system's device number. */
int destination_space(const struct destination *d, uint64_t *free_bytes, uint64_t *fs_id,
                      struct err *err);

/* Makes DEST.partial (mode 0700) and opens it. */
int destination_make(struct destination *d, struct err *err);

/* Opens the DEST.partial of a job that was interrupted. */
int destination_reopen(struct destination *d, struct err *err);

/* What is in DEST.partial but its journal: an array of { file, size }, a new reference. */
json_t *destination_list(const struct destination *d);

/* Whether NAME and that suffix has come to stand beside DEST, and is not in DEST.partial. */
bool destination_is_published(const struct destination *d, const char *suffix);

/* Refuses if a file that stands beside DEST and no longer in DEST.partial has another size than was
   listed (a log: a lesser one). */
int destination_check_back(const struct destination *d, const char *file, uint64_t size,
                           struct err *err);

/* Moves such a file back, if it has that size. */
int destination_take_back(const struct destination *d, const char *file, uint64_t size,
                          struct err *err);

/* Removes what outfile_write() left of a file that it did not come to name. */
void destination_remove_temporary(const struct destination *d);

/* Moves every file of DEST.partial but the journal beside DEST, `last` (a file name, or NULL) at
   the end, and removes the directory. If a name has been taken meanwhile, nothing stays moved
   (OUTCOME_REFUSED). */
int destination_publish(struct destination *d, const char *last, struct err *err);

/* Removes DEST.partial if it is empty; true if it is gone. */
bool destination_remove_empty(struct destination *d);

void destination_close(struct destination *d);

#endif
