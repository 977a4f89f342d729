#include "tests/lib/unit.h"

#include <fcntl.h>
#include <pthread.h>

#include "common/image.h"
#include "tests/lib/ewf_build.h"

#define CHUNK 4096u /* 8 sectors of 512 */
#define CHUNKS 10u
#define MEDIA (CHUNK * CHUNKS - 1024u) /* the last chunk is short */

static uint8_t media[CHUNK * CHUNKS];

static int
setup(void **state)
{
    for (size_t i = 0; i < sizeof media; i++)
        media[i] = (uint8_t)(i * i >> 7 ^ i / 512);
    return scratch_enter(state);
}

/* A whole image in one segment; its parts' offsets for tests that damage them. */
struct parts {
    struct ewf_build b;
    uint64_t volume;
    uint64_t table;
    uint64_t hash;
    uint64_t done;
};

static struct parts
whole_image(bool compress)
{
    struct parts p = {.b = ewf_build_start(1)};
    const uint8_t md5[16] = {1, 2, 3};

    p.volume = ewf_build_volume(&p.b, "volume", 8, 512, MEDIA / 512);
    p.table = ewf_build_chunks(&p.b, media, MEDIA, CHUNK, compress);
    (void)ewf_build_volume(&p.b, "data", 8, 512, MEDIA / 512);
    p.hash = ewf_build_hash(&p.b, md5);
    p.done = ewf_build_last(&p.b, "done");
    return p;
}

static struct image *
must_open(const char *path)
{
    struct err err = ERR_INIT;
    struct image *img = image_open(path, NULL, &err);

    if (!img)
        fail_msg("%s", err.text);
    return img;
}

static size_t
findings_of(const struct image *img, enum image_check check)
{
    const struct image_info *info = image_info(img);
    size_t n = 0;

    for (size_t i = 0; i < info->n_findings; i++)
        n += info->findings[i].check == check && !info->findings[i].remark;
    return n;
}

static void
assert_reads_as_media(struct image *img, uint64_t offset, size_t n)
{
    static uint8_t buf[sizeof media];
    struct err err = ERR_INIT;
    ssize_t got = image_read(img, buf, n, offset, &err);

    if (got < 0)
        fail_msg("%s", err.text);
    assert_int_equal(got, offset + n > MEDIA ? MEDIA - offset : n);
    assert_memory_equal(buf, media + offset, (size_t)got);
}

static void
what_was_built_is_read(void **state)
{
    struct rng rng = rng_start("reads");

    (void)state;
    for (int compress = 0; compress < 2; compress++) {
        struct parts p = whole_image(compress == 1);
        struct image *img;
        const struct image_info *info;

        ewf_build_write(&p.b, "a.E01");
        img = must_open("a.E01");
        info = image_info(img);
        assert_int_equal(info->format, IMAGE_E01);
        assert_int_equal(info->media_size, MEDIA);
        assert_int_equal(info->chunk_size, CHUNK);
        assert_int_equal(info->chunk_count, CHUNKS);
        assert_int_equal(info->n_findings, 0);
        assert_int_equal(info->segments[0].media_length, MEDIA);
        assert_string_equal(manifest_hash_find(&info->stored, "md5"),
                            "01020300000000000000000000000000");
        assert_reads_as_media(img, 0, sizeof media);
        for (int i = 0; i < 200; i++) {
            uint64_t offset = rng_below(&rng, MEDIA);

            assert_reads_as_media(img, offset, (size_t)rng_below(&rng, MEDIA - offset) + 1);
        }
        assert_int_equal(image_read(img, media, 1, MEDIA, &(struct err)ERR_INIT), 0);
        image_free(img);
    }
}

static void *
read_at_random(void *arg)
{
    struct rng rng = {(uint64_t)(uintptr_t)&rng};
    uint8_t buf[9000];
    struct err err = ERR_INIT;

    for (int i = 0; i < 500; i++) {
        uint64_t offset = rng_below(&rng, MEDIA - sizeof buf);

        if (image_read(arg, buf, sizeof buf, offset, &err) != (ssize_t)sizeof buf ||
            memcmp(buf, media + offset, sizeof buf) != 0)
            return arg; /* something else was read */
    }
    return NULL;
}

