#include "tests/lib/unit.h"

#include "acquire/device/ata_identify.h"

/* The answers that a drive gives, made as the standards have them: words of two bytes, the lower
   one first. */
static void
put_word(unsigned char *block, size_t i, uint64_t v)
{
    block[2 * i] = (unsigned char)v;
    block[2 * i + 1] = (unsigned char)(v >> 8);
}

static void
put_words(unsigned char *block, size_t first, size_t n, uint64_t v)
{
    for (size_t i = 0; i < n; i++)
        put_word(block, first + i, v >> (16 * i));
}

static void
put_text(unsigned char *block, size_t first, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        block[2 * first + (i ^ 1)] = (unsigned char)(i < strlen(text) ? text[i] : ' ');
}

static void
sign(unsigned char *block)
{
    unsigned char sum = 0;

    block[510] = 0xA5;
    block[511] = 0;
    for (size_t i = 0; i < 512; i++)
        sum = (unsigned char)(sum + block[i]);
    block[511] = (unsigned char)-sum;
}

/* A drive of 1 TB with 4096-byte physical sectors, all feature sets, and an HPA of 1000 sectors. */
#define NATIVE UINT64_C(1953525168)

static void
make_identify(unsigned char *block)
{
    memset(block, 0, ATA_BLOCK_SIZE);
    put_word(block, 0, 0x0040);
    put_text(block, 10, 20, "  WD-WCC4E1234567");
    put_text(block, 23, 8, "80.00A80");
    put_text(block, 27, 40, "WDC WD10EZEX-08WN4A0");
    put_words(block, 60, 2, 268435455);
    put_word(block, 82, 0x746B); /* with HPA */
    put_word(block, 83, 0x7D61); /* with 48-bit addresses and DCO */
    put_words(block, 100, 4, NATIVE - 1000);
    put_word(block, 106, 0x6003);
    put_word(block, 128, 0x0029);
    put_word(block, 217, 7200);
    sign(block);
}

static void
make_facts(struct ata_facts *f)
{
    *f = (struct ata_facts){.identified = ATA_ANSWERED,
                            .native_asked = ATA_ANSWERED,
                            .dco_asked = ATA_ANSWERED,
                            .native_max = NATIVE - 1};
    make_identify(f->identify);
    put_word(f->dco, 0, 2);
    put_words(f->dco, 3, 4, NATIVE - 1);
    sign(f->dco);
}

static void
test_identify(void **state)
{
    unsigned char block[ATA_BLOCK_SIZE];
    struct ata_identify id;

    (void)state;
    make_identify(block);
    assert_true(ata_identify_parse(block, sizeof block, &id));
    assert_string_equal(id.model, "WDC WD10EZEX-08WN4A0");
    assert_string_equal(id.serial, "WD-WCC4E1234567");
    assert_string_equal(id.firmware, "80.00A80");
    assert_int_equal(id.sectors, NATIVE - 1000);
    assert_int_equal(id.logical_sector_size, 512);
    assert_int_equal(id.physical_sector_size, 4096);
    assert_true(id.lba48 && id.hpa && id.dco && !id.ama && !id.trim && !id.solid_state);
    assert_int_equal(id.rotation, 7200);
    assert_true(id.frozen && !id.locked);
    block[2 * 128] = block[2 * 128 + 1] = 0xFF; /* no word */
    block[2 * 255] = 0;                         /* no checksum either */
    assert_true(ata_identify_parse(block, sizeof block, &id));
    assert_false(id.frozen || id.locked);
}

