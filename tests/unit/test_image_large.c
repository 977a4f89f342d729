/* E01s whose offsets or whose media are large, in sparse files. */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "common/image.h"
#include "tests/lib/ewf_build.h"

#define CHUNK 4096u /* 8 sectors of 512 */

static uint8_t media[4 * CHUNK];

static int
setup(void **state)
{
    for (size_t i = 0; i < sizeof media; i++)
        media[i] = (uint8_t)(i * i >> 7 ^ i / 512);
    return scratch_enter(state);
}

static struct image *
must_open(const char *path)
{
    struct err err = ERR_INIT;
    struct image *img = image_open(path, NULL, &err);

    if (!img)
        fail_msg("%s", err.text);
    return img;
}

static void
put_at(int fd, const struct ewf_build *b, uint64_t offset)
{
    assert_int_equal(pwrite(fd, b->data, b->n, (off_t)offset), b->n);
}

/* Old EnCase in segments of more than 2 GiB: entries of 32 bits from the overflow on. */
static void
offsets_past_two_gib(void **state)
{
    const uint64_t far = UINT64_C(0x80000000) - 100; /* chunk 1 straddles 2 GiB */
    const uint32_t entries[] = {UINT32_C(0x7fffff9c) - CHUNK - 4, UINT32_C(0x7fffff9c),
                                UINT32_C(0x7fffff9c) + CHUNK + 4,
                                UINT32_C(0x7fffff9c) + 2 * (CHUNK + 4)};
    struct ewf_build b = ewf_build_start(1);
    uint64_t sectors;
    uint64_t end = far + 3 * (CHUNK + 4);
    struct image *img;
    struct err err = ERR_INIT;
    uint8_t buf[4 * CHUNK];
    int fd = open("big.E01", O_CREAT | O_TRUNC | O_WRONLY, 0600);

    (void)state;
    assert_true(fd >= 0);
    (void)ewf_build_volume(&b, "volume", 8, 512, 4 * 8);
    sectors = ewf_build_section(&b, "sectors", NULL, 0);
    ewf_build_redirect(&b, sectors, end, end - sectors);
    put_at(fd, &b, 0);
    free(b.data);

    for (size_t i = 0; i < 4; i++) {
        b = (struct ewf_build){0};
        (void)ewf_build_append(&b, media + i * CHUNK, CHUNK);
        (void)ewf_build_append(&b, NULL, 4);
        ewf_build_checksum(&b, 0, CHUNK);
        put_at(fd, &b, entries[i]);
        free(b.data);
    }
    b = (struct ewf_build){0};
    (void)ewf_build_section(&b, "table", NULL, 24 + 16 + 4);
    ewf_build_put32(&b, 76, 4);
    ewf_build_checksum(&b, 76, 20);
    for (size_t i = 0; i < 4; i++)
        ewf_build_put32(&b, 100 + 4 * i, entries[i]);
    ewf_build_checksum(&b, 100, 16);
    ewf_build_redirect(&b, 0, end + 120, 120);
    (void)ewf_build_last(&b, "done");
    ewf_build_redirect(&b, 120, end + 120, 0);
    put_at(fd, &b, end);
    free(b.data);
    assert_int_equal(close(fd), 0);

    img = must_open("big.E01");
    assert_int_equal(image_info(img)->n_findings, 0);
    if (image_read(img, buf, sizeof buf, 0, &err) != (ssize_t)sizeof buf)
        fail_msg("%s", err.text);
    assert_memory_equal(buf, media, sizeof buf);
    image_free(img);
}

static void
must_not_find(void *arg, const struct image_finding *f)
{
    (void)arg;
    fail_msg("%s", f->text);
}

/* 16 TiB in 8,193 tables, all in holes but the last: opened, read at random, every table
   checked, and memory does not grow with the media. */
static void
sixteen_tebibytes(void **state)
{
    const uint64_t chunks = (uint64_t)1 << 29;
    const uint32_t per_table = 65534;
    struct ewf_build b = ewf_build_start(1);
    int fd = open("huge.E01", O_CREAT | O_TRUNC | O_WRONLY, 0600);
    uint8_t buf[32768] = {0};
    struct err err = ERR_INIT;
    struct rusage usage;
    struct image *img;
    uint64_t at;

    (void)state;
    assert_true(fd >= 0);
    (void)ewf_build_volume(&b, "volume", 64, 512, chunks * 64);
    put_at(fd, &b, 0);
    at = b.n;
    free(b.data);
    for (uint64_t first = 0; first < chunks; first += per_table) {
        uint32_t n = chunks - first < per_table ? (uint32_t)(chunks - first) : per_table;
        uint64_t size = 76 + 24 + 4 * (uint64_t)n + 4;

        b = (struct ewf_build){0};
        (void)ewf_build_section(&b, "sectors", NULL, 32772);
        ewf_build_checksum(&b, 76, 32768);
        ewf_build_redirect(&b, 0, at + b.n, b.n);
        put_at(fd, &b, at);
        free(b.data);
        b = (struct ewf_build){0};
        (void)ewf_build_section(&b, "table", NULL, 24);
        ewf_build_put32(&b, 76, n);
        ewf_build_put64(&b, 84, at + 76); /* the first chunk is at 0 from there */
        ewf_build_checksum(&b, 76, 20);
        at += 76 + 32772;
        ewf_build_redirect(&b, 0, at + size, size);
        put_at(fd, &b, at);
        free(b.data);
        b = (struct ewf_build){0}; /* Adler-32 of 4n zero bytes */
        (void)ewf_build_append(&b, NULL, 4);
        ewf_build_put32(&b, 0, (uint32_t)(4 * (uint64_t)n % 65521) << 16 | 1);
        put_at(fd, &b, at + size - 4);
        free(b.data);
        at += size;
    }
    b = (struct ewf_build){0};
    (void)ewf_build_last(&b, "done");
    ewf_build_redirect(&b, 0, at, 0);
    put_at(fd, &b, at);
    free(b.data);
    assert_int_equal(close(fd), 0);

    img = must_open("huge.E01");
    assert_int_equal(image_info(img)->media_size, (uint64_t)1 << 44);
    assert_int_equal(image_info(img)->n_findings, 0);
    for (uint64_t i = 0; i < chunks; i += chunks / 16) {
        uint64_t chunk = i - i % per_table;

        if (image_read(img, buf, sizeof buf, chunk * 32768, &err) != (ssize_t)sizeof buf)
            fail_msg("%s", err.text);
    }
    image_check_tables(img, NULL, must_not_find, NULL);
    image_free(img);
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    print_message("largest resident size: %ld KiB\n", usage.ru_maxrss);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
    assert_true(usage.ru_maxrss < 256 * 1024);
#endif
    assert_int_equal(remove("huge.E01"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_past_two_gib),
        cmocka_unit_test(sixteen_tebibytes),
    };

    return cmocka_run_group_tests(tests, setup, scratch_leave);
}
