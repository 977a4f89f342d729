#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "acquire/worker/packer.h"
#include "acquire/worker/sink.h"
#include "common/cleanup.h"
#include "common/ewf_format.h"
#include "common/image.h"
#include "common/segname.h"
#include "common/text.h"
#include "tests/lib/ewf_oracle.h"
#include "tests/lib/written.h"

#define MIB ((size_t)1 << 20)
#define BLOCK MIB

/* One image on its way: what goes in, and what came of it. */
struct run {
    int dir;
    uint8_t *data; /* NULL: zeros */
    uint64_t media;
    uint32_t sector_size;
    uint32_t sectors_per_chunk;
    uint64_t segment_size;
    enum compression compression;
    struct e01_spec e01;
    const struct ranges *unreadable;
    struct manifest_hashes hashes;
    struct segment_log *log;
    struct sink *sink;
    struct segment *v; /* the list, once it has ended well */
    size_t n;
};

static void
block_init(struct block *b)
{
    b->data = xcalloc(BLOCK, 1);
    b->packed = xcalloc(BLOCK, 1);
    b->chunks = xcalloc(BLOCK / 512 + 1, sizeof *b->chunks);
}

static void
block_free(struct block *b)
{
    free(b->data);
    free(b->packed);
    free(b->chunks);
}

static int
feed(struct run *r, struct packer *packer, struct err *err)
{
    struct block b = {0};
    int result = 0;

    block_init(&b);
    for (uint64_t at = 0; result == 0 && at < r->media; at += BLOCK) {
        b.offset = at;
        b.length = r->media - at < BLOCK ? (size_t)(r->media - at) : BLOCK;
        if (r->data)
            memcpy(b.data, r->data + at, b.length);
        packer_pack(packer, &b);
        result = r->sink->ops->put(r->sink, &b, err);
    }
    block_free(&b);
    return result;
}

static int
run_write(struct run *r, struct err *err)
{
    static const struct ranges none;
    struct sink_spec spec = {.dir = r->dir,
                             .name = "EV-01",
                             .media_size = r->media,
                             .sector_size = r->sector_size,
                             .segment_size = r->segment_size};
    struct sink_final final = {.hashes = &r->hashes,
                               .unreadable = r->unreadable ? r->unreadable : &none};
    struct packer *packer;
    int result;

    r->e01.sectors_per_chunk = r->sectors_per_chunk;
    r->log = segment_log_new(r->dir, true, err);
    assert_non_null(r->log);
    spec.log = r->log;
    r->sink = sink_e01_new(&spec, &r->e01, err);
    if (!r->sink)
        return -1;
    packer = packer_new(r->compression, (size_t)r->sectors_per_chunk * r->sector_size, err);
    assert_non_null(packer);
    result = feed(r, packer, err);
    if (result == 0)
        result = r->sink->ops->finish(r->sink, &final, err);
    if (result == 0)
        result = segment_log_finish(r->log, err);
    if (result == 0)
        r->v = listed_segments(r->log, &r->n);
    packer_free(packer);
    return result;
}

static void
run_end(struct run *r)
{
    if (r->sink)
        r->sink->ops->free(r->sink);
    free(r->v);
    segment_log_free(r->log);
    manifest_hashes_free(&r->hashes);
    clear_directory(r->dir);
}

/* What our own reader finds in the tables of each file is what the list says it
 * holds. */
static void
check_tables(const struct run *r)
{
    struct image_options options = {0};
    struct err err = ERR_INIT;
    struct image *img = image_open("EV-01.E01", &options, &err);
    const struct image_info *info;

    if (!img)
        fail_msg("image_open: %s", err.text);
    info = image_info(img);
    assert_int_equal(info->n_findings, 0);
    assert_int_equal(info->n_segments, r->n);
    for (size_t i = 0; i < r->n; i++) {
        assert_int_equal(info->segments[i].media_offset, r->v[i].media_offset);
        assert_int_equal(info->segments[i].media_length, r->v[i].media_length);
    }
    image_free(img);
}

static void
check_names_and_sizes(const struct run *r)
{
    for (size_t i = 0; i < r->n; i++) {
        AUTO_FREE char *name = NULL;
        char ext[SEGNAME_EXT_MAX];

        assert_int_equal(segname_e01((uint32_t)i + 1, ext), 0);
        name = xasprintf("EV-01%s", ext);
        assert_string_equal(r->v[i].file, name);
        assert_int_equal(strlen(r->v[i].md5), 32);
        assert_int_equal(strlen(r->v[i].sha256), 64);
        assert_true(r->v[i].size <= r->segment_size); /* an upper bound of each file */
    }
}

