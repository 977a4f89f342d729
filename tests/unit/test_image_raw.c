#include "tests/lib/unit.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "common/image.h"
#include "common/image_locate.h"
#include "common/json.h"
#include "common/text.h"

/* Writes n bytes that depend on their place in the media. */
static void
write_part(const char *path, uint64_t offset, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    for (size_t i = 0; i < n; i++)
        (void)fputc((int)((offset + i) * 31 % 251), f);
    assert_int_equal(fclose(f), 0);
}

static void
assert_media(struct image *img, uint64_t offset, size_t n)
{
    uint8_t *buf = xcalloc(1, n);
    struct err err = ERR_INIT;

    if (image_read(img, buf, n, offset, &err) != (ssize_t)n)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf[i], (offset + i) * 31 % 251);
    free(buf);
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
assert_refused(const char *path, const char *why)
{
    struct err err = ERR_INIT;

    assert_null(image_open(path, NULL, &err));
    assert_int_equal(err.outcome, OUTCOME_FAILED);
    if (!strstr(err.text, why))
        fail_msg("'%s' is not about '%s'", err.text, why);
}

static void
one_file(void **state)
{
    struct rng rng = rng_start("one_file");
    const size_t n = 3000001; /* no multiple of anything */
    struct image *img;

    (void)state;
    write_part("one.raw", 0, n);
    img = must_open("one.raw");
    assert_int_equal(image_info(img)->format, IMAGE_RAW);
    assert_int_equal(image_info(img)->media_size, n);
    assert_int_equal(image_info(img)->bytes_per_sector, 512);
    assert_media(img, 0, n);
    for (int i = 0; i < 100; i++) {
        uint64_t offset = rng_below(&rng, n);

        assert_media(img, offset, (size_t)rng_below(&rng, n - offset) + 1);
    }
    assert_int_equal(image_read(img, &rng, 1, n, &(struct err)ERR_INIT), 0);
    assert_int_equal(image_read(img, &rng, 8, n - 3, &(struct err)ERR_INIT), 3);
    image_free(img);
    image_free(NULL);
}

static void
split_files(void **state)
{
    static const char *const firsts[] = {"a.001", "b.000", "c.01", "d.0001"};

    (void)state;
    for (size_t i = 0; i < COUNT(firsts); i++) {
        char name[16];
        size_t at = strlen(firsts[i]) - 1;
        struct image *img;

        (void)snprintf(name, sizeof name, "%s", firsts[i]);
        write_part(name, 0, 700000);
        name[at]++;
        write_part(name, 700000, 700000);
        name[at]++;
        write_part(name, 1400000, 1);
        img = must_open(firsts[i]);
        assert_int_equal(image_info(img)->n_segments, 3);
        assert_int_equal(image_info(img)->media_size, 1400001);
        assert_media(img, 0, 1400001);
        assert_media(img, 699999, 2);
        image_free(img);
        assert_refused(name, "not the first");
    }
}

static void
numbers_grow_past_three_digits(void **state)
{
    struct image *img;

    (void)state;
    for (unsigned i = 1; i <= 1001; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "g.%03u", i);
        write_part(name, (i - 1) * UINT64_C(512), 512);
    }
    img = must_open("g.001");
    assert_int_equal(image_info(img)->n_segments, 1001);
    assert_media(img, 0, 1001 * 512);
    image_free(img);
}

static void
a_hole_in_the_numbers(void **state)
{
    struct image *img;
    struct err err = ERR_INIT;
    uint8_t byte;

    (void)state;
    write_part("h.001", 0, 2097152);
    write_part("h.003", 4194304, 100);
    img = must_open("h.001");
    assert_int_equal(image_info(img)->n_findings, 1);
    assert_true(image_info(img)->findings[0].incomplete);
    assert_int_equal(image_info(img)->findings[0].media.offset, 2097152);
    assert_int_equal(image_info(img)->media_size, 4194404);
    assert_media(img, 0, 2097152);
    assert_media(img, 4194304, 100);
    assert_int_equal(image_read(img, &byte, 1, 2097152, &err), -1);
    assert_int_equal(image_next_mapped(img, 2), 4);
    image_free(img);
}

static void
what_is_no_image(void **state)
{
    FILE *f = fopen("notes", "w");

    (void)state;
    assert_non_null(f);
    for (int i = 0; i < 128; i++)
        (void)fprintf(f, "%-15d\n", i); /* 2,048 bytes: four sectors of text */
    assert_int_equal(fclose(f), 0);
    assert_refused("notes", "text");
    write_part("odd", 0, 1000);
    assert_refused("odd", "sectors");
    write_part("fake.E01", 0, 1024);
    assert_refused("fake.E01", "signature");
    write_part("empty.raw", 0, 0);
    assert_refused("empty.raw", "empty");
    assert_int_equal(mkdir("dir.raw", 0700), 0);
    assert_refused("dir.raw", "directory");
    assert_refused("nothing.raw", "No such file");
    write_part("even", 0, 1024);
    image_free(must_open("even"));
}

