#include "tests/lib/unit.h"

#include "acquire/worker/recovery.h"

#define SECTORS_MAX RECOVERY_SECTORS_MAX
#define FOREVER 1000u

/* The medium: which sectors are bad; and the log of what was asked of each. */
struct medium {
    uint32_t sector_size;
    uint64_t base;   /* of the range, bytes */
    uint64_t length; /* bytes; the last sector may be cut */
    unsigned retries;
    unsigned fails[SECTORS_MAX]; /* reads of it that fail before one succeeds */
    bool read[SECTORS_MAX];      /* came over */
    bool given_up[SECTORS_MAX];
    unsigned alone[SECTORS_MAX]; /* reads of this sector alone */
    unsigned reads;
    uint64_t tried; /* sectors that were read at least once */
};

static uint64_t
sector_count(const struct medium *m)
{
    return (m->length + m->sector_size - 1) / m->sector_size;
}

static bool
read_medium(struct medium *m, const struct range *r)
{
    uint64_t s = (r->offset - m->base) / m->sector_size;
    uint64_t left = m->base + m->length - r->offset;

    /* One whole sector at a time, but for the media's end. */
    assert_true(r->offset >= m->base && r->offset < m->base + m->length);
    assert_int_equal((r->offset - m->base) % m->sector_size, 0);
    assert_int_equal(r->length, left < m->sector_size ? left : m->sector_size);
    /* Nothing is read twice once it has come over, nor before all else has been tried once. */
    assert_false(m->read[s]);
    if (m->alone[s] > 0)
        assert_true(m->tried == sector_count(m));
    else
        m->tried++;
    m->reads++;
    m->alone[s]++;
    m->read[s] = m->alone[s] > m->fails[s];
    return m->read[s];
}

static void
check_given_up(struct medium *m, const struct range *bad)
{
    uint64_t s = (bad->offset - m->base) / m->sector_size;
    uint64_t left = m->base + m->length - bad->offset;

    assert_int_equal((bad->offset - m->base) % m->sector_size, 0);
    assert_int_equal(bad->length, left < m->sector_size ? left : m->sector_size);
    assert_false(m->given_up[s]);
    m->given_up[s] = true;
}

static void
recover(struct medium *m)
{
    struct recovery plan;
    struct range next;
    struct range bad;

    recovery_begin(&plan, m->base, m->length, m->sector_size, m->retries);
    while (recovery_next(&plan, &next)) {
        assert_true(m->reads < 1000000);
        if (recovery_result(&plan, read_medium(m, &next), &bad))
            check_given_up(m, &bad);
    }
}

/* What must hold of every run: each sector is read as often as it fails, and once more; given up
   after 1 + retries attempts, never fewer and never more. */
static void
check_run(const struct medium *m)
{
    for (uint64_t i = 0; i < sector_count(m); i++) {
        bool lost = m->fails[i] > m->retries;

        assert_int_equal(m->given_up[i], lost);
        assert_int_equal(m->read[i], !lost);
        assert_int_equal(m->alone[i], lost ? 1 + m->retries : m->fails[i] + 1);
    }
}

static struct medium *
random_medium(struct rng *rng)
{
    struct medium *m = calloc(1, sizeof *m);
    uint64_t n = 1 + rng_below(rng, rng_below(rng, 4) == 0 ? SECTORS_MAX : 64);

    assert_non_null(m);
    m->sector_size = rng_below(rng, 2) ? 512 : 4096;
    m->base = rng_below(rng, 1000) * m->sector_size;
    m->length = n * m->sector_size;
    if (rng_below(rng, 3) == 0) /* the media's end, inside a sector */
        m->length -= rng_below(rng, m->sector_size);
    m->retries = (unsigned)rng_below(rng, 4);
    return m;
}

/* How often a bad sector fails: mostly for ever, at times only so often. */
static unsigned
failures(struct rng *rng)
{
    return rng_below(rng, 3) == 0 ? 1 + (unsigned)rng_below(rng, 4) : FOREVER;
}

static void
damage(struct medium *m, struct rng *rng)
{
    uint64_t n = sector_count(m);
    uint64_t kind = rng_below(rng, 5);

    for (uint64_t i = 0; i < n; i++) {
        bool bad = kind == 0   ? rng_below(rng, 20) == 0 /* scattered */
                   : kind == 1 ? i % 2 == 0              /* every other */
                               : kind == 2;              /* all */

        m->fails[i] = bad ? failures(rng) : 0;
    }
    if (kind == 3) { /* one scratch */
        uint64_t from = rng_below(rng, n);
        uint64_t to = from + 1 + rng_below(rng, n - from);

        for (uint64_t i = from; i < to; i++)
            m->fails[i] = failures(rng);
    }
    /* kind 4: the first read failed, and now all is well */
}

static void
finds_the_truth(void **state)
{
    struct rng rng = rng_start("recovery");

    (void)state;
    for (int round = 0; round < 4000; round++) {
        struct medium *m = random_medium(&rng);

        damage(m, &rng);
        recover(m);
        check_run(m);
        free(m);
    }
}

/* The order, told apart from its counts: forward to the first bad sector, backward to the last,
   what lies between; then the retries, backward and forward. */
static void
goes_into_the_damage_last(void **state)
{
    static const uint32_t order[] = {0, 1, 2, 9, 8, 7, 3, 4, 5, 6, 7, 4, 2, 2, 4, 7, 7, 4, 2};
    struct recovery plan;
    struct range next;
    struct range bad;
    size_t i = 0;

    (void)state;
    recovery_begin(&plan, 5120, UINT64_C(10) * 512, 512, 3);
    while (recovery_next(&plan, &next)) {
        uint64_t sector = (next.offset - 5120) / 512;
        bool good = sector != 2 && sector != 4 && sector != 7;

        assert_true(i < COUNT(order));
        assert_int_equal(sector, order[i++]);
        assert_int_equal(recovery_result(&plan, good, &bad), !good && i > 16);
    }
    assert_int_equal(i, COUNT(order));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_truth),
        cmocka_unit_test(goes_into_the_damage_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
