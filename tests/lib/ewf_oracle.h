/*
 * What libewf reads out of an E01: the judge of what Exhibit wrote. Failures end the test.
 */
#ifndef EXHIBIT_TESTS_EWF_ORACLE_H
#define EXHIBIT_TESTS_EWF_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ranges.h"

struct ewf_oracle;

/* path: of the first segment; the others are found by name. */
struct ewf_oracle *ewf_oracle_open(const char *path);
void ewf_oracle_close(struct ewf_oracle *o);

uint64_t ewf_oracle_media_size(const struct ewf_oracle *o);
uint32_t ewf_oracle_sector_size(const struct ewf_oracle *o);
int ewf_oracle_segments(const struct ewf_oracle *o);

/* n bytes of the media from offset on. */
void ewf_oracle_read_at(const struct ewf_oracle *o, uint8_t *buf, size_t n, uint64_t offset);

/* All media into buf, which has room for their size. */
void ewf_oracle_read(const struct ewf_oracle *o, uint8_t *buf);

/* The stored value by libewf's name ("MD5", "case_number"), or "" if there is none. */
void ewf_oracle_hash(const struct ewf_oracle *o, const char *key, char *out, size_t n);
void ewf_oracle_header(const struct ewf_oracle *o, const char *key, char *out, size_t n);

/* The acquisition errors, in bytes of the media. */
void ewf_oracle_errors(const struct ewf_oracle *o, struct ranges *out);

#endif
