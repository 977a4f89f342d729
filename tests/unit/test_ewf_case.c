#include "tests/lib/unit.h"

#include <libdeflate.h>

#include "acquire/worker/ewf_case.h"
#include "common/cleanup.h"
#include "common/text.h"

static const struct e01_spec spec = {
    .date = 1767225661, /* 2026-01-01 00:01:01 UTC */
    .case_number = "C\t1",
    .evidence_number = "100%s",
    .description = "\u00e4 \U0001f4be",
    .examiner = "",
    .model = "M",
    .serial = "S",
};

typedef uint8_t *encoder(const struct e01_spec *e01, size_t *n, struct err *err);

static char *
inflated(encoder *encode, size_t *size)
{
    struct err err = ERR_INIT;
    size_t n = 0;
    AUTO_FREE uint8_t *data = encode(&spec, &n, &err);
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    char *out = xcalloc(1, 8192);

    assert_non_null(d);
    assert_int_equal(libdeflate_zlib_decompress(d, data, n, out, 8191, size), 0);
    libdeflate_free_decompressor(d);
    return out;
}

/* A date is in words of numbers here, and in seconds in header2. */
static void
header_is_what_readers_of_it_alone_expect(void **state)
{
    AUTO_FREE char *got = NULL;
    size_t n = 0;

    (void)state;
    got = inflated(ewf_case_header, &n);
    assert_string_equal(got, "1\r\nmain\r\nc\tn\ta\te\tt\tav\tov\tm\tu\tp\r\n"
                             "C 1\t100%s\t? ?\t\t\tExhibit " EXHIBIT_VERSION
                             "\tLinux\t2026 1 1 0 1 1\t2026 1 1 0 1 1\t0\r\n\r\n");
    assert_int_equal(n, strlen(got));
}

static void
header2_has_every_character(void **state)
{
    static const uint8_t disk[] = {0xe4, 0, ' ', 0, 0x3d, 0xd8, 0xbe, 0xdc, '\t', 0};
    static const uint8_t date[] = "1\0007\0006\0007\0002\0002\0005\0006\0006\0001\0\t";
    AUTO_FREE char *got = NULL;
    size_t n = 0;

    (void)state;
    got = inflated(ewf_case_header2, &n);
    assert_memory_equal(got, "\xff\xfe", 2);
    assert_memory_equal(memmem(got, n, disk, sizeof disk), disk, sizeof disk);
    assert_memory_equal(memmem(got, n, date, sizeof date), date, sizeof date);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_what_readers_of_it_alone_expect),
        cmocka_unit_test(header2_has_every_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
