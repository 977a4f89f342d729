#include "tests/lib/unit.h"

#include "common/digest.h"
#include "common/text.h"

/* "abc": RFC 1321, FIPS 180-4, FIPS 202 and RFC 7693 give these. */
static const struct {
    const char *name;
    const char *hex;
} of_abc[] = {
    {"md5", "900150983cd24fb0d6963f7d28e17f72"},
    {"sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"sha512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {"blake2b512", "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                   "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
    {"shake128", "5881092dd818bf5cf8a3ddb793fbcba7"},
};

static void
known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(of_abc); i++) {
        struct err err = ERR_INIT;
        struct digest *d = digest_new(of_abc[i].name, &err);
        char hex[DIGEST_HEX_MAX];

        if (!d)
            fail_msg("%s: %s", of_abc[i].name, err.text);
        assert_string_equal(digest_name(d), of_abc[i].name);
        assert_int_equal(digest_hex_length(of_abc[i].name), strlen(of_abc[i].hex));
        /* Twice: the end of one hash is the start of the next. In pieces: order is all. */
        digest_update(d, "abc", 3);
        digest_final_hex(d, hex);
        assert_string_equal(hex, of_abc[i].hex);
        digest_update(d, "a", 1);
        digest_update(d, "", 0);
        digest_update(d, "bc", 2);
        digest_final_hex(d, hex);
        assert_string_equal(hex, of_abc[i].hex);
        digest_free(d);
    }
    digest_free(NULL);
}

static void
names_as_typed(void **state)
{
    static const struct {
        const char *typed;
        const char *name;
    } good[] = {
        {"md5", "md5"},
        {"MD5", "md5"},
        {"SHA256", "sha256"},
        {"sha-256", "sha256"},
        {"SHA2-256", "sha256"},
        {"Sha-1", "sha1"},
        {"sha3-256", "sha3-256"},
        {"SHA3-512", "sha3-512"},
        {"BLAKE2b512", "blake2b512"},
        {"sha512-256", "sha512-256"},
        {"SHA-512/256", "sha512-256"},
        {"SHA2-512/224", "sha512-224"},
        {"shake128", "shake128"},
    };
    static const char *const bad[] = {
        "",
        "md4x",
        "md5 ",
        "sha256,md5",
        "../md5",
        "sha2-",
        "-",
        "sha-",
        "null",
        "crc32",
        "\xff",
        "sha256\n",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct err err = ERR_INIT;
        char name[DIGEST_NAME_MAX];

        if (digest_canonical(good[i].typed, name, &err) != 0)
            fail_msg("'%s': %s", good[i].typed, err.text);
        assert_string_equal(name, good[i].name);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = ERR_INIT;
        char name[DIGEST_NAME_MAX];

        if (digest_canonical(bad[i], name, &err) != -1)
            fail_msg("'%s' was taken as '%s'", bad[i], name);
        assert_int_equal(err.outcome, OUTCOME_USAGE);
        err = (struct err)ERR_INIT;
        assert_null(digest_new(bad[i], &err));
        assert_int_equal(err.outcome, OUTCOME_USAGE);
    }
}

/* A comparison that stops early has let wrong images pass elsewhere. */
static void
equal_over_the_full_length(void **state)
{
    const char *a = of_abc[2].hex;
    char b[DIGEST_HEX_MAX];

    (void)state;
    assert_true(digest_hex_equal(a, a));
    for (size_t i = 0; i < strlen(a); i++) {
        (void)snprintf(b, sizeof b, "%s", a);
        b[i] = b[i] == '0' ? '1' : '0';
        assert_false(digest_hex_equal(a, b));
        (void)snprintf(b, sizeof b, "%.*s", (int)i, a);
        assert_false(digest_hex_equal(a, b));
        assert_false(digest_hex_equal(b, a));
    }
    assert_true(digest_hex_equal("AbCd", "aBcD"));
    assert_false(digest_hex_equal("", ""));
    assert_false(digest_hex_equal("a", ""));
    assert_false(digest_hex_equal("", "a"));
}

