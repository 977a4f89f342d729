#include "common/ewf_format.h"

#include <libdeflate.h>

uint32_t
ewf_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t
ewf_u64(const uint8_t *p)
{
    return ewf_u32(p) | (uint64_t)ewf_u32(p + 4) << 32;
}

uint32_t
ewf_adler32(uint32_t seed, const void *p, size_t n)
{
    return libdeflate_adler32(seed, p, n);
}

bool
ewf_checksum_follows(const uint8_t *p, size_t n)
{
    return ewf_adler32(1, p, n) == ewf_u32(p + n);
}

void
ewf_decode_descriptor(const uint8_t p[EWF_DESCRIPTOR_SIZE], struct ewf_descriptor *out)
{
    memcpy(out->type, p, 16);
    out->type[16] = '\0';
    out->next = ewf_u64(p + 16);
    out->size = ewf_u64(p + 24);
    out->checksum_ok = ewf_checksum_follows(p, EWF_DESCRIPTOR_SIZE - 4);
}

int
ewf_decode_volume(const uint8_t *p, size_t n, struct ewf_volume *out)
{
    *out = (struct ewf_volume){.smart = n == EWF_VOLUME_SMART_SIZE};
    if (n != EWF_VOLUME_SIZE && n != EWF_VOLUME_SMART_SIZE)
        return -1;
    out->chunk_count = ewf_u32(p + 4);
    out->sectors_per_chunk = ewf_u32(p + 8);
    out->bytes_per_sector = ewf_u32(p + 12);
    if (out->smart) {
        out->sectors = ewf_u32(p + 16);
    } else {
        out->sectors = ewf_u64(p + 16);
        out->error_granularity = ewf_u32(p + 56);
        memcpy(out->guid, p + 64, sizeof out->guid);
    }
    out->checksum_ok = ewf_checksum_follows(p, n - 4);
    return 0;
}

void
ewf_decode_table_header(const uint8_t p[EWF_TABLE_HEADER_SIZE], struct ewf_table_header *out)
{
    out->entries = ewf_u32(p);
    out->base = ewf_u64(p + 8);
    out->checksum_ok = ewf_checksum_follows(p, EWF_TABLE_HEADER_SIZE - 4);
}
