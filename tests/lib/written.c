#include "tests/lib/written.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/text.h"

void
media_fill(uint8_t *p, size_t n, struct rng *rng)
{
    for (size_t at = 0; at < n;) {
        size_t run = 1 + rng_below(rng, 150000);
        uint64_t kind = rng_below(rng, 3);

        if (run > n - at)
            run = n - at;
        for (size_t i = 0; i < run; i++)
            p[at + i] = kind == 0   ? 0
                        : kind == 1 ? (uint8_t)("some text of a file "[i % 20])
                                    : (uint8_t)rng_next(rng);
        at += run;
    }
}

void
hash_bytes(const char *algorithm, const void *p, size_t n, char hex[DIGEST_HEX_MAX])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    size_t size = 0;

    assert_int_equal(EVP_Q_digest(NULL, algorithm, NULL, p, n, digest, &size), 1);
    hex_encode(digest, size, hex);
}

uint8_t *
file_bytes(int dir, const char *name, size_t *n)
{
    struct err err = ERR_INIT;
    char *p = infile_read(dir, name, (size_t)1 << 30, n, &err);

    assert_non_null(p);
    return (uint8_t *)p;
}

struct segment *
listed_segments(struct segment_log *log, size_t *n)
{
    struct segment *v;

    *n = segment_log_done(log);
    v = xcalloc(*n, sizeof *v);
    for (size_t i = 0; i < *n; i++)
        v[i] = segment_log_at(log, i);
    return v;
}

static size_t
count_files(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY);
    AUTO_DIR DIR *d = fdopendir(fd);
    const struct dirent *e;
    size_t n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    return n;
}

static void
check_one(int dir, const struct segment *s)
{
    char hex[DIGEST_HEX_MAX];
    size_t size;
    uint8_t *bytes = file_bytes(dir, s->file, &size);

    assert_int_equal(s->size, size);
    hash_bytes("md5", bytes, size, hex);
    if (s->md5[0])
        assert_string_equal(s->md5, hex);
    hash_bytes("sha256", bytes, size, hex);
    if (s->sha256[0])
        assert_string_equal(s->sha256, hex);
    free(bytes);
}

void
check_segment_list(int dir, const struct segment *v, size_t n, uint64_t media_size)
{
    uint64_t at = 0;

    assert_int_equal(count_files(dir), n);
    for (size_t i = 0; i < n; i++) {
        check_one(dir, &v[i]);
        assert_int_equal(v[i].media_offset, at);
        assert_true(v[i].media_length > 0);
        at += v[i].media_length;
    }
    assert_int_equal(at, media_size);
}

void
clear_directory(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY);
    AUTO_DIR DIR *d = fdopendir(fd);
    const struct dirent *e;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            assert_int_equal(unlinkat(dir, e->d_name, 0), 0);
    }
}