static void
test_solid_state(void **state)
{
    unsigned char block[ATA_BLOCK_SIZE];
    struct ata_identify id;

    (void)state;
    make_identify(block);
    put_word(block, 217, 1);
    put_word(block, 169, 1);
    put_word(block, 69, 0x4028); /* DRAT, RZAT, and words 230 to 233 */
    put_words(block, 230, 4, UINT64_C(0x123456789A));
    put_word(block, 106, 0x5000); /* 4096-byte logical sectors */
    put_words(block, 117, 2, 2048);
    put_word(block, 119, 0x4100); /* Accessible Max Address */
    sign(block);
    assert_true(ata_identify_parse(block, sizeof block, &id));
    assert_true(id.solid_state && id.trim && id.trim_zeroes && id.ama);
    assert_int_equal(id.rotation, 0);
    assert_int_equal(id.logical_sector_size, 4096);
    assert_int_equal(id.physical_sector_size, 4096);
    assert_int_equal(id.sectors, UINT64_C(0x123456789A));
}

static void
test_no_identification(void **state)
{
    unsigned char block[ATA_BLOCK_SIZE] = {0};
    struct ata_identify id;

    (void)state;
    assert_false(ata_identify_parse(block, sizeof block, &id));
    memset(block, 0xff, sizeof block);
    assert_false(ata_identify_parse(block, sizeof block, &id));
    make_identify(block);
    assert_false(ata_identify_parse(block, sizeof block - 1, &id));
    block[60]++; /* the checksum no longer fits */
    assert_false(ata_identify_parse(block, sizeof block, &id));
    make_identify(block);
    put_word(block, 0, 0x85C0); /* a packet device */
    sign(block);
    assert_false(ata_identify_parse(block, sizeof block, &id));
    /* Sector sizes that no drive has are not believed. */
    make_identify(block);
    put_word(block, 106, 0x7FFF);
    put_words(block, 117, 2, UINT32_MAX);
    sign(block);
    assert_true(ata_identify_parse(block, sizeof block, &id));
    assert_int_equal(id.logical_sector_size, 512);
}

/* --- hidden sectors --- */

static void
test_hpa(void **state)
{
    struct ata_facts f;
    struct ata_hidden h;

    (void)state;
    make_facts(&f);
    ata_find_hidden(&f, &h);
    assert_true(h.hpa_known && h.dco_known);
    assert_int_equal(h.hpa, 1000);
    assert_int_equal(h.dco, 0);
    assert_int_equal(h.native, NATIVE);
    assert_int_equal(h.whole, NATIVE);
    assert_null(h.hpa_note);

    f.native_is_ama = 1;
    ata_find_hidden(&f, &h);
    assert_int_equal(h.hpa, 1000);
    assert_non_null(strstr(h.hpa_note, "Accessible"));
}

static void
test_dco(void **state)
{
    struct ata_facts f;
    struct ata_hidden h;

    (void)state;
    make_facts(&f);
    put_words(f.dco, 3, 4, NATIVE - 1 + 5000);
    sign(f.dco);
    ata_find_hidden(&f, &h);
    assert_int_equal(h.hpa, 1000);
    assert_true(h.dco_known);
    assert_int_equal(h.dco, 5000);
    assert_int_equal(h.whole, NATIVE + 5000);
}

static void
test_not_known(void **state)
{
    struct ata_facts f;
    struct ata_hidden h;

    (void)state;
    make_facts(&f);
    f.identified = ATA_FAILED;
    ata_find_hidden(&f, &h);
    assert_false(h.hpa_known || h.dco_known);
    assert_non_null(h.hpa_note);

    /* The drive has the feature sets and does not tell (frozen, or a bridge in between). */
    make_facts(&f);
    f.native_asked = ATA_FAILED;
    f.dco_asked = ATA_REFUSED;
    ata_find_hidden(&f, &h);
    assert_false(h.hpa_known || h.dco_known);
    assert_non_null(strstr(h.dco_note, "refused"));

    /* The overlay's size without the native one: what is hidden by which cannot be told. */
    make_facts(&f);
    f.native_asked = ATA_REFUSED;
    ata_find_hidden(&f, &h);
    assert_false(h.hpa_known || h.dco_known);
    assert_int_equal(h.whole, NATIVE);

    /* Answers that cannot be: smaller than what can be read. */
    make_facts(&f);
    f.native_max = 10;
    ata_find_hidden(&f, &h);
    assert_false(h.hpa_known);
    make_facts(&f);
    put_words(f.dco, 3, 4, 10);
    sign(f.dco);
    ata_find_hidden(&f, &h);
    assert_true(h.hpa_known);
    assert_false(h.dco_known);
    make_facts(&f);
    f.dco[20]++;
    ata_find_hidden(&f, &h);
    assert_false(h.dco_known);
}

