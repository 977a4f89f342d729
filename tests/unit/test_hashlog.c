/* Hashes of other tools: what each form of line says, and that half a hash never passes. */
#include "tests/lib/unit.h"

#include "verify/hashlog.h"

#define MD5 "fae15c9669bbd18d5dd5d30c11585f12"
#define SHA1 "22aca2033674592083ebc0a44f3d354293107c8c"
#define SHA256 "82610d3c109ca3ec09cfaebee4d0b94a79a0b06f20a0462e8f59bb2e389c3dae"

static struct hashlog *
parse(const char *text)
{
    return hashlog_parse(NULL, text, strlen(text));
}

static void
assert_entry(const struct hashlog *log, size_t i, const char *hash, const char *hex,
             const char *file)
{
    assert_true(i < log->n);
    assert_string_equal(log->v[i].hash, hash);
    assert_string_equal(log->v[i].hex, hex);
    if (file)
        assert_string_equal(log->v[i].file, file);
    else
        assert_null(log->v[i].file);
}

/* One line, one hash. */
static void
lines_of_one_hash(void **state)
{
    static const struct {
        const char *line;
        const char *hash;
        const char *hex;
        const char *file;
    } cases[] = {
        {MD5 "  EV.dd", "md5", MD5, "EV.dd"},
        {MD5 " *EV 01.dd", "md5", MD5, "EV 01.dd"},
        {SHA256 "  -", "sha256", SHA256, "-"},
        {"\\" MD5 "  a\\nb\\\\c", "md5", MD5, "a\nb\\c"},
        {"MD5 (EV.dd) = " MD5, "md5", MD5, "EV.dd"},
        {"SHA256 (a) = b (1).dd) = " SHA256, "sha256", SHA256, "a) = b (1).dd"},
        {"\\MD5 (a\\nb) = " MD5, "md5", MD5, "a\nb"},
        {"SHA2-256(EV.dd)= " SHA256, "sha256", SHA256, "EV.dd"},
        {"MD5(EV.dd)= " MD5, "md5", MD5, "EV.dd"},
        {"   3000320  " SHA1 "  EV.dd", "sha1", SHA1, "EV.dd"},
        {MD5, "md5", MD5, NULL},
        {"FAE15C9669BBD18D5DD5D30C11585F12  EV.dd", "md5", MD5, "EV.dd"},
        {"MD5 hash                   : " MD5 "     ", "md5", MD5, NULL},
        {" MD5 checksum:    " MD5 " : verified", "md5", MD5, NULL},
        {"SHA1 hash calculated over data:\t\t" SHA1, "sha1", SHA1, NULL},
        {"SHA-256: " SHA256, "sha256", SHA256, NULL},
        {"Total (md5): " MD5, "md5", MD5, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hashlog *log = parse(cases[i].line);

        if (!log || log->n != 1 || log->problem)
            fail_msg("'%s' is not one hash", cases[i].line);
        assert_entry(log, 0, cases[i].hash, cases[i].hex, cases[i].file);
        assert_int_equal(log->v[0].length, 0);
        hashlog_free(log);
    }
}

static void
what_is_no_hash_is_passed_over(void **state)
{
    static const char *const cases[] = {
        "",
        "the disk was found under the desk",
        "MD5: see the report",
        "MD5 hash verified source   : --",
        "SHA256 hash: N/A",
        "2026-11-21T05:17:26Z  all of the source has been read",
        "  md5                    " MD5 /* Exhibit's own log, which its manifest repeats */,
        "MD5 hash stored in file:\t" MD5,
        "  EV.E01  3004896 bytes  md5 " MD5 "  sha256 " SHA256,
        "deadbeef",
        "0 - 10: quickly",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hashlog *log = parse(cases[i]);

        if (log)
            fail_msg("'%s' was taken for a hash", cases[i]);
    }
    assert_null(hashlog_parse(NULL, MD5 "\0", 33)); /* a NUL: no text */
}

static void
half_a_hash_is_a_problem(void **state)
{
    static const char *const cases[] = {
        "fae15c9669bbd18d5dd5d30c  EV.dd",
        MD5 "0  EV.dd",
        "MD5 (EV.dd) = fae15c9669bbd18d",
        "MD5 (EV.dd) = " SHA1,
        "MD5 (EV.dd) = ",
        "SHA256 hash : " MD5,
        "MD5 checksum: fae15c9669bbd18d5dd5d30c11585f1x",
        "Total (md5): fae15c96",
        "0 - 1048576: fae15c9669bbd18d",
        "%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n5,fae15c,EV.dd",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hashlog *log = parse(cases[i]);

        if (!log || !log->problem || log->n != 0)
            fail_msg("'%s' is no problem", cases[i]);
        hashlog_free(log);
    }
}

static void
hashdeep_has_columns(void **state)
{
    struct hashlog *log =
        parse("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## # hashdeep EV.dd\n## \n"
              "3000320," MD5 "," SHA256 ",/tmp/a,b.dd\n"
              "1048576," MD5 "," SHA256 ",/tmp/EV.dd offset 1048576-2097151\n");

    (void)state;
    assert_non_null(log);
    assert_string_equal(log->tool, "hashdeep");
    assert_int_equal(log->n, 4);
    assert_entry(log, 0, "md5", MD5, "/tmp/a,b.dd");
    assert_entry(log, 1, "sha256", SHA256, "/tmp/a,b.dd");
    assert_entry(log, 3, "sha256", SHA256, "/tmp/EV.dd");
    assert_int_equal(log->v[3].offset, 1048576);
    assert_int_equal(log->v[3].length, 1048576);
    hashlog_free(log);
}

static void
dc3dd_has_runs_and_pieces(void **state)
{
    struct hashlog *log =
        parse("\ndc3dd 7.2.646 started at 2026-11-21 05:13:05 +0000\n"
              "sector size: 4096 bytes (probed)\n\ninput results for device `/dev/sdb':\n"
              "   5860 sectors in\n   " MD5 " (md5)\n      " MD5 ", sectors 0 - 2047\n"
              "   " SHA1 " (sha1)\n\noutput results for files `EV.000':\n   5860 sectors out\n"
              "   [ok] " MD5 " (md5)\n      [ok] " MD5 ", sectors 0 - 2047, `EV.000'\n"
              "      [!!] " MD5 ", sectors 2048 - 4095, `EV.001'\n"
              "dc3dd completed at 2026-11-21 05:13:06 +0000\n"
              "dc3dd 7.2.646 started at 2026-11-22 05:13:05 +0000\n"
              "input results for file `x':\n   " SHA256 " (sha256)\n");

    (void)state;
    assert_non_null(log);
    assert_string_equal(log->tool, "dc3dd");
    assert_int_equal(log->runs, 2);
    assert_int_equal(log->n, 5);
    assert_entry(log, 0, "md5", MD5, NULL);
    assert_int_equal(log->v[1].length, UINT64_C(2048) * 4096);
    assert_entry(log, 2, "sha1", SHA1, NULL);
    assert_entry(log, 3, "md5", MD5, "EV.000"); /* of the file, as it was read back */
    assert_int_equal(log->v[3].length, 0);
    assert_entry(log, 4, "sha256", SHA256, NULL);
    assert_int_equal(log->v[4].run, 1);
    assert_string_equal(log->outputs[0].file, "EV.000");
    hashlog_free(log);
}

static void
dcfldd_has_windows(void **state)
{
    struct hashlog *log = parse("0 - 1048576: " MD5 "\n0 - 1048576: " SHA256
                                "\n1048576 - 1050000: " MD5 "\n\nTotal (md5): " MD5 "\n");

    (void)state;
    assert_non_null(log);
    assert_string_equal(log->tool, "dcfldd");
    assert_int_equal(log->n, 4);
    assert_entry(log, 1, "sha256", SHA256, NULL);
    assert_int_equal(log->v[2].offset, 1048576);
    assert_int_equal(log->v[2].length, 1424);
    assert_int_equal(log->v[3].length, 0);
    hashlog_free(log);
}

static void
utf16_is_read(void **state)
{
    static const char text[] = "MD5 checksum: " MD5 "\r\n";
    char wide[2 + 2 * sizeof text] = "\xff\xfe";
    struct hashlog *log;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof text; i++)
        wide[2 + 2 * i] = text[i];
    log = hashlog_parse(NULL, wide, 2 * sizeof text);
    assert_non_null(log);
    assert_entry(log, 0, "md5", MD5, NULL);
    hashlog_free(log);
}

/* Memory follows the bound, not the file. */
static void
entries_are_bounded(void **state)
{
    static const char line[] = MD5 "  x\n";
    size_t n = sizeof line - 1;
    size_t lines = HASHLOG_ENTRIES_MAX + 10;
    char *text = malloc(n * lines);
    struct hashlog *log;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < lines; i++)
        memcpy(text + i * n, line, n);
    log = hashlog_parse(NULL, text, n * lines);
    free(text);
    assert_non_null(log);
    assert_int_equal(log->n, HASHLOG_ENTRIES_MAX);
    assert_non_null(log->problem);
    assert_int_equal(log->n_names, 1);
    hashlog_free(log);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_one_hash),
        cmocka_unit_test(what_is_no_hash_is_passed_over),
        cmocka_unit_test(half_a_hash_is_a_problem),
        cmocka_unit_test(hashdeep_has_columns),
        cmocka_unit_test(dc3dd_has_runs_and_pieces),
        cmocka_unit_test(dcfldd_has_windows),
        cmocka_unit_test(utf16_is_read),
        cmocka_unit_test(entries_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
