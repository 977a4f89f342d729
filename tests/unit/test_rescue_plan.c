#include "tests/lib/unit.h"

#include "acquire/worker/rescue_plan.h"
#include "common/text.h"

#define SECTORS_MAX 4096u
#define FOREVER 1000u

/* A medium with damage, and what has been asked of each of its sectors. */
struct medium {
    uint64_t length;
    uint32_t sector_size;
    unsigned retries;
    bool partial;                /* a failing read returns what precedes the bad sector */
    unsigned fails[SECTORS_MAX]; /* reads of the sector alone that fail before one succeeds */
    unsigned alone[SECTORS_MAX];
    unsigned in_cluster[SECTORS_MAX]; /* failing reads of more than it */
    bool read[SECTORS_MAX];
    uint64_t reads, failing;
};

static uint64_t
count(const struct medium *m)
{
    return (m->length + m->sector_size - 1) / m->sector_size;
}

static uint64_t
read_medium(struct medium *m, const struct range *r)
{
    uint64_t first = r->offset / m->sector_size;
    uint64_t end = (r->offset + r->length + m->sector_size - 1) / m->sector_size;
    uint64_t s;

    m->reads++;
    for (s = first; s < end; s++) {
        assert_false(m->read[s]); /* nothing is read twice once it has come over */
        if (m->fails[s] > (end - first == 1 ? m->alone[s] : 0))
            break;
    }
    m->failing += s < end;
    for (uint64_t i = first; i < end; i++) {
        if (end - first == 1)
            m->alone[i]++;
        else if (s < end && i >= (m->partial ? s : first))
            m->in_cluster[i]++;
    }
    if (s < end && !m->partial)
        return 0;
    for (uint64_t i = first; i < s; i++)
        m->read[i] = true;
    return s == end ? r->length : (s - first) * m->sector_size;
}

/* The map holds together: it covers the media, and neighbours differ. */
static void
check_map(struct rescue_plan *p, uint64_t length)
{
    const struct mapfile *map = rescue_plan_map(p);
    uint64_t at = 0;

    for (size_t i = 0; i < map->n; i++) {
        assert_int_equal(map->blocks[i].offset, at);
        assert_true(map->blocks[i].length > 0);
        if (i > 0)
            assert_int_not_equal(map->blocks[i].status, map->blocks[i - 1].status);
        at += map->blocks[i].length;
    }
    assert_int_equal(at, length);
}

static void
check_request(const struct medium *m, const struct rescue_plan *p, const struct range *r)
{
    assert_true(r->length > 0 && r->length <= RESCUE_CLUSTER);
    assert_true(r->offset + r->length <= m->length);
    assert_int_equal(r->offset % m->sector_size, 0);
    if (r->offset + r->length != m->length)
        assert_int_equal(r->length % m->sector_size, 0);
    if (rescue_plan_phase(p) != RESCUE_COPY)
        assert_true(r->length <= m->sector_size);
}

/* Runs the plan, but for `most` reads at most; true if it came to its end. */
static bool
run(struct medium *m, struct rescue_plan *p, uint64_t most)
{
    enum rescue_phase phase = RESCUE_COPY;
    struct range next;

    while (most-- > 0) {
        if (!rescue_plan_next(p, &next))
            return true;
        assert_true(rescue_plan_phase(p) >= phase); /* one after the other */
        phase = rescue_plan_phase(p);
        check_request(m, p, &next);
        assert_true(m->reads < 100 * SECTORS_MAX);
        rescue_plan_result(p, read_medium(m, &next));
    }
    return false;
}

static void
check_end(const struct medium *m, struct rescue_plan *p, bool once)
{
    struct ranges bad = {0};

    check_map(p, m->length);
    mapfile_ranges(rescue_plan_map(p), MAP_BAD_SECTOR, &bad);
    assert_int_equal(rescue_plan_total(p, MAP_FINISHED) + rescue_plan_total(p, MAP_BAD_SECTOR),
                     m->length);
    for (uint64_t i = 0; i < count(m); i++) {
        assert_int_equal(ranges_overlap(&bad, i * m->sector_size, 1), !m->read[i]);
        if (once) {
            assert_int_equal(m->read[i], m->fails[i] <= m->retries);
            assert_true(m->alone[i] <= 1 + m->retries);
            assert_true(m->in_cluster[i] <= 1);
            if (!m->read[i])
                assert_int_equal(m->alone[i], 1 + m->retries);
        }
        if (m->fails[i] == 0)
            assert_true(m->read[i]);
        if (m->fails[i] == FOREVER)
            assert_false(m->read[i]);
    }
    ranges_free(&bad);
}

static void
scatter(struct medium *m, struct rng *rng)
{
    uint64_t n = count(m);
    uint64_t kind = rng_below(rng, 6);
    uint64_t from = rng_below(rng, n);
    uint64_t to = from + 1 + rng_below(rng, n - from);

    for (uint64_t i = 0; i < n; i++) {
        bool bad = kind == 0   ? rng_below(rng, 50) == 0       /* single sectors */
                   : kind == 1 ? i % 2 == 0                    /* every other */
                   : kind == 2 ? true                          /* all */
                   : kind == 3 ? i >= from && i < to           /* a dead zone */
                   : kind == 4 ? i < from / 8 || i >= to       /* start and end */
                               : i / 40 % 7 == 3 && i % 3 > 0; /* clusters */

        m->fails[i] = !bad ? 0 : rng_below(rng, 3) ? FOREVER : 1 + (unsigned)rng_below(rng, 4);
    }
}

