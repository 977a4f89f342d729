/*
 * What a person reads and what a program reads of a finished job.
 */
#ifndef EXHIBIT_VERIFY_OUTPUT_H
#define EXHIBIT_VERIFY_OUTPUT_H

#include <jansson.h>

#include "verify/job.h"

/* On stdout: a line for each check, the hashes, the verdict; with quiet the verdict alone. */
void output_text(const struct job *job, const struct job_options *options, bool quiet);

/* Of several images: a line for each, once all are done. */
void output_table(const struct job *jobs, size_t n);

/* The object of the contract (exhibit-verify(1)); a new reference. */
json_t *output_json(const struct job *job, const struct job_options *options,
                    const struct sandbox_state *sandbox);

#endif
