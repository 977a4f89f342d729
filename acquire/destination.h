/*
 * Where an image is written: a fresh directory DEST.partial beside DEST, opened once, and at the
 * end the move of its files to their names, over nothing that exists.
 */
#ifndef EXHIBIT_ACQUIRE_DESTINATION_H
#define EXHIBIT_ACQUIRE_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/plan.h"
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
int destination_check_names(const struct destination *d, const struct plan_request *request,
                            const struct plan *plan, struct err *err);

/* Free bytes for this user on its file system, and the file system's device number. */
int destination_space(const struct destination *d, uint64_t *free_bytes, uint64_t *fs_id,
                      struct err *err);

/* Makes DEST.partial (mode 0700) and opens it. */
int destination_make(struct destination *d, struct err *err);

/* Moves every file of DEST.partial beside DEST, `last` (a file name) at the end, and removes the
   directory. If a name has been taken meanwhile, nothing stays moved (OUTCOME_REFUSED). */
int destination_publish(struct destination *d, const char *last, struct err *err);

/* Removes DEST.partial if it is empty; true if it is gone. */
bool destination_remove_empty(struct destination *d);

void destination_close(struct destination *d);

#endif
