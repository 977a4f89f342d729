/*
 * Sizes as people write and read them. Bytes everywhere; a sector count appears only at the
 * device and on the display.
 */
#ifndef EXHIBIT_SIZE_H
#define EXHIBIT_SIZE_H

#include <stdint.h>

#include "common/err.h"

/* Parses "1048576", "64K", "2G" (powers of 1024), "4GB" (powers of 1000) or "128s" (sectors of
   sector_size bytes; with 0 the suffix is an error). Signs, fractions, blanks, overflow past
   2^63 - 1 and unknown suffixes are OUTCOME_USAGE errors that name `what` (an option). */
int size_parse(const char *s, uint32_t sector_size, const char *what, uint64_t *out,
               struct err *err);

/* A plain decimal number between min and max, nothing else. */
int number_parse(const char *s, uint64_t min, uint64_t max, const char *what, uint64_t *out,
                 struct err *err);

#define SIZE_TEXT_MAX 32

/* "4.0 GiB" in buf (SIZE_TEXT_MAX bytes); returns buf. */
char *size_human(uint64_t bytes, char *buf);

#endif
