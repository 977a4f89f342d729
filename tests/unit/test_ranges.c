#include "tests/lib/unit.h"

#include "common/ranges.h"

#define SPACE 200u /* bytes of the model's media */

/* The model: one flag for each byte. Slow and plainly right. */
struct model {
    bool set[SPACE];
};

static void
model_fill(struct model *m, uint64_t offset, uint64_t length, bool value)
{
    for (uint64_t i = offset; i < SPACE && i < offset + length; i++)
        m->set[i] = value;
}

/* The ranges that the model's flags make, and what every other call should say of them. */
static void
compare(const struct ranges *set, const struct model *m)
{
    size_t n = 0;
    uint64_t total = 0;

    for (uint64_t i = 0; i < SPACE; i++) {
        if (!m->set[i] || (i > 0 && m->set[i - 1]))
            continue;
        uint64_t end = i;

        while (end < SPACE && m->set[end])
            end++;
        assert_true(n < set->n);
        assert_int_equal(set->v[n].offset, i);
        assert_int_equal(set->v[n].length, end - i);
        n++;
        total += end - i;
    }
    assert_int_equal(set->n, n);
    assert_int_equal(ranges_total(set), total);
}

static void
compare_queries(const struct ranges *set, const struct model *m, uint64_t offset, uint64_t length)
{
    const struct range *r = ranges_find(set, offset);
    bool overlap = false;
    uint64_t first = offset;

    for (uint64_t i = offset; i < SPACE && i < offset + length; i++)
        overlap = overlap || m->set[i];
    assert_int_equal(ranges_overlap(set, offset, length), overlap);
    while (first < SPACE && !m->set[first])
        first++;
    if (first == SPACE) {
        assert_null(r);
        return;
    }
    assert_non_null(r);
    assert_true(r->offset <= first && first < r->offset + r->length);
}

static void
agrees_with_a_bitmap(void **state)
{
    struct rng rng = rng_start("ranges");

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct ranges set = {0};
        struct model m = {0};

        for (int step = 0; step < 60; step++) {
            uint64_t offset = rng_below(&rng, SPACE);
            uint64_t length = rng_below(&rng, 1 + rng_below(&rng, SPACE - offset + 1));
            bool add = rng_below(&rng, 3) != 0;

            if (add)
                ranges_add(&set, offset, length);
            else
                ranges_remove(&set, offset, length);
            model_fill(&m, offset, length, add);
            compare(&set, &m);
            compare_queries(&set, &m, rng_below(&rng, SPACE), rng_below(&rng, 20));
        }
        ranges_free(&set);
    }
}

static void
neighbours_merge(void **state)
{
    struct ranges set = {0};

    (void)state;
    ranges_add(&set, 512, 512);
    ranges_add(&set, 2048, 512);
    assert_int_equal(set.n, 2);
    ranges_add(&set, 1024, 1024); /* touches both */
    assert_int_equal(set.n, 1);
    assert_int_equal(set.v[0].offset, 512);
    assert_int_equal(set.v[0].length, 2048);
    ranges_free(&set);
}

static void
the_end_of_all_offsets(void **state)
{
    struct ranges set = {0};

    (void)state;
    ranges_add(&set, UINT64_MAX - 10, 100);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.v[0].length, 10);
    assert_true(ranges_overlap(&set, UINT64_MAX - 1, UINT64_MAX));
    assert_false(ranges_overlap(&set, 0, UINT64_MAX - 10));
    assert_true(ranges_overlap(&set, 0, UINT64_MAX));
    ranges_add(&set, 0, UINT64_MAX);
    assert_int_equal(set.n, 1);
    assert_int_equal(ranges_total(&set), UINT64_MAX);
    ranges_remove(&set, 5, UINT64_MAX);
    assert_int_equal(ranges_total(&set), 5);
    ranges_remove(&set, 0, UINT64_MAX);
    assert_int_equal(set.n, 0);
    ranges_free(&set);
}

static void
nothing_stays_nothing(void **state)
{
    struct ranges set = {0};

    (void)state;
    ranges_add(&set, 7, 0);
    ranges_remove(&set, 0, 100);
    assert_int_equal(set.n, 0);
    assert_null(ranges_find(&set, 0));
    assert_false(ranges_overlap(&set, 0, 10));
    ranges_add(&set, 7, 1);
    assert_false(ranges_overlap(&set, 7, 0));
    ranges_free(&set);
    assert_int_equal(set.n, 0);
    ranges_free(&set);
}

/* A failing drive gives its errors in order: a million of them must cost no more than a moment. */
static void
appending_is_cheap(void **state)
{
    struct ranges set = {0};

    (void)state;
    for (uint64_t i = 0; i < 1000000; i++)
        ranges_add(&set, i * 1024, 512);
    assert_int_equal(set.n, 1000000);
    assert_int_equal(ranges_total(&set), UINT64_C(512000000));
    ranges_free(&set);
}

static void
joins_neighbours_only(void **state)
{
    struct range r = {100, 10};

    (void)state;
    assert_false(range_join(&r, &(struct range){111, 5}));
    assert_false(range_join(&r, &(struct range){94, 5}));
    assert_true(range_join(&r, &(struct range){110, 5}));
    assert_true(range_join(&r, &(struct range){95, 5}));
    assert_int_equal(r.offset, 95);
    assert_int_equal(r.length, 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_neighbours_only), cmocka_unit_test(agrees_with_a_bitmap),
        cmocka_unit_test(neighbours_merge),      cmocka_unit_test(the_end_of_all_offsets),
        cmocka_unit_test(nothing_stays_nothing), cmocka_unit_test(appending_is_cheap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
