#include "tests/lib/unit.h"

#include "report/parser.h"
#include "report/parser_gpt.h"

#define SECTORS 256

/* A disk in memory for the parsers that read through the image reader. */
struct disk {
    uint8_t bytes[SECTORS * 512];
    char path[64];
    struct parser_image p;
};

static void
put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* One copy: header at `at`, 4 entries at `entries`. */
static void
put_copy(struct disk *d, uint32_t at, uint32_t other, uint32_t entries)
{
    uint8_t *h = d->bytes + (size_t)at * 512;
    uint8_t *e = d->bytes + (size_t)entries * 512;

    memset(e, 0, 512);
    memset(e, 0x11, 16); /* type */
    memset(e + 16, 0x22, 16);
    put32(e + 32, 40);
    put32(e + 40, 49);
    e[48] = 1;
    e[56] = 'a';
    e[58] = 0xe9; /* é */
    memset(h, 0, 512);
    memcpy(h, "EFI PART", 8);
    put32(h + 8, 0x10000);
    put32(h + 12, 92);
    put32(h + 24, at);
    put32(h + 32, other);
    put32(h + 40, 34);
    put32(h + 48, 200);
    put32(h + 72, entries);
    put32(h + 80, 4);
    put32(h + 84, 128);
    put32(h + 88, gpt_crc32(e, 512));
    put32(h + 16, gpt_crc32(h, 92));
}

static void
open_disk(struct disk *d)
{
    struct err err = ERR_INIT;
    FILE *f;

    (void)snprintf(d->path, sizeof d->path, "%s", "/tmp/test_report_gpt.XXXXXX");
    f = fdopen(mkstemp(d->path), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(d->bytes, 1, sizeof d->bytes, f), sizeof d->bytes);
    assert_int_equal(fclose(f), 0);
    d->p =
        (struct parser_image){.image = image_open(d->path, NULL, &err), .length = sizeof d->bytes};
    assert_non_null(d->p.image);
    d->p.tsk.sector_size = 512;
}

static void
close_disk(struct disk *d)
{
    image_free(d->p.image);
    (void)unlink(d->path);
}

static void
checksum_of_the_standard(void **state)
{
    (void)state;
    assert_int_equal(gpt_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(gpt_crc32("", 0), 0);
}

static void
both_copies_are_found(void **state)
{
    static struct disk d;
    struct gpt_entry e;
    struct gpt *primary;
    struct gpt *backup;
    char *flags;

    (void)state;
    put_copy(&d, 1, SECTORS - 1, 2);
    put_copy(&d, SECTORS - 1, 1, SECTORS - 2);
    open_disk(&d);
    primary = gpt_load(&d.p, 512, GPT_PRIMARY, NULL);
    backup = gpt_load(&d.p, 512, GPT_BACKUP, primary);
    assert_non_null(primary);
    assert_non_null(backup);
    assert_true(primary->header.header_crc_ok && primary->header.entries_crc_ok);
    assert_true(backup->header.header_crc_ok && backup->header.entries_crc_ok);
    assert_int_equal(backup->header.lba, SECTORS - 1);
    assert_true(gpt_find(primary, 40, &e));
    assert_string_equal(e.name, "aé");
    assert_string_equal(e.type_guid, "11111111-1111-1111-1111-111111111111");
    flags = gpt_flags(&e);
    assert_string_equal(flags, "required");
    free(flags);
    assert_false(gpt_find(primary, 41, &e));
    assert_false(gpt_entry(primary, 1, &e)); /* unused */
    assert_false(gpt_entry(primary, 99, &e));
    assert_false(gpt_find(NULL, 40, &e));
    gpt_free(primary);
    gpt_free(backup);
    close_disk(&d);
}

static void
a_backup_elsewhere_is_where_the_primary_says(void **state)
{
    static struct disk d;
    struct gpt *primary;
    struct gpt *backup;

    (void)state;
    put_copy(&d, 1, 100, 2);
    put_copy(&d, 100, 1, 99);
    open_disk(&d);
    primary = gpt_load(&d.p, 512, GPT_PRIMARY, NULL);
    backup = gpt_load(&d.p, 512, GPT_BACKUP, primary);
    assert_non_null(backup);
    assert_int_equal(backup->header.lba, 100);
    gpt_free(backup);
    assert_null(gpt_load(&d.p, 512, GPT_BACKUP, NULL)); /* none in the last sector */
    assert_null(gpt_load(&d.p, 4096, GPT_PRIMARY, NULL));
    gpt_free(primary);
    close_disk(&d);
}

static void
absurd_headers_have_no_entries(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
    } cases[] = {{80, 0xffffffff}, {84, 0}, {84, 0xffffffff}, {72, 0xffffffff}, {12, 0xffffffff}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct disk d;
        struct gpt *gpt;

        put_copy(&d, 1, SECTORS - 1, 2);
        put32(d.bytes + 512 + cases[i].at, cases[i].value);
        open_disk(&d);
        gpt = gpt_load(&d.p, 512, GPT_PRIMARY, NULL);
        assert_non_null(gpt);
        assert_false(gpt->header.header_crc_ok);
        if (cases[i].at != 12)
            assert_int_equal(gpt->n, 0);
        gpt_free(gpt);
        close_disk(&d);
    }
}

static void
utf16_of_any_kind(void **state)
{
    static const struct {
        const char *bytes;
        size_t units;
        const char *text;
    } cases[] = {
        {"a\0b\0", 2, "ab"},
        {"a\0\0\0b\0", 3, "a"},
        {"\x3d\xd8\x00\xde", 2, "\xf0\x9f\x98\x80"},
        {"\x3d\xd8", 1, "\xef\xbf\xbd"}, /* half a pair */
        {"\x00\xde\x41\0", 2,
         "\xef\xbf\xbd"
         "A"}, /* the other half */
        {"", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = utf16le_text((const uint8_t *)cases[i].bytes, cases[i].units);

        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_of_the_standard),
        cmocka_unit_test(both_copies_are_found),
        cmocka_unit_test(a_backup_elsewhere_is_where_the_primary_says),
        cmocka_unit_test(absurd_headers_have_no_entries),
        cmocka_unit_test(utf16_of_any_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
