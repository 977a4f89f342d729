#include "acquire/worker/ewf_encode.h"

#include <string.h>

void
ewf_encode_u32(uint8_t out[4], uint32_t v)
{
    for (size_t i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> 8 * i);
}

static void
put_u64(uint8_t *out, uint64_t v)
{
    ewf_encode_u32(out, (uint32_t)v);
    ewf_encode_u32(out + 4, (uint32_t)(v >> 32));
}

/* Over the n bytes at p, behind them. */
static void
put_checksum(uint8_t *p, size_t n)
{
    ewf_encode_u32(p + n, ewf_adler32(1, p, n));
}

void
ewf_encode_file_header(uint8_t out[EWF_FILE_HEADER_SIZE], uint16_t number)
{
    static const uint8_t signature[8] = {'E', 'V', 'F', 0x09, 0x0d, 0x0a, 0xff, 0x00};

    memset(out, 0, EWF_FILE_HEADER_SIZE);
    memcpy(out, signature, sizeof signature);
    out[8] = 1;
    out[9] = (uint8_t)number;
    out[10] = (uint8_t)(number >> 8);
}

static void
encode_descriptor(uint8_t *out, const char *type, uint64_t next, uint64_t size)
{
    memset(out, 0, EWF_DESCRIPTOR_SIZE);
    memcpy(out, type, strlen(type));
    put_u64(out + 16, next);
    put_u64(out + 24, size);
    put_checksum(out, EWF_DESCRIPTOR_SIZE - 4);
}

void
ewf_encode_descriptor(uint8_t out[EWF_DESCRIPTOR_SIZE], const char *type, uint64_t at, uint64_t n)
{
    encode_descriptor(out, type, at + EWF_DESCRIPTOR_SIZE + n, EWF_DESCRIPTOR_SIZE + n);
}

void
ewf_encode_end(uint8_t out[EWF_DESCRIPTOR_SIZE], const char *type, uint64_t at)
{
    encode_descriptor(out, type, at, 0);
}

void
ewf_encode_volume(uint8_t out[EWF_VOLUME_SIZE], const struct ewf_media *media)
{
    uint64_t chunks = media->sectors / media->sectors_per_chunk +
                      (media->sectors % media->sectors_per_chunk != 0);

    memset(out, 0, EWF_VOLUME_SIZE);
    out[0] = media->removable ? 0 : 1; /* media type: removable, fixed */
    ewf_encode_u32(out + 4, (uint32_t)chunks);
    ewf_encode_u32(out + 8, media->sectors_per_chunk);
    ewf_encode_u32(out + 12, media->bytes_per_sector);
    put_u64(out + 16, media->sectors);
    out[36] = media->physical ? 3 : 1; /* media flags: 1 an image, 2 of a physical disk */
    out[52] = (uint8_t)media->level;
    put_checksum(out, EWF_VOLUME_SIZE - 4);
}

size_t
ewf_table_size(uint32_t n)
{
    return EWF_TABLE_HEADER_SIZE + (size_t)n * EWF_TABLE_ENTRY_SIZE + 4;
}

void
ewf_encode_table(uint8_t *out, uint64_t base, const uint32_t *entries, uint32_t n)
{
    uint8_t *p = out + EWF_TABLE_HEADER_SIZE;

    memset(out, 0, EWF_TABLE_HEADER_SIZE);
    ewf_encode_u32(out, n);
    put_u64(out + 8, base);
    put_checksum(out, EWF_TABLE_HEADER_SIZE - 4);
    for (uint32_t i = 0; i < n; i++)
        ewf_encode_u32(p + (size_t)i * EWF_TABLE_ENTRY_SIZE, entries[i]);
    put_checksum(p, (size_t)n * EWF_TABLE_ENTRY_SIZE);
}

void
ewf_encode_hash(uint8_t out[EWF_HASH_SIZE], const uint8_t md5[16])
{
    memset(out, 0, EWF_HASH_SIZE);
    memcpy(out, md5, 16);
    put_checksum(out, EWF_HASH_SIZE - 4);
}

void
ewf_encode_digest(uint8_t out[EWF_DIGEST_SIZE], const uint8_t *md5, const uint8_t sha1[20])
{
    memset(out, 0, EWF_DIGEST_SIZE);
    if (md5)
        memcpy(out, md5, 16);
    memcpy(out + 16, sha1, 20);
    put_checksum(out, EWF_DIGEST_SIZE - 4);
}

void
ewf_encode_error2_header(uint8_t out[EWF_ERROR2_HEADER_SIZE], uint32_t n)
{
    memset(out, 0, EWF_ERROR2_HEADER_SIZE);
    ewf_encode_u32(out, n);
    put_checksum(out, EWF_ERROR2_HEADER_SIZE - 4);
}

void
ewf_encode_error2_entry(uint8_t out[EWF_ERROR2_ENTRY_SIZE], uint32_t first, uint32_t count)
{
    ewf_encode_u32(out, first);
    ewf_encode_u32(out + 4, count);
}
