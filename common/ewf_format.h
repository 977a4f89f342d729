/*
 * EWF-E01 on disk, decoded from bytes. Names in quotation marks are the sections of the "Expert
 * Witness Compression Format (EWF)" specification of the libewf project, version 1 of the format.
 * All numbers are little-endian; checksums are Adler-32 (RFC 1950) over the bytes before them.
 */
#ifndef EXHIBIT_EWF_FORMAT_H
#define EXHIBIT_EWF_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "File header": signature 8, start of fields 1 (0x01), segment number 2, end of fields 2 (0). */
#define EWF_FILE_HEADER_SIZE 13

/* "Section descriptor": type 16, offset of the next 8, size 8, padding 40, checksum 4. */
#define EWF_DESCRIPTOR_SIZE 76
#define EWF_TYPE_MAX 17 /* 16 and the NUL */

struct ewf_descriptor {
    char type[EWF_TYPE_MAX];
    uint64_t next; /* offset in the file of the next descriptor */
    uint64_t size; /* bytes, this descriptor included */
    bool checksum_ok;
};

void ewf_decode_descriptor(const uint8_t p[EWF_DESCRIPTOR_SIZE], struct ewf_descriptor *out);

/* "Volume section" (and "Disk", "Data"): 1052 bytes in E01, 94 in the original EWF and in SMART. */
#define EWF_VOLUME_SIZE 1052
#define EWF_VOLUME_SMART_SIZE 94

struct ewf_volume {
    uint32_t chunk_count;
    uint32_t sectors_per_chunk;
    uint32_t bytes_per_sector;
    uint64_t sectors;
    uint32_t error_granularity; /* sectors */
    uint8_t guid[16];           /* the set's, zero where the writer made none */
    bool smart;                 /* of the 94-byte kind */
    bool checksum_ok;
};

/* n is the length of the section's data; -1 if it is of neither size. */
int ewf_decode_volume(const uint8_t *p, size_t n, struct ewf_volume *out);

/* "Table section": header of 24 bytes: entries 4, padding 4, base offset 8, padding 4, checksum 4;
   then 4 bytes an entry: offset from the base in 31 bits, the top bit set for a compressed chunk;
   then a checksum over the entries, but not in the original EWF and in SMART. */
#define EWF_TABLE_HEADER_SIZE 24
#define EWF_TABLE_ENTRY_SIZE 4
#define EWF_ENTRY_COMPRESSED UINT32_C(0x80000000)

struct ewf_table_header {
    uint32_t entries;
    uint64_t base;
    bool checksum_ok;
};

void ewf_decode_table_header(const uint8_t p[EWF_TABLE_HEADER_SIZE], struct ewf_table_header *out);

/* "Hash section": MD5 16, unknown 16, checksum 4. "Digest section": MD5 16, SHA-1 20, padding 40,
   checksum 4. */
#define EWF_HASH_SIZE 36
#define EWF_DIGEST_SIZE 80

/* "Error2 section": count 4, padding 512, checksum 4; then first sector 4 and count of sectors 4 an
   entry; then a checksum over the entries. */
#define EWF_ERROR2_HEADER_SIZE 520
#define EWF_ERROR2_ENTRY_SIZE 8

uint32_t ewf_u32(const uint8_t *p);
uint64_t ewf_u64(const uint8_t *p);

/* Over n bytes from p, continuing from `seed` (1 at the start). */
uint32_t ewf_adler32(uint32_t seed, const void *p, size_t n);

/* True where the 4 bytes after the n at p are their checksum. */
bool ewf_checksum_follows(const uint8_t *p, size_t n);

#endif
