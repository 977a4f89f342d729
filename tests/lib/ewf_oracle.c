#include "tests/lib/ewf_oracle.h"

#include <libewf.h>

#include "tests/lib/unit.h"

struct ewf_oracle {
    libewf_handle_t *handle;
    char **names;
    int n;
};

struct ewf_oracle *
ewf_oracle_open(const char *path)
{
    struct ewf_oracle *o = calloc(1, sizeof *o);

    assert_non_null(o);
    assert_int_equal(libewf_glob(path, strlen(path), LIBEWF_FORMAT_UNKNOWN, &o->names, &o->n, NULL),
                     1);
    assert_int_equal(libewf_handle_initialize(&o->handle, NULL), 1);
    assert_int_equal(libewf_handle_open(o->handle, o->names, o->n, LIBEWF_OPEN_READ, NULL), 1);
    return o;
}

void
ewf_oracle_close(struct ewf_oracle *o)
{
    (void)libewf_handle_close(o->handle, NULL);
    (void)libewf_handle_free(&o->handle, NULL);
    (void)libewf_glob_free(o->names, o->n, NULL);
    free(o);
}

uint64_t
ewf_oracle_media_size(const struct ewf_oracle *o)
{
    size64_t size = 0;

    assert_int_equal(libewf_handle_get_media_size(o->handle, &size, NULL), 1);
    return size;
}

uint32_t
ewf_oracle_sector_size(const struct ewf_oracle *o)
{
    uint32_t size = 0;

    assert_int_equal(libewf_handle_get_bytes_per_sector(o->handle, &size, NULL), 1);
    return size;
}

int
ewf_oracle_segments(const struct ewf_oracle *o)
{
    return o->n;
}

void
ewf_oracle_read_at(const struct ewf_oracle *o, uint8_t *buf, size_t n, uint64_t offset)
{
    size_t got = 0;

    while (got < n) {
        ssize_t r =
            libewf_handle_read_random(o->handle, buf + got, n - got, (off64_t)(offset + got), NULL);

        assert_true(r > 0);
        got += (size_t)r;
    }
}

void
ewf_oracle_read(const struct ewf_oracle *o, uint8_t *buf)
{
    uint64_t size = ewf_oracle_media_size(o);
    uint32_t bad = 0;

    for (uint64_t at = 0; at < size;) {
        size_t part = size - at < (1u << 20) ? (size_t)(size - at) : 1u << 20;
        ssize_t got = libewf_handle_read_random(o->handle, buf + at, part, (off64_t)at, NULL);

        assert_true(got > 0);
        at += (uint64_t)got;
    }
    assert_int_equal(libewf_handle_get_number_of_checksum_errors(o->handle, &bad, NULL), 1);
    assert_int_equal(bad, 0);
}

void
ewf_oracle_hash(const struct ewf_oracle *o, const char *key, char *out, size_t n)
{
    out[0] = '\0';
    (void)libewf_handle_get_utf8_hash_value(o->handle, (const uint8_t *)key, strlen(key),
                                            (uint8_t *)out, n, NULL);
}

void
ewf_oracle_header(const struct ewf_oracle *o, const char *key, char *out, size_t n)
{
    out[0] = '\0';
    (void)libewf_handle_get_utf8_header_value(o->handle, (const uint8_t *)key, strlen(key),
                                              (uint8_t *)out, n, NULL);
}

void
ewf_oracle_errors(const struct ewf_oracle *o, struct ranges *out)
{
    uint32_t sector = ewf_oracle_sector_size(o);
    uint32_t n = 0;

    assert_int_equal(libewf_handle_get_number_of_acquiry_errors(o->handle, &n, NULL), 1);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t first = 0;
        uint64_t count = 0;

        assert_int_equal(libewf_handle_get_acquiry_error(o->handle, i, &first, &count, NULL), 1);
        ranges_add(out, first * sector, count * sector);
    }
}
