/*
 * Builds E01 segments byte by byte, right or wrong, for tests of the reader. What is built is as
 * EnCase 6 lays it out unless a test changes it afterwards.
 */
#ifndef EXHIBIT_TESTS_EWF_BUILD_H
#define EXHIBIT_TESTS_EWF_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ewf_build {
    uint8_t *data;
    size_t n;
};

/* Begins segment `number` with its file header. Freed by ewf_build_write(). */
struct ewf_build ewf_build_start(uint16_t number);

/* Appends bytes; returns their offset. */
uint64_t ewf_build_append(struct ewf_build *b, const void *data, size_t n);

/* Appends a section; returns the offset of its descriptor. */
uint64_t ewf_build_section(struct ewf_build *b, const char *type, const void *data, size_t n);

/* "next" or "done", which point at themselves. */
uint64_t ewf_build_last(struct ewf_build *b, const char *type);

/* A "volume" (or "data") section of 1052 bytes. */
uint64_t ewf_build_volume(struct ewf_build *b, const char *type, uint32_t sectors_per_chunk,
                          uint32_t bytes_per_sector, uint64_t sectors);

/* "sectors", "table" and "table2" for n bytes of media in chunks; where compress is set every
   second chunk is. Returns the offset of the table's descriptor; table2 follows it at once. */
uint64_t ewf_build_chunks(struct ewf_build *b, const uint8_t *media, size_t n, size_t chunk_size,
                          bool compress);

/* A "hash" section. */
uint64_t ewf_build_hash(struct ewf_build *b, const uint8_t md5[16]);

void ewf_build_put32(struct ewf_build *b, uint64_t offset, uint32_t v);
void ewf_build_put64(struct ewf_build *b, uint64_t offset, uint64_t v);

/* Writes the checksum that belongs behind the n bytes at offset. */
void ewf_build_checksum(struct ewf_build *b, uint64_t offset, size_t n);

/* Gives the section at offset another type, next offset and size, with a good checksum. */
void ewf_build_redirect(struct ewf_build *b, uint64_t offset, uint64_t next, uint64_t size);

/* Writes the file and frees the segment. */
void ewf_build_write(struct ewf_build *b, const char *path);

#endif