static void
threads_read_at_once(void **state)
{
    struct parts p = whole_image(true);
    struct image *img;
    pthread_t threads[4];
    void *result;

    (void)state;
    ewf_build_write(&p.b, "t.E01");
    img = must_open("t.E01");
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_at_random, img), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    image_free(img);
}

static void
count_finding(void *arg, const struct image_finding *f)
{
    (void)f;
    ++*(size_t *)arg;
}

/* Either copy of a table may be damaged: the media is whole, and it is said. */
static void
a_damaged_table_has_a_copy(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++) {
        struct parts p = whole_image(false);
        size_t found = 0;
        struct image *img;

        p.b.data[p.table + (copy ? 76 + 24 + 4 * CHUNKS + 4 : 0) + 76 + 24 + 5] ^= 0x10;
        ewf_build_write(&p.b, "c.E01");
        img = must_open("c.E01");
        assert_reads_as_media(img, 0, sizeof media);
        image_check_tables(img, NULL, count_finding, &found);
        assert_int_equal(found, 1);
        image_free(img);
    }
}

/* Also where its header is what was damaged. */
static void
a_damaged_table_header_has_a_copy(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 24; byte++) {
        struct parts p = whole_image(false);
        struct image *img;

        p.b.data[p.table + 76 + byte] ^= 0x41;
        ewf_build_write(&p.b, "h.E01");
        img = must_open("h.E01");
        assert_true(findings_of(img, IMAGE_CHECK_STRUCTURE) > 0);
        assert_reads_as_media(img, 0, sizeof media);
        image_free(img);
    }
}

/* No single byte of any descriptor can take the media away, but it never goes unseen. */
static void
damaged_descriptors_are_passed(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 76; byte++) {
        struct parts p = whole_image(false);
        const uint64_t places[] = {p.volume, p.table, p.table + 76 + 24 + 4 * CHUNKS + 4, p.hash,
                                   p.done};

        for (size_t i = 0; i < COUNT(places); i++) {
            struct image *img;
            struct ewf_build b = {0};

            (void)ewf_build_append(&b, p.b.data, p.b.n);
            b.data[places[i] + byte] ^= 0x08;
            ewf_build_write(&b, "d.E01");
            img = must_open("d.E01");
            assert_true(findings_of(img, IMAGE_CHECK_STRUCTURE) > 0);
            assert_reads_as_media(img, 0, sizeof media);
            image_free(img);
        }
        free(p.b.data);
    }
}

/* Every byte of the sections that hold values lies under a checksum. */
static void
damaged_values_are_seen(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 36 + 1052; i++) {
        struct parts p = whole_image(false);
        struct image *img;

        p.b.data[i < 36 ? p.hash + 76 + i : p.volume + 76 + i - 36] ^= 0x04;
        ewf_build_write(&p.b, "v.E01");
        img = must_open("v.E01");
        assert_true(findings_of(img, IMAGE_CHECK_STRUCTURE) > 0);
        assert_reads_as_media(img, 0, sizeof media);
        image_free(img);
    }
}

static void
chains_that_loop_or_leave(void **state)
{
    struct parts p;
    struct image *img;
    struct err err = ERR_INIT;

    (void)state;
    p = whole_image(false);
    ewf_build_redirect(&p.b, p.hash, p.volume, 112);
    ewf_build_write(&p.b, "l.E01");
    img = must_open("l.E01");
    assert_true(findings_of(img, IMAGE_CHECK_STRUCTURE) > 0);
    assert_reads_as_media(img, 0, sizeof media);
    image_free(img);

    p = whole_image(false);
    ewf_build_redirect(&p.b, p.hash, UINT64_MAX - 5, 112);
    ewf_build_write(&p.b, "l.E01");
    img = must_open("l.E01");
    assert_true(findings_of(img, IMAGE_CHECK_SEGMENTS) > 0);
    image_free(img);

    p = whole_image(false);
    ewf_build_redirect(&p.b, p.volume, p.volume, 0);
    ewf_build_write(&p.b, "l.E01");
    assert_null(image_open("l.E01", NULL, &err));
    assert_int_equal(err.outcome, OUTCOME_FINDINGS);
}