static void
check_media(const struct run *r)
{
    struct ewf_oracle *o = ewf_oracle_open("EV-01.E01");
    AUTO_FREE uint8_t *got = xcalloc(1, r->media);

    assert_int_equal(ewf_oracle_segments(o), r->n);
    assert_int_equal(ewf_oracle_media_size(o), r->media);
    assert_int_equal(ewf_oracle_sector_size(o), r->sector_size);
    ewf_oracle_read(o, got);
    if (r->data)
        assert_memory_equal(got, r->data, r->media);
    else
        assert_true(got[0] == 0 && memcmp(got, got + 1, r->media - 1) == 0);
    ewf_oracle_close(o);
}

static void
check_all(const struct run *r)
{
    check_segment_list(r->dir, r->v, r->n, r->media);
    check_names_and_sizes(r);
    check_tables(r);
    check_media(r);
}

static void
must_write(struct run *r)
{
    struct err err = ERR_INIT;

    if (run_write(r, &err) != 0)
        fail_msg("%s", err.text);
}

static void
every_mode_and_sector_size(void **state)
{
    struct rng rng = rng_start("sink_e01");
    uint8_t *data = xcalloc(1, 5 * MIB);

    (void)state;
    media_fill(data, 5 * MIB, &rng);
    for (int mode = COMPRESSION_NONE; mode <= COMPRESSION_BEST; mode++) {
        for (uint32_t sector = 512; sector <= 4096; sector *= 8) {
            struct run r = {
                .dir = scratch_dir,
                .data = data,
                .media = (1 + rng_below(&rng, 5 * MIB / sector)) * sector,
                .sector_size = sector,
                .sectors_per_chunk = (UINT32_C(32768) << rng_below(&rng, 4)) / sector,
                .segment_size = MIB << rng_below(&rng, 3),
                .compression = (enum compression)mode,
                .e01 = {.best = mode == COMPRESSION_BEST, .stored = mode < COMPRESSION_FAST},
            };

            must_write(&r);
            check_all(&r);
            run_end(&r);
        }
    }
    free(data);
}

/* Around the size at which one file is full and the next begins: every number
   of chunks, so that the last chunk of the media falls on every side of a
   file's end. */
static void
the_media_end_anywhere_in_a_segment(void **state)
{
    struct rng rng = rng_start("sink_e01 rollover");
    uint8_t *data = xcalloc(1, 3 * MIB);

    (void)state;
    for (size_t i = 0; i < 3 * MIB; i++)
        data[i] = (uint8_t)rng_next(&rng);
    for (uint64_t chunks = 24; chunks < 64; chunks++) {
        struct run r = {
            .dir = scratch_dir,
            .data = data,
            .media = chunks * 32768 - (chunks % 3) * 512,
            .sector_size = 512,
            .sectors_per_chunk = 64,
            .segment_size = MIB,
            .compression = COMPRESSION_FAST,
        };

        must_write(&r);
        check_all(&r);
        run_end(&r);
    }
    free(data);
}

/* The last file also takes the list of errors and the hashes; still it is no
   larger than was asked for, however nearly full it was. */
static void
the_end_fits_into_the_last_segment(void **state)
{
    struct rng rng = rng_start("sink_e01 tail");
    uint8_t *data = xcalloc(1, 8 * MIB);

    (void)state;
    for (size_t i = 0; i < 8 * MIB; i++)
        data[i] = (uint8_t)rng_next(&rng);
    for (uint64_t chunks = 220; chunks < 252; chunks++) {
        struct ranges bad = {0};
        struct run r = {
            .dir = scratch_dir,
            .data = data,
            .media = chunks * 32768,
            .sector_size = 512,
            .sectors_per_chunk = 64,
            .segment_size = MIB,
            .compression = COMPRESSION_NONE,
            .e01 = {.stored = true},
            .unreadable = &bad,
        };

        for (uint64_t at = 0; at < r.media; at += 1024)
            ranges_add(&bad, at, 512);
        must_write(&r);
        check_segment_list(r.dir, r.v, r.n, r.media);
        check_names_and_sizes(&r);
        ranges_free(&bad);
        run_end(&r);
    }
    free(data);
}

/* Nothing but zeros: small chunks, of which the tables are a large part of each
 * file. */
