#include "tests/lib/unit.h"

#include "common/cleanup.h"
#include "common/text.h"

/* The bytes of one code point, by RFC 3629; surrogates and what lies past U+10FFFF included, which
   the caller knows to be ill-formed. */
static size_t
encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

static void
every_code_point(void **state)
{
    (void)state;
    for (uint32_t cp = 1; cp < 0x120000; cp++) {
        char s[4];
        size_t n = encode(cp, s);
        bool valid = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
        uint32_t got = 0;

        if (text_utf8_next(s, n, &got) != (valid ? n : 0) || (valid && got != cp))
            fail_msg("U+%04X", cp);
        /* Cut off before its end it is not a character. */
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(text_utf8_next(s, cut, &got), 0);
    }
}

static void
ill_formed(void **state)
{
    static const char *const cases[] = {
        "\x80",                 /* continuation alone */
        "\xc0\x80",             /* overlong NUL */
        "\xc1\xbf",             /* overlong */
        "\xe0\x9f\xbf",         /* overlong */
        "\xf0\x8f\xbf\xbf",     /* overlong */
        "\xed\xa0\x80",         /* surrogate */
        "\xf4\x90\x80\x80",     /* past U+10FFFF */
        "\xf8\x88\x80\x80\x80", /* five bytes */
        "\xfe",
        "\xff",
        "a\xff",
        "\xc3(",
        "\xe2\x82",
        "\xe2(\xa1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_false(text_is_utf8(cases[i], strlen(cases[i])));
    assert_true(text_is_utf8("", 0));
    assert_true(text_is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xbe", 10));
    assert_false(text_is_utf8("a\0b", 3));
}

static void
printable(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"", ""},
        {"plain text, ~", "plain text, ~"},
        {"\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac"},
        {"\033[31mred\a", "\\x1b[31mred\\x07"},
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b", "\\u{009b}"},     /* C1: another way to say ESC [ */
        {"\xe2\x80\xae", "\\u{202e}"}, /* right-to-left override */
        {"\xe2\x81\xa6", "\\u{2066}"}, /* isolate */
        {"\xe2\x80\xa8", "\\u{2028}"}, /* line separator */
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_FREE char *got = text_printable(cases[i].in);

        assert_string_equal(got, cases[i].out);
    }
    AUTO_FREE char *nul = text_printable_n("a\0b", 3);
    assert_string_equal(nul, "a\\x00b");
}

/* Whatever comes in, what goes out is UTF-8 without control characters. */
static void
printable_is_always_safe(void **state)
{
    struct rng rng = rng_start("text_printable");

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char in[40];
        size_t n = rng_below(&rng, sizeof in);

        for (size_t j = 0; j < n; j++)
            in[j] = (char)rng_next(&rng);
        AUTO_FREE char *out = text_printable_n(in, n);

        assert_true(text_is_utf8(out, strlen(out)));
        for (const char *p = out; *p; p++)
            assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
    }
}

static void
hex_both_ways(void **state)
{
    struct rng rng = rng_start("hex");
    uint8_t raw[64];
    uint8_t back[64];
    char hex[2 * sizeof raw + 1];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        size_t n = rng_below(&rng, sizeof raw + 1);

        for (size_t j = 0; j < n; j++)
            raw[j] = (uint8_t)rng_next(&rng);
        hex_encode(raw, n, hex);
        assert_int_equal(strlen(hex), 2 * n);
        assert_int_equal(hex_decode(hex, back, n), (int)n);
        assert_memory_equal(raw, back, n);
        if (n > 0)
            assert_int_equal(hex_decode(hex, back, n - 1), -1);
    }
    hex_encode("\x0a\xff", 2, hex);
    assert_string_equal(hex, "0aff");
    assert_int_equal(hex_decode("0AfF", back, 2), 2);
    assert_int_equal(back[1], 255);
    assert_int_equal(hex_decode("0", back, 2), -1);
    assert_int_equal(hex_decode("0g", back, 2), -1);
    assert_int_equal(hex_decode("0x", back, 2), -1);
}

static void
base64_vectors(void **state)
{
    /* RFC 4648, section 10. */
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_FREE char *got = base64_encode(cases[i].in, strlen(cases[i].in));

        assert_string_equal(got, cases[i].out);
    }
}

static void
case_is_ascii_only(void **state)
{
    (void)state;
    assert_true(text_equal_nocase("SHA-256", "sha-256"));
    assert_true(text_equal_nocase("", ""));
    assert_false(text_equal_nocase("a", ""));
    assert_false(text_equal_nocase("", "a"));
    assert_false(text_equal_nocase("abc", "abd"));
    assert_false(text_equal_nocase("abc", "abcd"));
    assert_false(text_equal_nocase("[", "{")); /* one bit apart, like letters */
    assert_false(text_equal_nocase("\xc3\x89", "\xc3\xa9"));
}

/* Each length of a text with characters of one to four bytes; and what is no UTF-8 loses little. */
static void
cut_between_characters(void **state)
{
    static const char text[] = "a\u00e9\u20ac\U0001f4beb";

    (void)state;
    for (size_t max = 0; max <= sizeof text + 3; max++) {
        static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
        size_t n = text_utf8_cut(text, max);

        assert_int_equal(n, expected[max < 11 ? max : 11]);
    }
    assert_int_equal(text_utf8_cut("\x80\x80\x80\x80\x80\x80\x80", 6), 3);
    assert_int_equal(text_utf8_cut("\x80\x80\x80", 2), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),   cmocka_unit_test(ill_formed),
        cmocka_unit_test(printable),          cmocka_unit_test(printable_is_always_safe),
        cmocka_unit_test(hex_both_ways),      cmocka_unit_test(base64_vectors),
        cmocka_unit_test(case_is_ascii_only), cmocka_unit_test(cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
