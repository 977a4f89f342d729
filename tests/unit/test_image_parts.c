/* Images that are still being written: the segments that are closed, wherever they lie. */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/image.h"
#include "tests/lib/ewf_build.h"

#define CHUNK 4096u /* 8 sectors of 512 */
#define CHUNKS 10u
#define MEDIA (CHUNK * CHUNKS)

static uint8_t media[MEDIA];
static int dirs[2];

/* Two directories: the second is where segments went when the first was full. */
static int
setup(void **state)
{
    static const char *const names[] = {"one", "two"};

    for (size_t i = 0; i < sizeof media; i++)
        media[i] = (uint8_t)(i * i >> 7 ^ i / 512);
    if (scratch_enter(state) != 0)
        return -1;
    for (size_t i = 0; i < 2; i++) {
        if (mkdir(names[i], 0700) != 0)
            return -1;
        dirs[i] = open(names[i], O_PATH | O_DIRECTORY);
        if (dirs[i] < 0)
            return -1;
    }
    return 0;
}

/* Segment `number` with chunks first … first + n of the media. */
static void
write_e01(const char *path, uint16_t number, size_t first, size_t n, const char *last)
{
    struct ewf_build b = ewf_build_start(number);

    if (number == 1)
        (void)ewf_build_volume(&b, "volume", 8, 512, MEDIA / 512);
    (void)ewf_build_chunks(&b, media + first * CHUNK, n * CHUNK, CHUNK, true);
    (void)ewf_build_last(&b, last);
    ewf_build_write(&b, path);
}

