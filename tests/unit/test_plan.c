#include "tests/lib/unit.h"

#include "acquire/front/plan.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define PIB (UINT64_C(1) << 50)

/* What libewf and the format can hold (acquire/front/plan.c says where from). */
#define CHUNKS_MAX UINT64_C(134217727)

static struct plan
plan_of(const struct plan_request *r)
{
    struct err err = ERR_INIT;
    struct plan p;

    if (plan_make(r, &p, &err) != 0)
        fail_msg("%s", err.text);
    return p;
}

static void
assert_refused(const struct plan_request *r, const char *text)
{
    struct err err = ERR_INIT;
    struct plan p;

    assert_int_equal(plan_make(r, &p, &err), -1);
    assert_int_equal(err.outcome, OUTCOME_USAGE);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in '%s'", text, err.text);
}

static uint64_t
chunk_of(uint64_t media, uint32_t sector)
{
    struct plan_request r = {.media_size = media, .sector_size = sector, .e01 = true};

    return (uint64_t)plan_of(&r).sectors_per_chunk * sector;
}

static void
chunks_grow_with_the_media(void **state)
{
    static const struct {
        uint64_t media;
        uint64_t chunk;
    } cases[] = {
        {512, 32 * KIB},
        {2 * TIB, 32 * KIB},
        {2 * TIB + 4096, 64 * KIB},
        {4 * TIB, 64 * KIB},
        {4 * TIB + 4096, 128 * KIB},
        {8 * TIB, 128 * KIB},
        {8 * TIB + 4096, 256 * KIB},
        {16 * TIB, 256 * KIB},
        {16 * TIB + 4096, 256 * KIB}, /* every reader takes these … */
        {32 * TIB - 256 * KIB, 256 * KIB},
        {32 * TIB, 512 * KIB}, /* … but one chunk too many for libewf is one too many */
        {64 * TIB - 512 * KIB, 512 * KIB},
        {64 * TIB, MIB},
        {128 * TIB - MIB, MIB},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(chunk_of(cases[i].media, 512), cases[i].chunk);
        if (cases[i].media % 4096 == 0)
            assert_int_equal(chunk_of(cases[i].media, 4096), cases[i].chunk);
    }
}

static void
media_too_large_for_an_e01(void **state)
{
    struct plan_request r = {.media_size = 128 * TIB, .sector_size = 512, .e01 = true};

    (void)state;
    assert_refused(&r, "--format raw");
    r.media_size = (uint64_t)INT64_MAX - 511;
    assert_refused(&r, "--format raw");
    r.e01 = false;
    assert_int_equal(plan_of(&r).max_segments, 1);
}

static void
media_of_part_of_a_sector(void **state)
{
    struct plan_request r = {.media_size = 5000000, .sector_size = 512, .e01 = true};

    (void)state;
    assert_refused(&r, "--format raw");
    r.e01 = false;
    assert_int_equal(plan_of(&r).worst_size, 5000000);
}

/* Of media that do not compress, with a sixteenth or 1 MiB left free for the end of the last file.
   Each chunk has a checksum and two entries; each section of 8 MiB three descriptors. */
static uint64_t
files_needed(uint64_t media, uint64_t chunk, uint64_t segment_size)
{
    uint64_t limit = segment_size - (segment_size / 16 < MIB ? segment_size / 16 : MIB);
    uint64_t chunks = (limit - 2048 - limit / (8 * MIB) * 512) / (chunk + 12);

    return (media / chunk + chunks) / chunks;
}

/* Whatever is asked for: within what libewf, the names and the block size allow. */
static void
every_e01_plan_can_be_written(void **state)
{
    struct rng rng = rng_start("plan");

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint32_t sector = UINT32_C(512) << rng_below(&rng, 7);
        uint64_t media =
            (1 + rng_next(&rng) % ((128 * TIB - MIB) >> rng_below(&rng, 40)) / sector) * sector;
        struct plan_request r = {.media_size = media, .sector_size = sector, .e01 = true};
        struct plan p;
        uint64_t chunk;

        if (rng_below(&rng, 2))
            r.segment_size = MIB + rng_next(&rng) % (TIB >> rng_below(&rng, 40));
        p = plan_of(&r);
        chunk = (uint64_t)p.sectors_per_chunk * sector;
        assert_true(chunk >= 32 * KIB && chunk <= MIB);
        assert_int_equal(MIB % chunk, 0);
        assert_true((media + chunk - 1) / chunk <= CHUNKS_MAX);
        assert_true(p.segment_size >= MIB);
        assert_true(files_needed(media, chunk, p.segment_size) <= SEGNAME_E01_MAX);
        /* Chunks with their checksums, entries in two tables, and what each file holds besides.
         */
        assert_true(p.worst_size >=
                    media + (media + chunk - 1) / chunk * 12 + media / p.segment_size * 1508);
        assert_true(p.max_segments >= 1);
        if (r.segment_size != 0 && !p.segment_size_grown)
            assert_int_equal(p.segment_size, r.segment_size);
        if (p.segment_size_grown)
            assert_true(p.segment_size > (r.segment_size ? r.segment_size : 2 * GIB));
    }
}

