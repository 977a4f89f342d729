/*
 * One image of the command line, from its opening (before the sandbox) to its verdict.
 */
#ifndef EXHIBIT_VERIFY_JOB_H
#define EXHIBIT_VERIFY_JOB_H

#include "common/image_locate.h"
#include "common/progress.h"
#include "common/sandbox.h"
#include "verify/checks.h"
#include "verify/salvage.h"
#include "verify/where.h"

/* What the command line asks for, the same for every image. */
struct job_options {
    char hashes[SCAN_HASHES_MAX][DIGEST_NAME_MAX]; /* to compute besides those there is need for */
    size_t n_hashes;
    bool require[CHECK_COUNT];
    const char *const *logs; /* given with --hashes */
    size_t n_logs;
    struct against *against; /* or NULL */
    const struct trust *trust;
    const char *ledger_head; /* or NULL */
    struct salvage *salvage; /* or NULL */
    struct where *where;     /* who knows the files in damaged media, or NULL */
    const char *command_line;
    const struct sandbox_state *sandbox;
    bool from_medium;
    size_t threads;
    const atomic_bool *stop;
    struct progress *progress;
    uint64_t progress_before; /* media bytes of the call's images: those done … */
    uint64_t progress_total;  /* … and all */
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
    struct ranges map_bad; /* without a manifest: what the map of ddrescue calls not rescued */
    struct proof proof;
    bool dropped; /* from_medium: all pages had left the page cache */
    struct evidence_set evidence;
    char manifest_sha256[DIGEST_HEX_MAX]; /* "" without a manifest */
    struct compare *compare;
    char *salvaged;      /* path of the new image's manifest, or NULL */
    uint64_t lost;       /* bytes that it lacks, though they were read from the source once */
    struct err salvage;  /* why there is none */
    struct err finished; /* what ended the comparison badly, though it was made */

    size_t number;       /* place in the call's list of images */
    json_t *files;       /* the answer of where_ask() about all that is damaged, or NULL */
    char *files_problem; /* why there is none */

    uint64_t media_size;
    uint64_t unreadable_sectors;

    struct scan_result scan;
    struct check checks[CHECK_COUNT];
    enum verdict verdict;
};

/* Opens the image's files and everything beside it that is needed later; but for the manifest,
   nothing of it is parsed yet. */
void job_open(struct job *job, const char *operand, const struct job_options *options);

/* Parses the image, in the sandbox. */
void job_load(struct job *job);

/* The pass over the image, the checks, the verdict. */
void job_run(struct job *job, const struct job_options *options);
/* Closes the image's files; what a table of all images needs stays. */
void job_close(struct job *job);
void job_free(struct job *job);

/* Bytes of media that its pass will go through. */
uint64_t job_size(const struct job *job);

/* What could not be read when the image was made, as its manifest or the image itself says; and
   the size of the sectors that it is counted in. */
const struct ranges *job_unreadable(const struct job *job);
uint64_t job_unreadable_sectors(const struct job *job);

#endif
