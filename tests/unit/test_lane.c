#include "tests/lib/unit.h"

#include "acquire/worker/lane.h"
#include "tests/lib/written.h"

/* However the media are cut into feeds, each digest covers its piece and no more. */
static void
pieces_are_cut_where_they_end(void **state)
{
    static const char *const algorithms[] = {"md5", "sha1", "sha256"};
    struct rng rng = rng_start("lane");
    uint8_t data[5000];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)rng_next(&rng);
    for (int round = 0; round < 300; round++) {
        const char *algorithm = algorithms[rng_below(&rng, COUNT(algorithms))];
        size_t n = rng_below(&rng, sizeof data + 1);
        size_t piece = rng_below(&rng, 3) ? 1 + rng_below(&rng, 6000) : 0;
        size_t step = piece ? piece : n;
        struct err err = ERR_INIT;
        struct lane *l = lane_new(algorithm, piece, &err);
        size_t count = 0;

        assert_non_null(l);
        for (size_t at = 0; at < n;) {
            size_t part = 1 + rng_below(&rng, n - at);

            lane_feed(l, data + at, part);
            at += part;
        }
        lane_end(l);
        for (size_t at = 0; at < n || at == 0; at += step) {
            char hex[DIGEST_HEX_MAX];

            hash_bytes(algorithm, data + at, n - at < step ? n - at : step, hex);
            assert_true(count < lane_count(l));
            assert_string_equal(lane_hex(l, count), hex);
            count++;
            if (step == 0)
                break;
        }
        assert_int_equal(lane_count(l), count);
        assert_int_equal(lane_piece(l), piece);
        assert_string_equal(lane_algorithm(l), algorithm);
        lane_free(l);
    }
}

/* Fed as one, lanes cut their pieces each at its own places. */
static void
joined_lanes_are_alone(void **state)
{
    static const char *const names[1 + LANE_PARTNERS_MAX] = {"md5", "sha256", "md5", "sha256"};
    struct rng rng = rng_start("lane pair");
    uint8_t data[3000];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)rng_next(&rng);
    for (int round = 0; round < 300; round++) {
        size_t n = rng_below(&rng, 4) ? rng_below(&rng, sizeof data + 1) : 0;
        struct err err = ERR_INIT;
        size_t together = 2 + rng_below(&rng, COUNT(names) - 1);
        size_t unit = rng_below(&rng, 2) ? 64 : 1; /* only whole blocks go side by side */
        struct lane *pair[COUNT(names)];
        size_t piece[COUNT(names)];

        for (size_t i = 0; i < together; i++) {
            piece[i] = rng_below(&rng, 3) ? (1 + rng_below(&rng, 500 / unit)) * unit : 0;
            pair[i] = lane_new(names[i], piece[i], &err);
            assert_non_null(pair[i]);
            if (i > 0)
                lane_join(pair[0], pair[i]);
        }
        for (size_t at = 0; at < n;) {
            size_t part = 1 + rng_below(&rng, n - at);

            lane_feed(pair[0], data + at, part);
            at += part;
        }
        lane_end(pair[0]);
        for (size_t i = 0; i < together; i++) {
            size_t step = piece[i] && n ? piece[i] : n + (n == 0);

            assert_int_equal(lane_count(pair[i]), n ? (n + step - 1) / step : 1);
            for (size_t k = 0; k < lane_count(pair[i]); k++) {
                char hex[DIGEST_HEX_MAX];

                hash_bytes(names[i], data + k * step, n - k * step < step ? n - k * step : step,
                           hex);
                assert_string_equal(lane_hex(pair[i], k), hex);
            }
            lane_free(pair[i]);
        }
    }
}

static void
nothing_has_one_digest(void **state)
{
    struct err err = ERR_INIT;
    struct lane *l = lane_new("md5", 4096, &err);

    (void)state;
    lane_end(l);
    assert_int_equal(lane_count(l), 1);
    assert_string_equal(lane_hex(l, 0), "d41d8cd98f00b204e9800998ecf8427e");
    lane_free(l);
}

static void
an_unknown_digest_is_named(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_null(lane_new("crc7", 0, &err));
    assert_int_equal(err.outcome, OUTCOME_USAGE);
    assert_non_null(strstr(err.text, "crc7"));
    lane_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_cut_where_they_end),
        cmocka_unit_test(joined_lanes_are_alone),
        cmocka_unit_test(nothing_has_one_digest),
        cmocka_unit_test(an_unknown_digest_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