/* Hashes fed together, in cuts that do and do not end with a block, equal those fed alone. */
static void
together_equals_alone(void **state)
{
    static const char *const sets[][DIGEST_TOGETHER_MAX] = {
        {"md5", "md5"},
        {"md5", "sha256"},
        {"sha256", "md5"},
        {"sha1", "md5"},
        {"sha512", "sha256", "md5"},
        {"md5", "sha256", "md5", "sha256"},
        {"md5", "md5", "md5", "sha256", "sha256"},
        {"sha256", "sha256", "sha256", "md5"},
        {"md5", "md5", "md5", "md5", "sha256", "sha256", "sha256", "sha256"},
    };
    static const size_t cuts[] = {0, 1, 63, 64, 65, 128, 1000, 4096, 64, 640, 7};
    struct rng rng = rng_start("together");
    uint8_t data[4096];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)rng_next(&rng);
    for (size_t p = 0; p < 30 * COUNT(sets); p++) {
        const char *const *names = sets[p % COUNT(sets)];
        struct digest *together[DIGEST_TOGETHER_MAX];
        struct digest *alone[DIGEST_TOGETHER_MAX];
        struct err err = ERR_INIT;
        size_t n = 0;

        for (; n < DIGEST_TOGETHER_MAX && names[n]; n++) {
            assert_non_null(together[n] = digest_new(names[n], &err));
            assert_non_null(alone[n] = digest_new(names[n], &err));
        }
        for (int again = 0; again < 2; again++) { /* a digest starts afresh after its end */
            for (size_t c = 0; c < COUNT(cuts); c++) {
                size_t len = p < COUNT(sets) ? cuts[c] : rng_below(&rng, 40) * 64 + c / 10;

                digest_update_all(together, n, data, len);
                for (size_t i = 0; i < n; i++)
                    digest_update(alone[i], data, len);
            }
            for (size_t i = 0; i < n; i++) {
                char hex[2][DIGEST_HEX_MAX];

                /* One that has gone on alone does not stand where the others do. */
                if (again == 1 && i == 0) {
                    digest_update(together[0], data, 3);
                    digest_update(alone[0], data, 3);
                    digest_update_all(together, n, data, 640);
                    for (size_t k = 0; k < n; k++)
                        digest_update(alone[k], data, 640);
                }
                digest_final_hex(together[i], hex[0]);
                digest_final_hex(alone[i], hex[1]);
                assert_string_equal(hex[0], hex[1]);
            }
        }
        for (size_t i = 0; i < n; i++) {
            digest_free(together[i]);
            digest_free(alone[i]);
        }
    }
}

/* OpenSSL counts the bits in two words of 32: past 512 MiB the count of what went beside an MD5 has
   to carry. */
static void
counts_carry(void **state)
{
    enum { PART = 1 << 20 };
    const int parts = getenv("EXHIBIT_LONG") ? 513 : 5; /* takes a second, or 20 with tsan */
    uint8_t *data = xcalloc(1, PART);
    struct err err = ERR_INIT;
    struct digest *together[] = {digest_new("md5", &err), digest_new("sha256", &err)};
    struct digest *alone = digest_new("sha256", &err);
    char hex[2][DIGEST_HEX_MAX];

    (void)state;
    for (int i = 0; i < parts; i++) {
        digest_update_all(together, 2, data, PART);
        digest_update(alone, data, PART);
    }
    digest_final_hex(together[1], hex[0]);
    digest_final_hex(alone, hex[1]);
    assert_string_equal(hex[0], hex[1]);
    digest_free(together[0]);
    digest_free(together[1]);
    digest_free(alone);
    free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together_equals_alone),
        cmocka_unit_test(counts_carry),
        cmocka_unit_test(known_answers),
        cmocka_unit_test(names_as_typed),
        cmocka_unit_test(equal_over_the_full_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
