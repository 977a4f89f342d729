/*
 * The options of exhibit-verify.
 */
#ifndef EXHIBIT_VERIFY_SETTINGS_H
#define EXHIBIT_VERIFY_SETTINGS_H

#include "common/options.h"
#include "verify/job.h"

#define TRUST_FILES_MAX 64
#define IMAGES_MAX 1000 /* of one call; each holds its files open */

struct settings {
    struct job_options job;
    const char *logs[EVIDENCE_LOGS_MAX]; /* job.logs */
    const char *ca_files[TRUST_FILES_MAX], *ca_paths[TRUST_FILES_MAX], *crl_files[TRUST_FILES_MAX];
    struct trust_spec trust;
    bool record;         /* the result goes into the ledgers */
    const char *against; /* path, or NULL */
    const char *salvage; /* DEST, or NULL */
    enum progress_mode progress;
    bool json;
    bool quiet;
};

/* Takes argv; the operands are the images. Both errors and what does not fit together are
   OUTCOME_USAGE. The caller frees *options when it is done with the images. */
int settings_read(int argc, char **argv, struct settings *s, struct options **options,
                  char ***images, size_t *n_images, struct err *err);

#endif