static json_t *
segment_json(const char *file, uint64_t offset, uint64_t length)
{
    json_t *o = json_object();

    json_set_text(o, "file", file);
    json_set_u64(o, "size", length);
    json_set_u64(o, "media_offset", offset);
    json_set_u64(o, "media_length", length);
    json_set_text(o, "md5", "d41d8cd98f00b204e9800998ecf8427e");
    json_set_text(o, "sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    return o;
}

/* Two segments of 1,000,000 and `second` bytes. */
static void
write_manifest(const char *path, uint64_t second)
{
    json_t *root = json_pack(
        "{s:s, s:{s:s, s:I, s:i, s:[o, o]}, s:{s:{}}, s:{s:i, s:[]}}", "schema", MANIFEST_SCHEMA,
        "image", "format", "raw", "media_size", (json_int_t)(1000000 + second), "bytes_per_sector",
        512, "segments", segment_json("s.001", 0, 1000000), segment_json("s.002", 1000000, second),
        "media", "hashes", "unreadable", "sectors", 0, "ranges");

    assert_non_null(root);
    assert_int_equal(json_dump_file(root, path, 0), 0);
    json_decref(root);
}

static void
a_manifest_names_the_segments(void **state)
{
    struct image_location location;
    struct image_options options = {0};
    struct err err = ERR_INIT;
    struct image *img;
    uint8_t byte;

    (void)state;
    write_part("s.001", 0, 1000000);
    write_part("s.002", 1000000, 400000);
    write_part("s.003", 1400000, 10); /* not in the manifest */
    write_manifest("s.manifest.json", 500000);
    assert_int_equal(image_locate("s.001", &location, &err), 0);
    assert_true(location.found_beside);
    assert_string_equal(location.stem, "s");
    assert_string_equal(location.path, "s.manifest.json");
    options.manifest = location.manifest;
    img = image_open(location.path, &options, &err);
    assert_non_null(img);
    assert_int_equal(image_info(img)->media_size, 1500000);
    assert_int_equal(image_info(img)->n_segments, 2);
    assert_int_equal(image_info(img)->n_findings, 2); /* cut off; one file too many */
    assert_int_equal(image_info(img)->findings[0].media.offset, 1400000);
    assert_int_equal(image_info(img)->findings[0].media.length, 100000);
    assert_media(img, 900000, 148576);
    assert_int_equal(image_read(img, &byte, 1, 1450000, &err), -1);
    image_free(img);
    image_location_free(&location);
}

/* 2^62 bytes that no file holds cost nothing. */
static void
promised_media_is_skipped(void **state)
{
    struct image_location location;
    struct image_options options = {0};
    struct err err = ERR_INIT;
    struct image *img;

    (void)state;
    assert_int_equal(remove("s.003"), 0);
    write_manifest("s.manifest.json", UINT64_C(1) << 62);
    assert_int_equal(image_locate("./s.manifest.json", &location, &err), 0);
    assert_false(location.found_beside);
    options.manifest = location.manifest;
    img = image_open(location.path, &options, &err);
    assert_non_null(img);
    assert_int_equal(image_next_mapped(img, 0), 0);
    assert_int_equal(image_next_mapped(img, 2), image_info(img)->chunk_count);
    image_free(img);
    image_location_free(&location);
}

static void
manifests_that_do_not_fit(void **state)
{
    struct image_location location;
    struct err err = ERR_INIT;
    FILE *f;

    (void)state;
    /* Beside another file of the same stem. */
    write_part("s.raw", 0, 512);
    assert_int_equal(image_locate("s.raw", &location, &err), 0);
    assert_null(location.manifest);
    assert_non_null(location.problem);
    image_location_free(&location);

    f = fopen("s.manifest.json", "w");
    assert_non_null(f);
    (void)fputs("{ \"schema\": 1", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(image_locate("s.001", &location, &err), 0);
    assert_null(location.manifest);
    assert_non_null(location.problem);
    assert_string_equal(location.path, "s.001");
    image_location_free(&location);
    /* Named itself, it still does not hide the image of its name. */
    assert_int_equal(image_locate("s.manifest.json", &location, &err), 0);
    assert_non_null(location.problem);
    assert_string_equal(location.path, "s.001");
    image_location_free(&location);
    assert_int_equal(rename("s.manifest.json", "alone.manifest.json"), 0);
    assert_int_equal(image_locate("alone.manifest.json", &location, &err), -1);
}

/* Comes last: the limit cannot be raised again. */
static void
more_segments_than_descriptors(void **state)
{
    struct rlimit r = {80, 80};
    struct image *img;

    (void)state;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
    img = must_open("g.001");
    assert_int_equal(image_info(img)->n_segments, 1001);
    assert_media(img, 0, 1001 * 512);
    image_free(img);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file),
        cmocka_unit_test(split_files),
        cmocka_unit_test(numbers_grow_past_three_digits),
        cmocka_unit_test(a_hole_in_the_numbers),
        cmocka_unit_test(what_is_no_image),
        cmocka_unit_test(a_manifest_names_the_segments),
        cmocka_unit_test(promised_media_is_skipped),
        cmocka_unit_test(manifests_that_do_not_fit),
        cmocka_unit_test(more_segments_than_descriptors),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