static struct medium *
random_medium(struct rng *rng)
{
    struct medium *m = xcalloc(1, sizeof *m);

    m->sector_size = rng_below(rng, 2) ? 512 : 4096;
    m->length = (1 + rng_below(rng, rng_below(rng, 3) ? 600 : SECTORS_MAX)) * m->sector_size;
    if (rng_below(rng, 4) == 0) /* a file's odd end */
        m->length -= rng_below(rng, m->sector_size);
    m->retries = (unsigned)rng_below(rng, 4);
    m->partial = rng_below(rng, 3) == 0;
    scatter(m, rng);
    return m;
}

static void
finds_the_truth(void **state)
{
    struct rng rng = rng_start("rescue_plan");
    unsigned rounds = test_count("rescue_plan", 3000, 30000, "random damage maps");

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        struct medium *m = random_medium(&rng);
        struct rescue_plan *p = rescue_plan_new(m->length, m->sector_size, m->retries, NULL);

        assert_true(run(m, p, UINT64_MAX));
        check_end(m, p, true);
        rescue_plan_free(p);
        free(m);
    }
}

/* Stopped anywhere, its map written, parsed, and continued: what has been read is not read again,
   and nothing is lost. */
static void
goes_on_from_its_map(void **state)
{
    struct rng rng = rng_start("rescue_plan_again");
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct medium *m = random_medium(&rng);
        struct rescue_plan *p = rescue_plan_new(m->length, m->sector_size, m->retries, NULL);

        while (!run(m, p, rng_below(&rng, 500))) {
            char *text = mapfile_write(rescue_plan_map(p), "a test");
            struct mapfile *map = mapfile_parse(text, strlen(text), SECTORS_MAX + 1, &err);

            assert_non_null(map);
            rescue_plan_free(p);
            p = rescue_plan_new(m->length, m->sector_size, m->retries, map);
            check_map(p, m->length);
            mapfile_free(map);
            free(text);
            if (rng_below(&rng, 4) == 0) {
                assert_true(run(m, p, UINT64_MAX));
                break;
            }
        }
        check_end(m, p, false);
        rescue_plan_free(p);
        free(m);
    }
}

/* A map with blocks that are no whole sectors: a sector of which a part is missing is missing. */
static void
takes_whole_sectors(void **state)
{
    static const char text[] = "0 ? 1\n0 700 +\n700 100 -\n800 200 +\n1000 3096 ?\n4096 904 +\n";
    struct err err = ERR_INIT;
    struct mapfile *map = mapfile_parse(text, strlen(text), 100, &err);
    struct rescue_plan *p;
    const struct mapfile *now;

    (void)state;
    assert_non_null(map);
    p = rescue_plan_new(6000, 512, 0, map);
    now = rescue_plan_map(p);
    assert_int_equal(now->n, 4);
    assert_int_equal(now->blocks[0].length, 512);
    assert_int_equal(now->blocks[1].status, MAP_NON_TRIED);
    assert_int_equal(now->blocks[1].length, 4096 - 512);
    assert_int_equal(now->blocks[2].status, MAP_FINISHED);
    assert_int_equal(now->blocks[3].status, MAP_NON_TRIED);
    assert_int_equal(now->blocks[3].offset, 5000);
    mapfile_free(map);
    rescue_plan_free(p);
}

/* What a map says of bytes behind the image's last is no matter of its last sector. */
static void
ends_with_the_image(void **state)
{
    struct map_block blocks[] = {{0, 5010, MAP_FINISHED}, {5010, 100, MAP_NON_TRIED}};
    const struct mapfile from = {.phase = '?', .pass = 1, .blocks = blocks, .n = 2};
    struct rescue_plan *p = rescue_plan_new(5000, 512, 1, &from);

    (void)state;
    check_map(p, 5000);
    assert_int_equal(rescue_plan_total(p, MAP_FINISHED), 5000);
    rescue_plan_free(p);
}

/* A dead zone is left by leaps: few reads fail before all that is good has been had. */
static void
leaves_a_dead_zone_soon(void **state)
{
    uint64_t length = UINT64_C(4) << 40;
    uint64_t dead = UINT64_C(1) << 40; /* from here on for 200 GiB */
    uint64_t dead_end = dead + (UINT64_C(200) << 30);
    uint64_t failing = 0;
    struct rescue_plan *p;
    struct range next;
    struct mapfile from = {.phase = '?', .n = 3};
    struct map_block blocks[] = {{0, dead - (1 << 20), MAP_FINISHED},
                                 {dead - (1 << 20), (UINT64_C(201) << 30), MAP_NON_TRIED},
                                 {0, 0, MAP_FINISHED}};

    (void)state;
    blocks[2].offset = blocks[1].offset + blocks[1].length;
    blocks[2].length = length - blocks[2].offset;
    from.blocks = blocks;
    p = rescue_plan_new(length, 512, 1, &from);
    while (rescue_plan_next(p, &next) && rescue_plan_pass(p) < 3) {
        bool good = next.offset + next.length <= dead || next.offset >= dead_end;

        failing += !good;
        rescue_plan_result(p, good ? next.length : 0);
    }
    assert_true(failing < 500);
    rescue_plan_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_truth),         cmocka_unit_test(goes_on_from_its_map),
        cmocka_unit_test(takes_whole_sectors),     cmocka_unit_test(ends_with_the_image),
        cmocka_unit_test(leaves_a_dead_zone_soon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