/* A drive without the feature sets hides nothing by them. */
static void
test_no_feature_set(void **state)
{
    struct ata_facts f;
    struct ata_hidden h;

    (void)state;
    make_facts(&f);
    put_word(f.identify, 82, 0x706B);
    put_word(f.identify, 83, 0x7561);
    sign(f.identify);
    f.native_asked = ATA_NOT_ASKED;
    f.dco_asked = ATA_NOT_ASKED;
    ata_find_hidden(&f, &h);
    assert_true(h.hpa_known && h.dco_known);
    assert_int_equal(h.hpa, 0);
    assert_int_equal(h.dco, 0);
    assert_non_null(h.hpa_note);
}

/* --- registers --- */

static void
test_registers(void **state)
{
    /* As libata answers READ NATIVE MAX ADDRESS EXT: descriptor format, "information available". */
    unsigned char sense[22] = {0x72, 0x01, 0x00, 0x1D, 0,    0, 0,    14, 0x09, 12,   0x01,
                               0x00, 0,    0,    0,    0xAF, 0, 0x6D, 0,  0x70, 0x40, 0x50};
    unsigned char fixed[18] = {0x70, 0x00, 0x01, 0x50, 0xE0, 0, 0, 10, 0x00,
                               0x2F, 0x60, 0x38, 0x00, 0x1D, 0, 0, 0,  0};
    struct ata_registers r;

    (void)state;
    assert_true(ata_registers_parse(sense, sizeof sense, &r));
    assert_int_equal(r.status, 0x50);
    assert_int_equal(r.error, 0);
    assert_true(r.lba_whole);
    assert_int_equal(r.lba, 0x706DAF);
    sense[14] = 0x74; /* bits 31 to 24 */
    sense[16] = 0x01;
    sense[18] = 0x02;
    assert_true(ata_registers_parse(sense, sizeof sense, &r));
    assert_int_equal(r.lba, UINT64_C(0x020174706DAF));
    sense[10] = 0; /* not EXTEND: what stands there is of something else */
    assert_true(ata_registers_parse(sense, sizeof sense, &r));
    assert_int_equal(r.lba, 0x706DAF);
    for (size_t n = 0; n < sizeof sense; n++)
        assert_false(ata_registers_parse(sense, n, &r));
    sense[7] = 255; /* longer than it is */
    assert_true(ata_registers_parse(sense, sizeof sense, &r));
    sense[8] = 0x00; /* another descriptor */
    assert_false(ata_registers_parse(sense, sizeof sense, &r));

    fixed[3] = 0x04;
    fixed[4] = 0x51;
    assert_true(ata_registers_parse(fixed, sizeof fixed, &r));
    assert_int_equal(r.error, 0x04);
    assert_int_equal(r.status, 0x51);
    assert_int_equal(r.lba, 0x38602F);
    assert_true(r.lba_whole);
    fixed[8] = 0x20; /* the upper bytes are not zero, and have no room */
    assert_true(ata_registers_parse(fixed, sizeof fixed, &r));
    assert_false(r.lba_whole);
    fixed[13] = 0x00;
    assert_false(ata_registers_parse(fixed, sizeof fixed, &r));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identify),
        cmocka_unit_test(test_solid_state),
        cmocka_unit_test(test_no_identification),
        cmocka_unit_test(test_hpa),
        cmocka_unit_test(test_dco),
        cmocka_unit_test(test_not_known),
        cmocka_unit_test(test_no_feature_set),
        cmocka_unit_test(test_registers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