static void
segments_of_tiny_chunks(void **state)
{
    struct run r = {
        .dir = scratch_dir,
        .media = 48 * MIB,
        .sector_size = 512,
        .sectors_per_chunk = 1,
        .segment_size = MIB,
        .compression = COMPRESSION_FAST,
    };

    (void)state;
    must_write(&r);
    assert_true(r.n >= 2);
    check_all(&r);
    run_end(&r);
}

/* In the first segment. */
static size_t
count_sections(const char *type)
{
    AUTO_FD int fd = open("EV-01.E01", O_RDONLY | O_CLOEXEC);
    uint8_t d[76]; /* EWF-E01: section descriptor */
    uint64_t at = 13;
    size_t n = 0;

    assert_true(fd >= 0);
    while (pread(fd, d, sizeof d, (off_t)at) == (ssize_t)sizeof d && ewf_u64(d + 16) > at) {
        n += strcmp((const char *)d, type) == 0;
        at = ewf_u64(d + 16);
    }
    return n;
}

/* What is called settled early must be what the file holds in the end: the
 * hashes tell. */
static void
large_segments_are_hashed_on_the_way(void **state)
{
    struct rng rng = rng_start("sink_e01 settled");
    uint8_t *data = xcalloc(1, 80 * MIB);
    struct run r = {
        .dir = scratch_dir,
        .data = data,
        .media = 80 * MIB,
        .sector_size = 512,
        .sectors_per_chunk = 8, /* so that there are many tables */
        .segment_size = 72 * MIB,
        .compression = COMPRESSION_FAST,
    };

    (void)state;
    for (size_t i = 0; i < 80 * MIB; i += 8) {
        uint64_t v = rng_next(&rng);

        memcpy(data + i, &v, sizeof v);
    }
    must_write(&r);
    assert_int_equal(r.n, 2);
    check_all(&r);
    assert_int_equal(count_sections("sectors"), 9); /* of 8 MiB */
    run_end(&r);
    free(data);
}

static void
assert_header(const struct ewf_oracle *o, const char *key, const char *expected)
{
    char got[1024];

    ewf_oracle_header(o, key, got, sizeof got);
    assert_string_equal(got, expected);
}

static void
headers_hashes_and_errors_are_stored(void **state)
{
    static const char md5[] = "0123456789abcdef0123456789abcdef";
    static const char sha1[] = "0123456789abcdef0123456789abcdef01234567";
    struct rng rng = rng_start("sink_e01 values");
    uint8_t *data = xcalloc(1, MIB);
    struct ranges bad = {0};
    struct ranges got = {0};
    char hash[128];
    char examiner[602] = "x";
    struct run r = {
        .dir = scratch_dir,
        .data = data,
        .media = MIB,
        .sector_size = 512,
        .sectors_per_chunk = 64,
        .segment_size = 2048 * MIB,
        .compression = COMPRESSION_FAST,
        .e01 = {.physical = true,
                .date = 1767225600,
                .case_number = "2026-017",
                .evidence_number = "EV-01",
                .description = "a t\u00e4st of a dr\u00efve",
                .examiner = examiner,
                .notes = "first line\nsecond\tline \U0001f4be",
                .model = "Model \xff X",
                .serial = "S/N 42"},
        .unreadable = &bad,
    };
    struct ewf_oracle *o;

    (void)state;
    for (size_t i = 1; i < sizeof examiner - 2; i += 2)
        memcpy(examiner + i, "\u00e9", 2);
    media_fill(data, MIB, &rng);
    ranges_add(&bad, 0, 512);
    for (uint64_t at = 2048; at < MIB - 8192; at += 1024 + 512 * rng_below(&rng, 9))
        ranges_add(&bad, at, 512);
    ranges_add(&bad, MIB - 512, 512);
    manifest_hash_add(&r.hashes, "sha256", "00");
    manifest_hash_add(&r.hashes, "md5", md5);
    manifest_hash_add(&r.hashes, "sha1", sha1);
    must_write(&r);
    check_all(&r);
    o = ewf_oracle_open("EV-01.E01");
    assert_header(o, "case_number", "2026-017");
    assert_header(o, "evidence_number", "EV-01");
    assert_header(o, "description", "a t\u00e4st of a dr\u00efve");
    examiner[499] = '\0'; /* the longest that readers take, between two characters */
    assert_header(o, "examiner_name", examiner);
    assert_header(o, "notes", "first line second line \U0001f4be");
    assert_header(o, "model", "Model \\xff X");
    assert_header(o, "serial_number", "S/N 42");
    assert_header(o, "acquiry_operating_system", "Linux");
    assert_header(o, "acquiry_software_version", "Exhibit " EXHIBIT_VERSION);
    ewf_oracle_hash(o, "MD5", hash, sizeof hash);
    assert_string_equal(hash, md5);
    ewf_oracle_hash(o, "SHA1", hash, sizeof hash);
    assert_string_equal(hash, sha1);
    ewf_oracle_errors(o, &got);
    assert_int_equal(got.n, bad.n);
    for (size_t i = 0; i < bad.n; i++) {
        assert_int_equal(got.v[i].offset, bad.v[i].offset);
        assert_int_equal(got.v[i].length, bad.v[i].length);
    }
    ewf_oracle_close(o);
    ranges_free(&bad);
    ranges_free(&got);
    run_end(&r);
    free(data);
}

