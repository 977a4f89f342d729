#include "tests/lib/unit.h"

#include "acquire/worker/lanes.h"
#include "common/text.h"
#include "tests/lib/written.h"

#define LENGTH 10000u

static uint8_t media[LENGTH];

static void
hash_of(const char *algorithm, size_t at, size_t n, char hex[DIGEST_HEX_MAX])
{
    hash_bytes(algorithm, media + at, n, hex);
}

static unsigned threads = 8;

static struct job
job_with(bool e01, uint64_t segment, uint64_t piece)
{
    struct job job = {.length = LENGTH,
                      .e01 = e01,
                      .segment_size = segment,
                      .piecewise = piece,
                      .threads = threads};

    return job;
}

/* The lanes that a job has, by algorithm. */
struct expected {
    size_t md5, sha256, others;
};

/* How many threads that makes: on few cores two of MD5 are fed as one, and where SHA-256 is free
   beside an MD5 it goes along. */
static size_t
threads_for(const struct job *job, struct expected e)
{
    struct err err = ERR_INIT;
    struct digest *sha256 = digest_new("sha256", &err);
    size_t n = e.others;

    n += job->threads > 3 ? e.md5 : (e.md5 + 1) / 2;
    if (!digest_sha256_is_free(sha256))
        n += e.sha256;
    digest_free(sha256);
    return n;
}

/* Feeds the media through all lanes. */
static struct lanes *
run(const struct job *job, struct expected expected)
{
    struct err err = ERR_INIT;
    struct lanes *l = lanes_new(job, &err);
    struct lane **v;
    size_t n;

    assert_non_null(l);
    v = lanes_list(l, &n);
    assert_int_equal(n, threads_for(job, expected));
    for (size_t i = 0; i < n; i++) {
        lane_feed(v[i], media, LENGTH);
        lane_end(v[i]);
    }
    return l;
}

static void
check_media(const struct lanes *l, const char *const *names, size_t n)
{
    struct manifest_hashes hashes = {0};

    lanes_media_hashes(l, &hashes);
    assert_int_equal(hashes.n, n);
    for (size_t i = 0; i < n; i++) {
        char hex[DIGEST_HEX_MAX];

        hash_of(names[i], 0, LENGTH, hex);
        assert_non_null(manifest_hash_find(&hashes, names[i]));
        assert_string_equal(manifest_hash_find(&hashes, names[i]), hex);
    }
    manifest_hashes_free(&hashes);
}

static void
check_segments(const struct lanes *l, size_t size)
{
    for (size_t i = 0; i * size < LENGTH; i++) {
        size_t n = LENGTH - i * size < size ? LENGTH - i * size : size;
        char md5[DIGEST_HEX_MAX];
        char sha256[DIGEST_HEX_MAX];
        char hex[DIGEST_HEX_MAX];

        lanes_segment_hashes(l, i, md5, sha256);
        hash_of("md5", i * size, n, hex);
        assert_string_equal(md5, hex);
        hash_of("sha256", i * size, n, hex);
        assert_string_equal(sha256, hex);
    }
}

static void
check_pieces(const struct lanes *l, size_t size)
{
    for (size_t i = 0; i * size < LENGTH; i++) {
        size_t n = LENGTH - i * size < size ? LENGTH - i * size : size;
        struct manifest_hashes hashes = {0};
        char hex[DIGEST_HEX_MAX];

        lanes_piece_hashes(l, i, &hashes);
        assert_int_equal(hashes.n, 2);
        hash_of("md5", i * size, n, hex);
        assert_string_equal(manifest_hash_find(&hashes, "md5"), hex);
        hash_of("sha256", i * size, n, hex);
        assert_string_equal(manifest_hash_find(&hashes, "sha256"), hex);
        manifest_hashes_free(&hashes);
    }
}

/* An E01 stores MD5 whether it was asked for or not. */
static void
an_e01_has_md5(void **state)
{
    static const char *const names[] = {"sha256", "md5"};
    struct job job = job_with(true, 1 << 20, 0);
    struct lanes *l;

    (void)state;
    job.hashes[job.n_hashes++] = xstrdup("sha256");
    l = run(&job, (struct expected){.md5 = 1, .sha256 = 1});
    check_media(l, names, 2);
    lanes_free(l);
    free(job.hashes[0]);
}