static void
segments_grow_where_names_run_out(void **state)
{
    struct plan_request r = {
        .media_size = 13 * GIB, .sector_size = 512, .e01 = true, .segment_size = MIB};
    struct plan p = plan_of(&r);

    (void)state;
    assert_false(p.segment_size_grown);
    assert_int_equal(p.segment_size, MIB);
    for (r.media_size = 13 * GIB + 512 * MIB; r.media_size <= 15 * GIB; r.media_size += 256 * MIB) {
        p = plan_of(&r);
        assert_true(p.segment_size_grown);
        assert_int_equal(p.segment_size, 2 * MIB);
    }
    r.media_size = 100 * TIB;
    r.segment_size = 0; /* 2 GiB */
    p = plan_of(&r);
    assert_true(p.segment_size_grown);
    assert_true(p.segment_size > 7 * GIB && p.segment_size < 8 * GIB);
}

static void
sizes_that_make_no_sense(void **state)
{
    struct plan_request r = {
        .media_size = GIB, .sector_size = 512, .e01 = true, .segment_size = MIB - 1};

    (void)state;
    assert_refused(&r, "too small");
    r.segment_size = 1;
    assert_refused(&r, "at least 1M");
    r.segment_size = INT64_MAX;
    assert_int_equal(plan_of(&r).max_segments, 1);
    r.e01 = false;
    assert_int_equal(plan_of(&r).max_segments, 1);
    r.segment_size = 511;
    assert_refused(&r, "less than a sector");
    r.segment_size = 512;
    assert_refused(&r, "files");
    r.segment_size = 10737; /* rounded down to 20 sectors: 104,858 files */
    assert_refused(&r, "104858 files");
    r.segment_size = 0;
    r.piecewise = 1;
    assert_refused(&r, "pieces");
    r.piecewise = 10738;
    assert_int_equal(plan_of(&r).max_segments, 1);
    r.media_size = (uint64_t)INT64_MAX;
    r.piecewise = PIB;
    r.segment_size = PIB;
    assert_int_equal(plan_of(&r).max_segments, 8192);
}

static void
raw_segments_are_whole_sectors(void **state)
{
    struct plan_request r = {.media_size = 10 * MIB, .sector_size = 4096, .segment_size = 1000000};
    struct plan p = plan_of(&r);

    (void)state;
    assert_int_equal(p.segment_size, 999424);
    assert_int_equal(p.max_segments, 11);
    assert_int_equal(p.worst_size, 10 * MIB);
}

static void
assert_extension(const struct plan_request *r, uint32_t number, const char *expected)
{
    struct plan p = plan_of(r);
    char ext[SEGNAME_EXT_MAX];

    if (!expected) {
        assert_int_equal(plan_extension(r, &p, number, ext), -1);
        return;
    }
    assert_int_equal(plan_extension(r, &p, number, ext), 0);
    assert_string_equal(ext, expected);
}

static void
names_follow_the_format(void **state)
{
    struct plan_request e01 = {.media_size = GIB, .sector_size = 512, .e01 = true};
    struct plan_request raw = {.media_size = GIB, .sector_size = 512};
    struct plan_request split = {.media_size = GIB, .sector_size = 512, .segment_size = MIB};

    (void)state;
    assert_extension(&e01, 1, ".E01");
    assert_extension(&e01, 99, ".E99");
    assert_extension(&e01, 100, ".EAA");
    assert_extension(&e01, SEGNAME_E01_MAX, ".ZZZ");
    assert_extension(&e01, SEGNAME_E01_MAX + 1, NULL);
    assert_extension(&raw, 1, ".raw");
    assert_extension(&raw, 2, NULL);
    assert_extension(&split, 1, ".001");
    assert_extension(&split, 1000, ".1000");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_grow_with_the_media),
        cmocka_unit_test(media_too_large_for_an_e01),
        cmocka_unit_test(media_of_part_of_a_sector),
        cmocka_unit_test(every_e01_plan_can_be_written),
        cmocka_unit_test(segments_grow_where_names_run_out),
        cmocka_unit_test(sizes_that_make_no_sense),
        cmocka_unit_test(raw_segments_are_whole_sectors),
        cmocka_unit_test(names_follow_the_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
