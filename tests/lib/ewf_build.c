#include "tests/lib/ewf_build.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

uint64_t
ewf_build_append(struct ewf_build *b, const void *data, size_t n)
{
    uint64_t at = b->n;

    b->data = xrealloc(b->data, b->n + n, 1);
    if (n > 0 && data)
        memcpy(b->data + b->n, data, n);
    else
        memset(b->data + b->n, 0, n);
    b->n += n;
    return at;
}

void
ewf_build_put32(struct ewf_build *b, uint64_t offset, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        b->data[offset + i] = (uint8_t)(v >> 8 * i);
}

void
ewf_build_put64(struct ewf_build *b, uint64_t offset, uint64_t v)
{
    ewf_build_put32(b, offset, (uint32_t)v);
    ewf_build_put32(b, offset + 4, (uint32_t)(v >> 32));
}

void
ewf_build_checksum(struct ewf_build *b, uint64_t offset, size_t n)
{
    ewf_build_put32(b, offset + n, libdeflate_adler32(1, b->data + offset, n));
}

struct ewf_build
ewf_build_start(uint16_t number)
{
    struct ewf_build b = {0};
    const uint8_t header[13] = {
        'E', 'V', 'F', 9, 13, 10, 255, 0, 1, (uint8_t)number, (uint8_t)(number >> 8), 0, 0};

    (void)ewf_build_append(&b, header, sizeof header);
    return b;
}

void
ewf_build_redirect(struct ewf_build *b, uint64_t offset, uint64_t next, uint64_t size)
{
    ewf_build_put64(b, offset + 16, next);
    ewf_build_put64(b, offset + 24, size);
    ewf_build_checksum(b, offset, 72);
}

static uint64_t
descriptor(struct ewf_build *b, const char *type)
{
    uint64_t at = ewf_build_append(b, NULL, 76);

    memcpy(b->data + at, type, strlen(type));
    return at;
}

uint64_t
ewf_build_section(struct ewf_build *b, const char *type, const void *data, size_t n)
{
    uint64_t at = descriptor(b, type);

    ewf_build_redirect(b, at, at + 76 + n, 76 + n);
    (void)ewf_build_append(b, data, n);
    return at;
}

uint64_t
ewf_build_last(struct ewf_build *b, const char *type)
{
    uint64_t at = descriptor(b, type);

    ewf_build_redirect(b, at, at, 0);
    return at;
}

uint64_t
ewf_build_volume(struct ewf_build *b, const char *type, uint32_t sectors_per_chunk,
                 uint32_t bytes_per_sector, uint64_t sectors)
{
    uint64_t at = ewf_build_section(b, type, NULL, 1052);
    uint64_t v = at + 76;

    ewf_build_put32(b, v + 4, (uint32_t)((sectors + sectors_per_chunk - 1) / sectors_per_chunk));
    ewf_build_put32(b, v + 8, sectors_per_chunk);
    ewf_build_put32(b, v + 12, bytes_per_sector);
    ewf_build_put64(b, v + 16, sectors);
    ewf_build_checksum(b, v, 1048);
    return at;
}

/* Appends the stored form of one chunk. */
static void
append_chunk(struct ewf_build *b, const uint8_t *data, size_t n, bool compress)
{
    if (compress) {
        struct libdeflate_compressor *c = libdeflate_alloc_compressor(1);
        size_t room = libdeflate_zlib_compress_bound(c, n);
        uint8_t *out = xcalloc(1, room);
        size_t used = libdeflate_zlib_compress(c, data, n, out, room);

        (void)ewf_build_append(b, out, used);
        libdeflate_free_compressor(c);
        free(out);
    } else {
        uint64_t at = ewf_build_append(b, data, n);

        (void)ewf_build_append(b, NULL, 4);
        ewf_build_checksum(b, at, n);
    }
}

static uint64_t
append_table(struct ewf_build *b, const char *type, const uint32_t *entries, size_t count,
             uint64_t base)
{
    uint64_t at = ewf_build_section(b, type, NULL, 24 + 4 * count + 4);

    ewf_build_put32(b, at + 76, (uint32_t)count);
    ewf_build_put64(b, at + 76 + 8, base);
    ewf_build_checksum(b, at + 76, 20);
    for (size_t i = 0; i < count; i++)
        ewf_build_put32(b, at + 100 + 4 * i, entries[i]);
    ewf_build_checksum(b, at + 100, 4 * count);
    return at;
}

uint64_t
ewf_build_chunks(struct ewf_build *b, const uint8_t *media, size_t n, size_t chunk_size,
                 bool compress)
{
    size_t count = (n + chunk_size - 1) / chunk_size;
    uint32_t *entries = xcalloc(count, sizeof *entries);
    uint64_t sectors = ewf_build_section(b, "sectors", NULL, 0);
    uint64_t table;

    for (size_t i = 0; i < count; i++) {
        size_t left = n - i * chunk_size;
        bool this_one = compress && i % 2 == 1;

        entries[i] = (uint32_t)(b->n - sectors) | (this_one ? UINT32_C(0x80000000) : 0);
        append_chunk(b, media + i * chunk_size, left < chunk_size ? left : chunk_size, this_one);
    }
    ewf_build_redirect(b, sectors, b->n, b->n - sectors);
    table = append_table(b, "table", entries, count, sectors);
    (void)append_table(b, "table2", entries, count, sectors);
    free(entries);
    return table;
}

uint64_t
ewf_build_hash(struct ewf_build *b, const uint8_t md5[16])
{
    uint64_t at = ewf_build_section(b, "hash", NULL, 36);

    memcpy(b->data + at + 76, md5, 16);
    ewf_build_checksum(b, at + 76, 32);
    return at;
}

void
ewf_build_write(struct ewf_build *b, const char *path)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(b->data, 1, b->n, f) != b->n || fclose(f) != 0)
        abort();
    free(b->data);
    *b = (struct ewf_build){0};
}