static void
absurd_sizes_are_refused(void **state)
{
    static const struct {
        uint32_t spc;
        uint32_t bps;
        uint64_t sectors;
    } absurd[] = {
        {0, 512, 8},
        {8, 0, 8},
        {UINT32_MAX, UINT32_MAX, 8},
        {1, 1u << 30, 8},
        {64, 512, UINT64_MAX},
        {64, 4096, UINT64_MAX / 4096},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(absurd); i++) {
        struct ewf_build b = ewf_build_start(1);
        struct err err = ERR_INIT;
        uint64_t v = ewf_build_volume(&b, "volume", 8, 512, 8) + 76;

        ewf_build_put32(&b, v + 8, absurd[i].spc);
        ewf_build_put32(&b, v + 12, absurd[i].bps);
        ewf_build_put64(&b, v + 16, absurd[i].sectors);
        ewf_build_checksum(&b, v, 1048);
        (void)ewf_build_last(&b, "done");
        ewf_build_write(&b, "s.E01");
        assert_null(image_open("s.E01", NULL, &err));
        assert_int_equal(err.outcome, OUTCOME_FINDINGS);
    }
}

/* A size that nothing stands behind costs neither time nor memory. */
static void
promised_media_is_skipped(void **state)
{
    struct parts p = whole_image(false);
    struct err err = ERR_INIT;
    struct image *img;
    uint8_t byte;

    (void)state;
    ewf_build_put64(&p.b, p.volume + 76 + 16, (uint64_t)1 << 53);
    ewf_build_checksum(&p.b, p.volume + 76, 1048);
    ewf_build_write(&p.b, "p.E01");
    img = must_open("p.E01");
    assert_int_equal(image_info(img)->media_size, (uint64_t)1 << 62);
    assert_int_equal(image_next_mapped(img, 3), 3);
    assert_int_equal(image_next_mapped(img, CHUNKS), image_info(img)->chunk_count);
    assert_int_equal(image_read(img, &byte, 1, (uint64_t)1 << 61, &err), -1);
    assert_true(findings_of(img, IMAGE_CHECK_STRUCTURE) > 0);
    image_free(img);
}

static void
forged_table_counts(void **state)
{
    static const uint32_t counts[] = {0, CHUNKS + 1, 1u << 30, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct parts p = whole_image(false);
        uint64_t tables[] = {p.table, p.table + 76 + 24 + 4 * CHUNKS + 4};
        struct image *img;
        size_t found = 0;

        for (size_t k = 0; k < COUNT(tables); k++) {
            ewf_build_put32(&p.b, tables[k] + 76, counts[i]);
            ewf_build_checksum(&p.b, tables[k] + 76, 20);
        }
        ewf_build_write(&p.b, "f.E01");
        img = must_open("f.E01");
        assert_true(findings_of(img, IMAGE_CHECK_STRUCTURE) > 0);
        image_check_tables(img, NULL, count_finding, &found);
        image_free(img);
    }
}

/* What chunk i of the image is like. */
static struct chunk
chunk_of(struct image *img, uint64_t i, uint8_t *buf)
{
    struct err err = ERR_INIT;
    struct image_scratch *s = image_scratch_new(img, &err);
    struct chunk c;

    image_read_chunks(img, s, i, 1, buf, &c);
    image_scratch_free(s);
    return c;
}

