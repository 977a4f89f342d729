/*
 * The command line of exhibit-acquire.
 */
#ifndef EXHIBIT_ACQUIRE_OPTIONS_ACQUIRE_H
#define EXHIBIT_ACQUIRE_OPTIONS_ACQUIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acquire/job/job.h"
#include "common/digest.h"
#include "common/err.h"
#include "common/options.h"
#include "common/progress.h"
#include "common/signature.h"
#include "common/supervisor_proto.h"

#define META_MAX 64
#define TSA_MAX 16

struct acquire_options {
    const char *source, *dest, *copy;
    bool e01;
    const char *segment_size, *piecewise, *offset,
        *length; /* as typed: "s" needs the sector size */
    enum compression compression;
    const char *compression_name;
    char hashes[JOB_HASHES_MAX][DIGEST_NAME_MAX];
    size_t n_hashes;
    const char *case_number, *evidence_number, *description, *examiner, *notes; /* or NULL */
    const char *meta[META_MAX];                                                 /* KEY=VALUE */
    size_t n_meta;
    uint32_t sector_size; /* 0: not given */
    unsigned retries, threads;
    unsigned read_timeout;    /* seconds; 0: none */
    unsigned scsi_timeout;    /* seconds; 0: as it is */
    unsigned max_temperature; /* degrees Celsius; 0: none */
    enum write_block_level write_block;
    const char *hardware_blocker, *expect_serial; /* or NULL */
    bool verify, release, low_space, lenient_sandbox, quiet, json;
    bool resume;
    bool rescue;
    const char *rescue_image,
        *rescue_map;           /* with rescue, both or neither: to go on from, or NULL */
    const char *segment_dir;   /* with resume, or NULL */
    uint64_t given;            /* a bit an option that was given, for acquire_options_resume() */
    struct signer_spec signer; /* key NULL: not signed */
    const char *tsa[TSA_MAX];  /* authorities for a time stamp, in order */
    size_t n_tsa;
    enum progress_mode progress;
    int argc;
    char **argv; /* as typed, in that order; lives as long as the program */
};

/* The table, for programs that pass options on. */
const struct option_spec *acquire_option_table(size_t *n);
/* The long name of the option with that id. */
const char *acquire_option_name(int id);

int acquire_options_parse(int argc, char **argv, struct acquire_options *o, struct err *err);

/* A job is continued with the options that it was begun with, as its journal has them: argv (stays
   the journal's, as long as *o lives), typed in directory cwd. An option of *o that was given again
   must say the same (OUTCOME_USAGE); those that do not touch the image may differ. */
int acquire_options_resume(struct acquire_options *o, int argc, char **argv, const char *cwd,
                           struct err *err);

#endif
