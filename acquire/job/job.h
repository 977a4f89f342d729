/*
 * What a worker is to do, as the front tells it: everything is decided by then, nothing is a
 * default any more.
 */
#ifndef EXHIBIT_ACQUIRE_JOB_H
#define EXHIBIT_ACQUIRE_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acquire/worker/packer.h"
#include "common/err.h"

#define JOB_HASHES_MAX 16

struct job {
    char *name;                 /* of the image: the last component of DEST */
    char *copy_name;            /* of the copy's; "" without one */
    uint64_t offset;            /* of the source, bytes */
    uint64_t length;            /* of the image, bytes */
    uint32_t sector_size;       /* bytes */
    bool e01;                   /* else raw */
    uint32_t sectors_per_chunk; /* E01 */
    uint64_t segment_size;      /* bytes; 0: one file (raw) */
    enum compression compression;
    char *hashes[JOB_HASHES_MAX]; /* of the media, canonical names */
    size_t n_hashes;
    uint64_t piecewise; /* bytes; 0: none */
    unsigned retries;
    bool rescue;              /* first into the staging file (staging.h), … */
    uint32_t staging_dir;     /* … which lies in this directory, as the worker counts them */
    unsigned threads;         /* packers */
    bool lenient;             /* run also where the sandbox cannot be had in full */
    bool physical, removable; /* for the E01's volume section */
    int64_t date;             /* epoch; of the acquisition, as the E01 will say */
    char *case_number, *evidence_number, *description, *examiner, *notes; /* "" where not given */
    char *model, *serial;
};

json_t *job_to_json(const struct job *job);
/* Fills *job (job_clear() frees its texts). */
int job_from_json(const json_t *v, struct job *job, struct err *err);
void job_clear(struct job *job);

#endif
