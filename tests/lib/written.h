/*
 * Media to write, and checks of segment files that were written. Failures end the test.
 */
#ifndef EXHIBIT_TESTS_WRITTEN_H
#define EXHIBIT_TESTS_WRITTEN_H

#include <stdint.h>

#include "acquire/worker/segments.h"
#include "common/digest.h"
#include "tests/lib/unit.h"

/* Runs of random bytes, text and zeros in turn, as real disks have them. */
void media_fill(uint8_t *p, size_t n, struct rng *rng);

/* By OpenSSL itself. */
void hash_bytes(const char *algorithm, const void *p, size_t n, char hex[DIGEST_HEX_MAX]);

/* The whole file in dir; the caller frees it. */
uint8_t *file_bytes(int dir, const char *name, size_t *n);

/* The segments that are done, in order; the caller frees the list, the names stay the log's. */
struct segment *listed_segments(struct segment_log *log, size_t *n);

/* The list is what lies in dir, no file more or less: names, sizes, hashes (where the list has
   them), and media ranges that follow each other up to media_size. */
void check_segment_list(int dir, const struct segment *v, size_t n, uint64_t media_size);

/* Empties the directory. */
void clear_directory(int dir);

#endif