static void
damaged_chunks_are_told_apart(void **state)
{
    struct parts p = whole_image(true);
    uint64_t sectors = p.volume + 76 + 1052;
    uint8_t buf[CHUNK];
    struct image *img;
    struct chunk c;

    (void)state;
    p.b.data[sectors + 76 + 100] ^= 1;               /* stored chunk 0 */
    p.b.data[sectors + 76 + CHUNK + 4 + 10] ^= 0xff; /* compressed chunk 1 */
    p.b.data[p.table + 76 + 24 + 4 * 2 + 3] = 0x7f;  /* chunk 2 points far away, in both tables */
    p.b.data[p.table + 2 * (76 + 24) + 4 * CHUNKS + 4 + 4 * 2 + 3] = 0x7f;
    ewf_build_write(&p.b, "k.E01");
    img = must_open("k.E01");
    c = chunk_of(img, 0, buf);
    assert_int_equal(c.state, CHUNK_MISMATCH);
    assert_int_equal(c.file_offset, sectors + 76);
    assert_int_equal(buf[100], media[100] ^ 1);
    c = chunk_of(img, 1, buf);
    assert_true(c.state == CHUNK_CORRUPT || c.state == CHUNK_MISMATCH);
    c = chunk_of(img, 2, buf);
    assert_int_equal(c.state, CHUNK_CORRUPT);
    c = chunk_of(img, 4, buf);
    assert_int_equal(c.state, CHUNK_OK);
    assert_memory_equal(buf, media + 4 * CHUNK, CHUNK);
    assert_int_equal(image_read(img, buf, 1, 0, &(struct err)ERR_INIT), -1);
    image_free(img);
}

/* Three segments of three, three and four chunks. */
static void
write_set(const char *const names[3])
{
    static const size_t first[] = {0, 3, 6, CHUNKS};

    for (uint16_t i = 0; i < 3; i++) {
        struct ewf_build b = ewf_build_start((uint16_t)(i + 1));
        size_t from = first[i] * CHUNK;
        size_t to = first[i + 1] * CHUNK < MEDIA ? first[i + 1] * CHUNK : MEDIA;

        (void)ewf_build_volume(&b, i == 0 ? "volume" : "data", 8, 512, MEDIA / 512);
        (void)ewf_build_chunks(&b, media + from, to - from, CHUNK, true);
        (void)ewf_build_last(&b, i == 2 ? "done" : "next");
        ewf_build_write(&b, names[i]);
    }
}

static void
segments_find_their_place(void **state)
{
    static const char *const right[] = {"m.E01", "m.E02", "m.E03"};
    static const char *const mixed[] = {"n.E02", "n.E03", "n.E01"};
    uint8_t buf[CHUNK];
    struct image *img;

    (void)state;
    write_set(right);
    img = must_open("m.E01");
    assert_int_equal(image_info(img)->n_findings, 0);
    assert_int_equal(image_info(img)->segments[1].media_offset, 3 * CHUNK);
    assert_reads_as_media(img, 0, sizeof media);
    image_free(img);

    write_set(mixed);
    img = must_open("n.E01");
    assert_int_equal(findings_of(img, IMAGE_CHECK_SEGMENTS), 3);
    assert_string_equal(image_info(img)->segments[0].path, "n.E02");
    assert_int_equal(image_info(img)->segments[0].listed, 1);
    assert_reads_as_media(img, 0, sizeof media);
    image_free(img);

    /* With the middle one lost, the last is counted from the end. */
    assert_int_equal(remove("m.E02"), 0);
    img = must_open("m.E01");
    assert_int_equal(findings_of(img, IMAGE_CHECK_SEGMENTS), 1);
    assert_true(image_info(img)->findings[0].incomplete);
    assert_int_equal(image_info(img)->segments[1].media_offset, 3 * CHUNK);
    assert_int_equal(image_info(img)->segments[1].media_length, 3 * CHUNK);
    assert_reads_as_media(img, 0, 3 * CHUNK);
    assert_reads_as_media(img, 6 * CHUNK, 4 * CHUNK);
    assert_int_equal(chunk_of(img, 4, buf).state, CHUNK_MISSING);
    assert_int_equal(image_next_mapped(img, 3), 6);
    image_free(img);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_built_is_read),
        cmocka_unit_test(threads_read_at_once),
        cmocka_unit_test(a_damaged_table_has_a_copy),
        cmocka_unit_test(a_damaged_table_header_has_a_copy),
        cmocka_unit_test(damaged_descriptors_are_passed),
        cmocka_unit_test(damaged_values_are_seen),
        cmocka_unit_test(chains_that_loop_or_leave),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(promised_media_is_skipped),
        cmocka_unit_test(forged_table_counts),
        cmocka_unit_test(damaged_chunks_are_told_apart),
        cmocka_unit_test(segments_find_their_place),
    };

    return cmocka_run_group_tests(tests, setup, scratch_leave);
}