/* error2 counts 4 bytes of sectors; ranges past them must not come out at
 * another place. */
static void
errors_past_32_bits_are_left_out(void **state)
{
    struct ranges bad = {0};
    struct ranges got = {0};
    struct err err = ERR_INIT;
    struct run r = {
        .dir = scratch_dir,
        .media = MIB,
        .sector_size = 512,
        .sectors_per_chunk = 64,
        .segment_size = 2048 * MIB,
        .compression = COMPRESSION_FAST,
        .unreadable = &bad,
    };
    struct ewf_oracle *o;

    (void)state;
    ranges_add(&bad, 1024, 512);
    ranges_add(&bad, (UINT64_C(1) << 41) + 512, 512); /* sector 2^32 + 1 */
    if (run_write(&r, &err) != 0)
        fail_msg("%s", err.text);
    o = ewf_oracle_open("EV-01.E01");
    ewf_oracle_errors(o, &got);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.v[0].offset, 1024);
    ewf_oracle_close(o);
    ranges_free(&bad);
    ranges_free(&got);
    run_end(&r);
}

/* The same input makes the same bytes. */
static void
output_is_deterministic(void **state)
{
    char first[DIGEST_HEX_MAX] = "";

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct run r = {
            .dir = scratch_dir,
            .media = MIB,
            .sector_size = 512,
            .sectors_per_chunk = 64,
            .segment_size = 2048 * MIB,
            .compression = COMPRESSION_FAST,
            .e01 = {.date = 1767225600, .case_number = "x"},
        };

        must_write(&r);
        if (i == 0)
            memcpy(first, r.v[0].sha256, sizeof first);
        else
            assert_string_equal(first, r.v[0].sha256);
        run_end(&r);
    }
}

static void
the_largest_segment_size_is_taken(void **state)
{
    struct run r = {
        .dir = scratch_dir,
        .media = MIB,
        .sector_size = 512,
        .sectors_per_chunk = 64,
        .segment_size = INT64_MAX,
        .compression = COMPRESSION_NONE,
        .e01 = {.stored = true},
    };

    (void)state;
    must_write(&r);
    check_all(&r);
    run_end(&r);
}

/* A file system of 1.5 MiB, in a mount namespace of this process's own. */
static void
a_full_disk_says_so(void **state)
{
    struct rng rng = {.state = 1};
    uint8_t *data = xcalloc(1, 4 * MIB);
    struct err err = ERR_INIT;
    struct run r = {
        .data = data,
        .media = 4 * MIB,
        .sector_size = 512,
        .sectors_per_chunk = 64,
        .segment_size = 2048 * MIB,
        .compression = COMPRESSION_FAST,
    };

    (void)state;
    if (mkdirat(scratch_dir, "full", 0700) != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("full", "full", "tmpfs", 0, "size=1536k") != 0) {
        print_message("SKIP: cannot mount a small file system here\n");
        free(data);
        skip();
    }
    for (size_t i = 0; i < 4 * MIB; i++)
        data[i] = (uint8_t)rng_next(&rng);
    r.dir = open("full", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(run_write(&r, &err), -1);
    assert_int_equal(err.sys, ENOSPC);
    run_end(&r);
    (void)close(r.dir);
    assert_int_equal(umount("full"), 0);
    free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mode_and_sector_size),
        cmocka_unit_test(the_media_end_anywhere_in_a_segment),
        cmocka_unit_test(the_end_fits_into_the_last_segment),
        cmocka_unit_test(segments_of_tiny_chunks),
        cmocka_unit_test(large_segments_are_hashed_on_the_way),
        cmocka_unit_test(headers_hashes_and_errors_are_stored),
        cmocka_unit_test(errors_past_32_bits_are_left_out),
        cmocka_unit_test(output_is_deterministic),
        cmocka_unit_test(the_largest_segment_size_is_taken),
        cmocka_unit_test(a_full_disk_says_so),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
