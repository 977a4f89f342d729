/*
 * The options of exhibit-acquire by number, for the files that take them in and compare them.
 */
#ifndef EXHIBIT_ACQUIRE_OPTIONS_IMPL_H
#define EXHIBIT_ACQUIRE_OPTIONS_IMPL_H

#include "acquire/front/options_acquire.h"

enum id {
    ID_FORMAT = 1,
    ID_SEGMENT_SIZE,
    ID_COMPRESSION,
    ID_HASH,
    ID_PIECEWISE,
    ID_CASE,
    ID_EVIDENCE,
    ID_DESCRIPTION,
    ID_EXAMINER,
    ID_NOTES,
    ID_META,
    ID_SECTOR_SIZE,
    ID_OFFSET,
    ID_LENGTH,
    ID_RETRIES,
    ID_READ_TIMEOUT,
    ID_SCSI_TIMEOUT,
    ID_MAX_TEMPERATURE,
    ID_COPY,
    ID_WRITE_BLOCK,
    ID_HARDWARE_BLOCKER,
    ID_EXPECT_SERIAL,
    ID_NO_VERIFY,
    ID_RELEASE,
    ID_ALLOW_LOW_SPACE,
    ID_ALLOW_NO_SANDBOX,
    ID_THREADS,
    ID_RESUME,
    ID_SEGMENT_DIR,
    ID_TSA,
    ID_RESCUE,
    ID_RESCUE_IMAGE,
    ID_RESCUE_MAP,
    ID_PROGRESS,
    ID_QUIET,
    ID_JSON,
};

/* Where an option lies that only notes its argument; NULL: it is another. */
const char **acquire_text_option(struct acquire_options *o, int id);

#endif
