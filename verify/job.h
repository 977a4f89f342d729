/*
 * One image of the command line, from its opening (before the sandbox) to its verdict.
 */
#ifndef EXHIBIT_VERIFY_JOB_H
#define EXHIBIT_VERIFY_JOB_H

#include "common/image_locate.h"
#include "common/progress.h"
#include "common/sandbox.h"
#include "verify/checks.h"

/* What the command line asks for, the same for every image. */
struct job_options {
    char hashes[SCAN_HASHES_MAX][DIGEST_NAME_MAX]; /* to compute besides those there is need for */
    size_t n_hashes;
    bool require[CHECK_COUNT];
    bool from_medium;
    size_t threads;
    const atomic_bool *stop;
    struct progress *progress;
};

enum job_state {
    JOB_OPEN,        /* ready to run */
    JOB_ERROR,       /* not an image: `err` */
    JOB_CONCLUDED,   /* `checks` and `verdict` count */
    JOB_INTERRUPTED, /* nothing was concluded */
};

struct job {
    const char *operand;
    enum job_state state;
    struct err err;
    struct image_location location;
    struct image *image; /* NULL: too damaged to be opened */
    char *map;           /* DEST.map */
    size_t map_size;
    char *map_problem;
    bool beside[CHECK_COUNT];
    bool dropped; /* from_medium: all pages had left the page cache */

    struct scan_result scan;
    struct check checks[CHECK_COUNT];
    enum verdict verdict;
};

/* Opens the image and everything beside it that is needed later. */
void job_open(struct job *job, const char *operand, const struct job_options *options);

/* The pass over the image, the checks, the verdict. */
void job_run(struct job *job, const struct job_options *options);
void job_free(struct job *job);

/* What could not be read when the image was made, as its manifest or the image itself says; and
   the size of the sectors that it is counted in. */
const struct ranges *job_unreadable(const struct job *job);
uint64_t job_unreadable_sectors(const struct job *job);

#endif
