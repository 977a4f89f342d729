/*
 * Media larger than anybody wants to hash: the E01 sink is fed ready-made chunks of zeros, with
 * data at both ends and where 32 bits of sectors end, then our own reader and libewf look there.
 * check-long does it for 2 to 32 TiB; a TiB of zeros is a GB of E01.
 */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include "acquire/front/plan.h"
#include "acquire/worker/packer.h"
#include "acquire/worker/sink.h"
#include "common/cleanup.h"
#include "common/image.h"
#include "common/mapfile.h"
#include "common/text.h"
#include "tests/lib/ewf_oracle.h"
#include "tests/lib/written.h"

#define MIB ((size_t)1 << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define SECTOR 512u
/* Whatever the media's size: the sink's share of what a job may use. */
#define MEMORY_MAX ((uint64_t)160 << 20)
/* libewf takes some 130 bytes a chunk to read. */
#define ORACLE_CHUNKS_MAX 20000000u

/* Where the media is not zero, in blocks of a MiB: the first, those around sector 2^32, the last.
 */
struct marks {
    uint64_t at[4];
    uint8_t *data[4];
};

struct huge {
    uint64_t media;
    struct plan plan;
    struct marks marks;
    struct ranges bad;
    struct segment_log *log;
};

/* A peak of before, in bytes. 0 where the kernel does not let it be forgotten. */
static uint64_t
peak_memory(bool reset)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    unsigned long kib = 0;
    char line[256];

    if (!f)
        return 0;
    if (reset)
        (void)fputs("5\n", f);
    (void)fclose(f);
    f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtoul(line + 6, NULL, 10);
    }
    if (f)
        (void)fclose(f);
    return (uint64_t)kib * 1024;
}

static void
mark(struct huge *h, struct rng *rng)
{
    h->marks.at[0] = 0;
    h->marks.at[1] = 2 * TIB - MIB;
    h->marks.at[2] = 2 * TIB;
    h->marks.at[3] = h->media - MIB;
    for (size_t i = 0; i < 4; i++) {
        h->marks.data[i] = xcalloc(MIB, 1);
        for (size_t k = 0; k < MIB; k += 8) {
            uint64_t v = rng_next(rng);

            memcpy(h->marks.data[i] + k, &v, sizeof v);
        }
    }
}

static void
block_new(struct block *b)
{
    *b = (struct block){.data = xcalloc(MIB, 1),
                        .packed = xcalloc(MIB, 1),
                        .chunks = xcalloc(MIB / SECTOR, sizeof *b->chunks),
                        .length = MIB};
}

static void
block_end(struct block *b)
{
    free(b->data);
    free(b->packed);
    free(b->chunks);
}

/* Each block of zeros is the same packed one; only its place differs. */
static void
feed(const struct huge *h, struct sink *sink)
{
    struct err err = ERR_INIT;
    struct packer *packer =
        packer_new(COMPRESSION_FAST, (size_t)h->plan.sectors_per_chunk * SECTOR, &err);
    struct block zeros;
    struct block data;

    assert_non_null(packer);
    block_new(&zeros);
    block_new(&data);
    packer_pack(packer, &zeros);
    for (uint64_t at = 0; at < h->media; at += MIB) {
        struct block *b = &zeros;

        for (size_t i = 0; i < 4; i++) {
            if (h->marks.at[i] != at)
                continue;
            b = &data;
            memcpy(b->data, h->marks.data[i], MIB);
            b->offset = at;
            packer_pack(packer, b);
        }
        b->offset = at;
        if (sink->ops->put(sink, b, &err) != 0)
            fail_msg("at %llu: %s", (unsigned long long)at, err.text);
    }
    block_end(&zeros);
    block_end(&data);
    packer_free(packer);
}

static void
write_image(struct huge *h, int dir)
{
    static const char md5[] = "d41d8cd98f00b204e9800998ecf8427e";
    struct manifest_hashes hashes = {0};
    struct err err = ERR_INIT;
    struct e01_spec e01 = {.sectors_per_chunk = h->plan.sectors_per_chunk, .date = 1};
    struct sink_spec spec = {.dir = dir,
                             .name = "huge",
                             .media_size = h->media,
                             .sector_size = SECTOR,
                             .segment_size = h->plan.segment_size};
    struct sink_final final = {.hashes = &hashes, .unreadable = &h->bad};
    struct sink *sink;

    manifest_hash_add(&hashes, "md5", md5);
    /* Hashing gigabytes of zeros' streams is not what is tested. */
    spec.log = h->log = segment_log_new(dir, false, &err);
    sink = sink_e01_new(&spec, &e01, &err);
    assert_non_null(sink);
    feed(h, sink);
    if (sink->ops->finish(sink, &final, &err) != 0 || segment_log_finish(h->log, &err) != 0)
        fail_msg("%s", err.text);
    sink->ops->free(sink);
    manifest_hashes_free(&hashes);
}

/* Sector 2^32 is where error2 ends: a range that crosses it is cut, one behind it is left out. */
static void
fill_bad(struct huge *h)
{
    ranges_add(&h->bad, (uint64_t)SECTOR * 1000, (uint64_t)SECTOR * 3);
    ranges_add(&h->bad, 2 * TIB - (uint64_t)SECTOR * 8, (uint64_t)SECTOR * 16);
    ranges_add(&h->bad, h->media - (uint64_t)SECTOR * 5, (uint64_t)SECTOR * 5);
}

