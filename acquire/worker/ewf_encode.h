/*
 * EWF-E01 as bytes on disk: the other direction of common/ewf_format.h, whose sizes and terms it
 * uses. What is made is what EnCase 6 writes and other tools expect of it.
 */
#ifndef EXHIBIT_ACQUIRE_EWF_ENCODE_H
#define EXHIBIT_ACQUIRE_EWF_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ewf_format.h"

/* "Volume section", compression level. */
enum ewf_level {
    EWF_LEVEL_NONE = 0,
    EWF_LEVEL_FAST = 1,
    EWF_LEVEL_BEST = 2,
};

struct ewf_media {
    uint64_t sectors;
    uint32_t bytes_per_sector;
    uint32_t sectors_per_chunk;
    enum ewf_level level;
    bool removable;
    bool physical; /* a whole disk, not a volume or a file */
};

/* number: of the segment, from 1. */
void ewf_encode_file_header(uint8_t out[EWF_FILE_HEADER_SIZE], uint16_t number);

/* A section that lies at `at` of its file and has n bytes of data after the descriptor. */
void ewf_encode_descriptor(uint8_t out[EWF_DESCRIPTOR_SIZE], const char *type, uint64_t at,
                           uint64_t n);

/* "next" and "done" are descriptors alone: no size, and what follows them is themselves. */
void ewf_encode_end(uint8_t out[EWF_DESCRIPTOR_SIZE], const char *type, uint64_t at);

/* The data of "volume" and of "data", which repeats it. */
void ewf_encode_volume(uint8_t out[EWF_VOLUME_SIZE], const struct ewf_media *media);

/* The data of "table" and of "table2". entries: ewf_table_size(n) bytes are written. */
size_t ewf_table_size(uint32_t n);
void ewf_encode_table(uint8_t *out, uint64_t base, const uint32_t *entries, uint32_t n);

/* A hash that is not there is NULL, and zero in the file. */
void ewf_encode_hash(uint8_t out[EWF_HASH_SIZE], const uint8_t md5[16]);
void ewf_encode_digest(uint8_t out[EWF_DIGEST_SIZE], const uint8_t *md5, const uint8_t sha1[20]);

/* The data of "error2" but for its entries and their checksum. */
void ewf_encode_error2_header(uint8_t out[EWF_ERROR2_HEADER_SIZE], uint32_t n);
void ewf_encode_error2_entry(uint8_t out[EWF_ERROR2_ENTRY_SIZE], uint32_t first, uint32_t count);

void ewf_encode_u32(uint8_t out[4], uint32_t v);

#endif