static void
write_raw(const char *path, size_t first, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(media + first, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static struct image *
must_open(enum image_format format, const struct image_part *v, size_t n)
{
    const struct image_parts parts = {.format = format, .media_size = MEDIA, .v = v, .n = n};
    struct err err = ERR_INIT;
    struct image *img = image_open_parts(&parts, &err);

    if (!img)
        fail_msg("%s", err.text);
    return img;
}

/* Up to `held` all is there, behind it nothing is, and that is no finding. */
static void
assert_held(struct image *img, uint64_t held)
{
    const struct image_info *info = image_info(img);
    struct err err = ERR_INIT;
    uint8_t buf[MEDIA];

    assert_int_equal(info->media_size, MEDIA);
    assert_int_equal(info->held, held);
    assert_int_equal(info->n_findings, 0);
    if (image_read(img, buf, held, 0, &err) != (ssize_t)held)
        fail_msg("%s", err.text);
    assert_memory_equal(buf, media, held);
    if (held == MEDIA)
        return;
    assert_int_equal(image_read(img, buf, 1, held, &err), -1);
    assert_int_equal(err.sys, ENODATA);
    assert_int_equal(image_read(img, buf, 2, held - 1, &err), -1);
    assert_int_equal(err.sys, ENODATA);
    assert_int_equal(image_read(img, buf, sizeof buf, MEDIA - 1, &err), -1);
}

static void
an_unfinished_e01(void **state)
{
    const struct image_part parts[] = {{dirs[0], "p.E01"}, {dirs[1], "p.E02"}, {dirs[0], "p.E03"}};
    struct image *img;

    (void)state;
    write_e01("one/p.E01", 1, 0, 3, "next");
    write_e01("two/p.E02", 2, 3, 3, "next");
    write_e01("one/p.E03", 3, 6, 4, "done");
    img = must_open(IMAGE_E01, parts, 1);
    assert_held(img, 3 * CHUNK);
    image_free(img);
    img = must_open(IMAGE_E01, parts, 2);
    assert_held(img, 6 * CHUNK);
    assert_int_equal(image_info(img)->n_segments, 2);
    assert_int_equal(image_info(img)->segments[1].media_offset, 3 * CHUNK);
    image_free(img);
    img = must_open(IMAGE_E01, parts, 3);
    assert_held(img, MEDIA);
    image_free(img);
}

static void
unfinished_raw(void **state)
{
    const struct image_part parts[] = {{dirs[0], "p.001"}, {dirs[1], "p.002"}, {dirs[0], "p.003"}};
    struct image *img;

    (void)state;
    write_raw("one/p.001", 0, 15000);
    write_raw("two/p.002", 15000, 15000);
    write_raw("one/p.003", 30000, MEDIA - 30000);
    img = must_open(IMAGE_RAW, parts, 1);
    assert_held(img, 15000);
    image_free(img);
    img = must_open(IMAGE_RAW, parts, 2);
    assert_held(img, 30000);
    image_free(img);
    img = must_open(IMAGE_RAW, parts, 3);
    assert_held(img, MEDIA);
    image_free(img);
}

static void
assert_refused(const struct image_parts *parts, const char *text)
{
    struct err err = ERR_INIT;

    assert_null(image_open_parts(parts, &err));
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in '%s'", text, err.text);
}

static void
what_is_refused(void **state)
{
    const struct image_part missing[] = {{dirs[0], "p.E01"}, {dirs[0], "none.E02"}};
    const struct image_part sound[] = {{dirs[0], "p.E01"}};
    const struct image_part raw[] = {{dirs[0], "p.001"}};
    struct image *img;

    (void)state;
    assert_refused(&(struct image_parts){.format = IMAGE_E01, .v = missing, .n = 2}, "none.E02");
    assert_refused(&(struct image_parts){.format = IMAGE_E01, .n = 0}, "without a file");
    assert_refused(
        &(struct image_parts){.format = IMAGE_E01, .v = sound, .n = 1, .media_size = MEDIA + 512},
        "not of");
    assert_refused(
        &(struct image_parts){.format = IMAGE_RAW, .v = raw, .n = 1, .media_size = 14999},
        "is to have");
    /* A later segment without those before it: what it holds has no place. */
    img = must_open(IMAGE_E01, &(struct image_part){dirs[0], "p.E01"}, 1);
    image_free(img);
    assert_refused(&(struct image_parts){.format = IMAGE_E01,
                                         .v = &(struct image_part){dirs[1], "p.E02"},
                                         .n = 1},
                   "holds segment 2");
}

/* A segment that was cut after it was closed is told, and what it holds is not trusted. */
static void
a_cut_segment(void **state)
{
    const struct image_part parts[] = {{dirs[0], "p.E01"}, {dirs[1], "p.E02"}};
    struct image *img;
    struct stat st;

    (void)state;
    assert_int_equal(stat("two/p.E02", &st), 0);
    assert_int_equal(truncate("two/p.E02", st.st_size - 100), 0);
    img = must_open(IMAGE_E01, parts, 2);
    assert_true(image_info(img)->n_findings > 0);
    assert_true(image_info(img)->findings[0].incomplete);
    assert_string_equal(image_info(img)->findings[0].segment, "p.E02");
    image_free(img);
    write_e01("two/p.E02", 2, 3, 3, "next");
}

/* Comes last: the limit cannot be raised again. Directories are then held instead of files, and
   names that are the same in both must not be mixed up. */
static void
more_parts_than_descriptors(void **state)
{
    struct rlimit r = {70, 70};
    char names[5][16];
    struct image_part parts[10];
    struct image *img;

    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        char *name = names[i / 2];
        char path[32];

        (void)snprintf(name, sizeof names[0], "same.%03zu", i / 2 + 1);
        (void)snprintf(path, sizeof path, "%s/%s", i % 2 ? "two" : "one", name);
        write_raw(path, i * CHUNK, CHUNK);
        parts[i] = (struct image_part){dirs[i % 2], name};
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
    img = must_open(IMAGE_RAW, parts, COUNT(parts));
    assert_held(img, MEDIA);
    image_free(img);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unfinished_e01),
        cmocka_unit_test(unfinished_raw),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_cut_segment),
        cmocka_unit_test(more_parts_than_descriptors),
    };

    return cmocka_run_group_tests(tests, setup, scratch_leave);
}
