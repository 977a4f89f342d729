/*
 * MD5 against the test suite of RFC 1321 and against OpenSSL: any lengths, any cuts, one chain and
 * two.
 */
#include "tests/lib/unit.h"

#include <openssl/evp.h>

#include "common/md5.h"
#include "common/text.h"

static void
hex_of(struct md5 *m, char hex[2 * MD5_SIZE + 1])
{
    uint8_t digest[MD5_SIZE];

    md5_finish(m, digest);
    hex_encode(digest, sizeof digest, hex);
}

static void
hex_by_openssl(const void *data, size_t n, char hex[2 * MD5_SIZE + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    assert_int_equal(EVP_Digest(data, n, digest, &size, EVP_md5(), NULL), 1);
    hex_encode(digest, size, hex);
}

static void
test_rfc1321(void **state)
{
    static const struct {
        const char *text;
        const char *hex;
    } suite[] = {
        /* RFC 1321, appendix A.5 */
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof suite / sizeof suite[0]; i++) {
        char hex[2 * MD5_SIZE + 1];
        struct md5 m;

        md5_start(&m);
        md5_update(&m, suite[i].text, strlen(suite[i].text));
        hex_of(&m, hex);
        assert_string_equal(hex, suite[i].hex);
    }
}

#define DATA_SIZE 5000

/* Each length around the block's and the padding's edges, whole and byte by byte. */
static void
test_every_length(void **state)
{
    uint8_t data[300];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37 + 11);
    for (size_t n = 0; n <= sizeof data; n++) {
        char expected[2 * MD5_SIZE + 1];
        char hex[2 * MD5_SIZE + 1];
        struct md5 m;

        hex_by_openssl(data, n, expected);
        md5_start(&m);
        md5_update(&m, data, n);
        hex_of(&m, hex);
        assert_string_equal(hex, expected);
        md5_start(&m);
        for (size_t i = 0; i < n; i++)
            md5_update(&m, data + i, 1);
        hex_of(&m, hex);
        assert_string_equal(hex, expected);
    }
}

/* Two chains fed side by side in random cuts, each over other data of another length. */
static void
test_pairs(void **state)
{
    struct rng r = rng_start("pairs");
    uint8_t a[DATA_SIZE];
    uint8_t b[DATA_SIZE];

    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t n_a = (size_t)rng_below(&r, DATA_SIZE);
        size_t n_b = (size_t)rng_below(&r, DATA_SIZE);
        char expected[2 * MD5_SIZE + 1];
        char hex[2 * MD5_SIZE + 1];
        size_t at_a = 0;
        size_t at_b = 0;
        struct md5 x;
        struct md5 y;

        for (size_t i = 0; i < DATA_SIZE; i++) {
            a[i] = (uint8_t)rng_next(&r);
            b[i] = (uint8_t)rng_next(&r);
        }
        md5_start(&x);
        md5_start(&y);
        while (at_a < n_a || at_b < n_b) {
            size_t part_a = (size_t)rng_below(&r, n_a - at_a + 1);
            size_t part_b = (size_t)rng_below(&r, n_b - at_b + 1);

            md5_update_pair(&x, a + at_a, part_a, &y, b + at_b, part_b);
            at_a += part_a;
            at_b += part_b;
        }
        hex_by_openssl(a, n_a, expected);
        hex_of(&x, hex);
        assert_string_equal(hex, expected);
        hex_by_openssl(b, n_b, expected);
        hex_of(&y, hex);
        assert_string_equal(hex, expected);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc1321),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