/* One raw file is the media: hashed once, not twice. */
static void
one_raw_file_is_the_media(void **state)
{
    static const char *const names[] = {"md5", "sha256"};
    static const uint64_t sizes[] = {0, LENGTH, LENGTH + 1, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct job job = job_with(false, sizes[i], 0);
        struct lanes *l;

        job.hashes[job.n_hashes++] = xstrdup("md5");
        job.hashes[job.n_hashes++] = xstrdup("sha256");
        l = run(&job, (struct expected){.md5 = 1, .sha256 = 1});
        check_media(l, names, 2);
        check_segments(l, LENGTH);
        lanes_free(l);
        free(job.hashes[0]);
        free(job.hashes[1]);
    }
}

static void
raw_segments_and_pieces(void **state)
{
    static const char *const names[] = {"sha1"};
    struct job job = job_with(false, 3072, 1000);
    struct lanes *l;

    (void)state;
    job.hashes[job.n_hashes++] = xstrdup("sha1");
    job.hashes[job.n_hashes++] = xstrdup("sha1"); /* asked for twice, done once */
    l = run(&job, (struct expected){.md5 = 2, .sha256 = 2, .others = 1});
    check_media(l, names, 1);
    check_segments(l, 3072);
    check_pieces(l, 1000);
    lanes_free(l);
    /* Pieces of the segments' size share their lanes; pieces of everything those of the media. */
    job.piecewise = 3072;
    l = run(&job, (struct expected){.md5 = 1, .sha256 = 1, .others = 1});
    check_pieces(l, 3072);
    lanes_free(l);
    job.e01 = true;
    job.piecewise = LENGTH;
    l = run(&job, (struct expected){.md5 = 1, .sha256 = 1, .others = 1});
    check_pieces(l, LENGTH);
    lanes_free(l);
    free(job.hashes[0]);
    free(job.hashes[1]);
}

static void
as_many_as_may_be(void **state)
{
    static const char *const all[JOB_HASHES_MAX] = {
        "md5",      "sha1",     "sha224",     "sha256",     "sha384",     "sha512",
        "sha3-224", "sha3-256", "sha3-384",   "sha3-512",   "blake2b512", "blake2s256",
        "sha512",   "sm3",      "sha512-256", "sha512-224",
    };
    struct job job = job_with(false, 4096, 512);
    struct err err = ERR_INIT;
    struct lanes *l;

    (void)state;
    for (size_t i = 0; i < JOB_HASHES_MAX; i++) {
        char name[DIGEST_NAME_MAX];

        assert_int_equal(digest_canonical(all[i], name, &err), 0);
        job.hashes[job.n_hashes++] = xstrdup(name);
    }
    l = run(&job, (struct expected){.md5 = 3, .sha256 = 3, .others = 13});
    check_segments(l, 4096);
    check_pieces(l, 512);
    lanes_free(l);
    for (size_t i = 0; i < job.n_hashes; i++)
        free(job.hashes[i]);
}

static void
few_cores(void **state)
{
    threads = 2;
    an_e01_has_md5(state);
    one_raw_file_is_the_media(state);
    raw_segments_and_pieces(state);
    as_many_as_may_be(state);
    threads = 8;
}

static void
an_unknown_digest_is_refused(void **state)
{
    struct job job = job_with(true, 1 << 20, 0);
    struct err err = ERR_INIT;

    (void)state;
    job.hashes[job.n_hashes++] = xstrdup("md5");
    job.hashes[job.n_hashes++] = xstrdup("nonsense");
    assert_null(lanes_new(&job, &err));
    assert_int_equal(err.outcome, OUTCOME_USAGE);
    lanes_free(NULL);
    free(job.hashes[0]);
    free(job.hashes[1]);
}

static int
fill(void **state)
{
    struct rng rng = {.state = 7};

    (void)state;
    for (size_t i = 0; i < LENGTH; i++)
        media[i] = (uint8_t)rng_next(&rng);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_e01_has_md5),
        cmocka_unit_test(one_raw_file_is_the_media),
        cmocka_unit_test(raw_segments_and_pieces),
        cmocka_unit_test(as_many_as_may_be),
        cmocka_unit_test(few_cores),
        cmocka_unit_test(an_unknown_digest_is_refused),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
