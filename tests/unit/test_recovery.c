#include "tests/lib/unit.h"

#include "acquire/recovery.h"

#define SECTORS_MAX 2048u

/* The medium: which sectors are bad; and the log of what was asked of each. */
struct medium {
    uint32_t sector_size;
    uint64_t base;   /* of the range, bytes */
    uint64_t length; /* bytes; the last sector may be cut */
    unsigned retries;
    bool partial; /* a failing read returns what precedes the bad sector */
    bool bad[SECTORS_MAX];
    bool read[SECTORS_MAX]; /* came over */
    bool given_up[SECTORS_MAX];
    unsigned alone[SECTORS_MAX]; /* reads of this sector alone */
    unsigned reads;
};

static uint64_t
sector_count(const struct medium *m)
{
    return (m->length + m->sector_size - 1) / m->sector_size;
}

/* Bytes that a read of this range returns. */
static uint64_t
read_medium(struct medium *m, const struct range *r)
{
    uint64_t first = (r->offset - m->base) / m->sector_size;
    uint64_t end = (r->offset + r->length - m->base + m->sector_size - 1) / m->sector_size;
    uint64_t s = first;

    m->reads++;
    if (end - first == 1)
        m->alone[first]++;
    while (s < end && !m->bad[s])
        s++;
    if (s < end && !m->partial)
        return 0;
    for (uint64_t i = first; i < s; i++) {
        assert_false(m->read[i]); /* nothing is read twice once it has come over */
        m->read[i] = true;
    }
    return s == end ? r->length : (s - first) * m->sector_size;
}

static void
check_request(const struct medium *m, const struct range *r)
{
    assert_true(r->length > 0);
    assert_true(r->offset >= m->base);
    assert_true(r->length <= m->length - (r->offset - m->base));
    assert_int_equal((r->offset - m->base) % m->sector_size, 0);
    /* Whole sectors, but at the end. */
    if (r->offset + r->length != m->base + m->length)
        assert_int_equal(r->length % m->sector_size, 0);
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
        check_request(m, &next);
        if (recovery_result(&plan, read_medium(m, &next), &bad))
            check_given_up(m, &bad);
    }
}

static unsigned
log2_up(uint64_t n)
{
    unsigned bits = 0;

    while (n > 1) {
        n = (n + 1) / 2;
        bits++;
    }
    return bits;
}

/* What must hold of every run: the truth exactly, no more reads than halving needs. */
static void
check_run(const struct medium *m)
{
    uint64_t n = sector_count(m);
    unsigned n_bad = 0;

    for (uint64_t i = 0; i < n; i++) {
        assert_int_equal(m->given_up[i], m->bad[i]);
        assert_int_equal(m->read[i], !m->bad[i]);
        if (m->bad[i]) {
            /* The read that failed before counts where it was of this sector alone. */
            assert_int_equal(m->alone[i], 1 + m->retries - (n == 1 && m->retries > 0));
            n_bad++;
        }
    }
    assert_true(m->reads <= 2 + (uint64_t)n_bad * (2 * log2_up(n) + 2 + m->retries));
    assert_true(m->reads <= 2 * n + (uint64_t)n_bad * (m->retries + 1));
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
    m->partial = rng_below(rng, 2) != 0;
    return m;
}

static void
damage(struct medium *m, struct rng *rng)
{
    uint64_t n = sector_count(m);
    uint64_t kind = rng_below(rng, 5);

    for (uint64_t i = 0; i < n; i++) {
        if (kind == 0) /* scattered */
            m->bad[i] = rng_below(rng, 20) == 0;
        else if (kind == 1) /* every other */
            m->bad[i] = i % 2 == 0;
        else if (kind == 2) /* all */
            m->bad[i] = true;
    }
    if (kind == 3) { /* one scratch */
        uint64_t from = rng_below(rng, n);
        uint64_t to = from + 1 + rng_below(rng, n - from);

        for (uint64_t i = from; i < to; i++)
            m->bad[i] = true;
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

/* A sector that answers on its last attempt is read, not given up. */
static void
a_retry_may_succeed(void **state)
{
    struct recovery plan;
    struct range next;
    struct range bad;

    (void)state;
    recovery_begin(&plan, 0, 1024, 512, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(recovery_next(&plan, &next));
        assert_int_equal(next.offset, 0);
        assert_int_equal(next.length, 512);
        assert_false(recovery_result(&plan, 0, &bad));
    }
    assert_true(recovery_next(&plan, &next));
    assert_false(recovery_result(&plan, 512, &bad));
    assert_true(recovery_next(&plan, &next));
    assert_int_equal(next.offset, 512); /* with attempts of its own */
    for (int i = 0; i < 3; i++)
        assert_false(recovery_result(&plan, 0, &bad));
    assert_true(recovery_result(&plan, 0, &bad));
    assert_int_equal(bad.offset, 512);
    assert_false(recovery_next(&plan, &next));
}

/* A read that comes back short inside a sector gives nothing of that sector. */
static void
part_of_a_sector_counts_for_nothing(void **state)
{
    struct recovery plan;
    struct range next;
    struct range bad;

    (void)state;
    recovery_begin(&plan, 4096, 8192, 4096, 0);
    assert_true(recovery_next(&plan, &next));
    assert_int_equal(next.length, 4096);
    assert_true(recovery_result(&plan, 4095, &bad));
    assert_int_equal(bad.offset, 4096);
    assert_true(recovery_next(&plan, &next));
    assert_int_equal(next.offset, 8192);
    assert_false(recovery_result(&plan, 4096, &bad));
    assert_false(recovery_next(&plan, &next));
}

/* The stack holds halves of the largest range that can be asked for. */
static void
the_largest_range_fits(void **state)
{
    struct recovery plan;
    struct range next;
    struct range bad;

    (void)state;
    recovery_begin(&plan, 0, UINT64_C(1) << 49, 512, 0);
    for (int i = 0; i < 200 && recovery_next(&plan, &next); i++) {
        assert_true(plan.n <= RECOVERY_DEPTH);
        (void)recovery_result(&plan, 0, &bad);
    }
    assert_true(recovery_next(&plan, &next));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_truth),
        cmocka_unit_test(a_retry_may_succeed),
        cmocka_unit_test(part_of_a_sector_counts_for_nothing),
        cmocka_unit_test(the_largest_range_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