static void
assert_first_two_cut(const struct ranges *r)
{
    assert_int_equal(r->n, 2);
    assert_int_equal(r->v[0].offset, SECTOR * 1000);
    assert_int_equal(r->v[0].length, SECTOR * 3);
    assert_int_equal(r->v[1].offset, 2 * TIB - SECTOR * 8);
    assert_true(r->v[1].length == SECTOR * 7 || r->v[1].length == SECTOR * 8);
}

static void
read_back(const struct huge *h)
{
    struct image_options options = {0};
    struct err err = ERR_INIT;
    struct image *img = image_open("huge.E01", &options, &err);
    AUTO_FREE uint8_t *buf = xcalloc(MIB, 1);
    AUTO_FREE uint8_t *zeros = xcalloc(MIB, 1);
    const struct image_info *info;

    if (!img)
        fail_msg("%s", err.text);
    info = image_info(img);
    assert_int_equal(info->media_size, h->media);
    assert_int_equal(info->held, h->media);
    assert_int_equal(info->chunk_size, h->plan.sectors_per_chunk * SECTOR);
    assert_int_equal(info->n_findings, 0);
    assert_int_equal(info->n_segments, segment_log_done(h->log));
    assert_first_two_cut(&info->acquiry_errors);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(image_read(img, buf, MIB, h->marks.at[i], &err), MIB);
        assert_memory_equal(buf, h->marks.data[i], MIB);
    }
    assert_int_equal(image_read(img, buf, MIB, h->media - 2 * MIB, &err), MIB);
    assert_memory_equal(buf, zeros, MIB);
    assert_int_equal(image_read(img, buf, MIB, h->media - SECTOR, &err), SECTOR);
    image_free(img);
}

static void
ask_oracle(const struct huge *h)
{
    struct ewf_oracle *o = ewf_oracle_open("huge.E01");
    AUTO_FREE uint8_t *buf = xcalloc(MIB, 1);
    struct ranges errors = {0};

    assert_int_equal(ewf_oracle_media_size(o), h->media);
    for (size_t i = 0; i < 4; i++) {
        ewf_oracle_read_at(o, buf, MIB, h->marks.at[i]);
        assert_memory_equal(buf, h->marks.data[i], MIB);
    }
    ewf_oracle_errors(o, &errors);
    assert_first_two_cut(&errors);
    ranges_free(&errors);
    ewf_oracle_close(o);
}

/* The manifest's ranges and the mapfile are full where error2 is not. */
static void
check_map(const struct huge *h)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *text = mapfile_text(h->media, &h->bad, "test");
    struct mapfile *map = mapfile_parse(text, strlen(text), 100, &err);
    struct ranges bad = {0};

    assert_non_null(map);
    mapfile_ranges(map, MAP_BAD_SECTOR, &bad);
    assert_int_equal(bad.n, h->bad.n);
    assert_memory_equal(bad.v, h->bad.v, bad.n * sizeof *bad.v);
    ranges_free(&bad);
    mapfile_free(map);
}

static void
huge_media(uint64_t media)
{
    struct plan_request request = {.media_size = media, .sector_size = SECTOR, .e01 = true};
    struct huge h = {.media = media};
    struct rng rng = rng_start("huge");
    struct err err = ERR_INIT;
    uint64_t chunks;
    uint64_t before;
    uint64_t peak;
    struct statvfs fs;
    int dir;

    assert_int_equal(plan_make(&request, &h.plan, &err), 0);
    /* The ordinary run has no time for eight times as many chunks. */
    if (!getenv("EXHIBIT_LONG"))
        h.plan.sectors_per_chunk = (uint32_t)(MIB / SECTOR);
    chunks = media / ((uint64_t)h.plan.sectors_per_chunk * SECTOR);
    assert_int_equal(statvfs(".", &fs), 0);
    if ((uint64_t)fs.f_bavail * fs.f_frsize < media / 900 + 4 * GIB) {
        print_message("SKIP: %llu TiB: not enough room for the zeros\n",
                      (unsigned long long)(media / TIB));
        return;
    }
    dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mark(&h, &rng);
    fill_bad(&h);
    before = peak_memory(true);
    write_image(&h, dir);
    peak = peak_memory(false);
    print_message("%llu TiB and %llu MiB: %llu chunks of %u KiB, %llu MiB at the peak\n",
                  (unsigned long long)(media / TIB), (unsigned long long)(media % TIB / MIB),
                  (unsigned long long)chunks, h.plan.sectors_per_chunk / 2,
                  (unsigned long long)(peak / MIB));
    if (before > 0 && !SANITIZED)
        assert_true(peak <= MEMORY_MAX);
    read_back(&h);
    if (chunks <= ORACLE_CHUNKS_MAX)
        ask_oracle(&h);
    check_map(&h);
    segment_log_free(h.log);
    ranges_free(&h.bad);
    for (size_t i = 0; i < 4; i++)
        free(h.marks.data[i]);
    clear_directory(dir);
    (void)close(dir);
}

static void
media_past_32_bits_of_sectors(void **state)
{
    static const uint64_t sizes[] = {2 * TIB + 3 * MIB, 4 * TIB + 3 * MIB, 16 * TIB + 3 * MIB,
                                     32 * TIB};
    unsigned n = test_count("huge", 1, COUNT(sizes), "E01 of more than 2 TiB");

    (void)state;
    for (unsigned i = 0; i < n; i++)
        huge_media(sizes[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(media_past_32_bits_of_sectors)};

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
