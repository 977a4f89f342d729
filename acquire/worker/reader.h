/*
 * Reads the source block by block; what a read leaves out is narrowed down to single sectors
 * (recovery.h), filled with zero and recorded.
 */
#ifndef EXHIBIT_ACQUIRE_READER_H
#define EXHIBIT_ACQUIRE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "acquire/worker/source.h"
#include "common/err.h"
#include "common/ranges.h"

struct reader_spec {
    struct source *source;
    uint64_t offset; /* of the source: the image's byte 0 */
    uint64_t length; /* bytes of the image */
    uint32_t sector_size;
    unsigned retries;
    /* Below known_until (a multiple of the sector, or the length) the source returns what was read
       before: `known` says what of it was unreadable then, and reading must not fail now. */
    const struct ranges *known; /* image bytes; or NULL */
    uint64_t known_until;
    /* Called for each unreadable range as it is found (image bytes), with the errno of its read. */
    void (*on_unreadable)(void *context, const struct range *range, int sys);
    void *context;
};

struct reader;

struct reader *reader_new(const struct reader_spec *spec);
void reader_free(struct reader *r);

/* Fills buf with up to n bytes (a multiple of SOURCE_ALIGNMENT) from image offset `at` on; the
   return is how many the image still has, at most n. -1: the source is gone or changed its size
   (OUTCOME_INTERRUPTED), or cannot be read at all (OUTCOME_FAILED). */
ssize_t reader_fill(struct reader *r, void *buf, size_t n, uint64_t at, struct err *err);

/* All unreadable ranges so far, in image bytes; owned by the reader, used by its thread. */
const struct ranges *reader_unreadable(const struct reader *r);

#endif
