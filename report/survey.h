/*
 * The disk side of a report: runs the parser over the partition table and then over each volume,
 * and notes what does not fit together.
 */
#ifndef EXHIBIT_REPORT_SURVEY_H
#define EXHIBIT_REPORT_SURVEY_H

#include <signal.h>

#include "common/progress.h"
#include "report/model.h"

struct survey_options {
    const char *image;    /* path of the first segment */
    const char *manifest; /* path, or NULL */
    bool lenient;         /* parse also where no sandbox can be had */
    uint64_t examine_max; /* bytes of each gap, slack and free space that are looked at */
    uint32_t deadline;    /* seconds for each volume; 0: grows with its size */
    struct progress *progress;
    const volatile sig_atomic_t *stop;
};

/* Fills the report's table, volumes and findings. Whatever the parser does is a finding; -1 only if
   it cannot be started or sandboxed (OUTCOME_FAILED), or on *stop (OUTCOME_INTERRUPTED). */
int survey(struct report *r, const struct survey_options *options, struct err *err);

#endif
