#include "tests/lib/unit.h"

#include "common/json.h"
#include "common/manifest.h"

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* A manifest as an acquisition writes it, of the parts that are read back. */
static const char good[] =
    "{ 'schema': 'exhibit.manifest/1',"
    "  'image': { 'format': 'e01', 'media_size': 3000, 'bytes_per_sector': 512,"
    "    'sectors_per_chunk': 64, 'segments': ["
    "    { 'file': 'EV.E01', 'size': 900, 'md5': '" MD5 "', 'sha256': '" SHA256 "',"
    "      'media_offset': 0, 'media_length': 2000 },"
    "    { 'file': 'EV.E02', 'directory': '/mnt/second', 'size': 800, 'md5': '" MD5 "',"
    "      'sha256': '" SHA256 "', 'media_offset': 2000, 'media_length': 1000 } ] },"
    "  'media': { 'hashes': { 'md5': '" MD5 "', 'sha256': '" SHA256 "' },"
    "    'piecewise': [ { 'offset': 0, 'length': 3000, 'md5': '" MD5 "' } ] },"
    "  'unreadable': { 'sectors': 1, 'fill': 'zero',"
    "    'ranges': [ { 'offset': 512, 'length': 512 } ] } }";

static json_t *
document(const char *text)
{
    char *copy = strdup(text);
    json_error_t why;
    json_t *v;

    assert_non_null(copy);
    for (char *p = copy; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    v = json_loads(copy, 0, &why);
    if (!v)
        fail_msg("%s", why.text);
    free(copy);
    return v;
}

static void
a_good_one(void **state)
{
    struct err err = ERR_INIT;
    struct manifest *m = manifest_from_json(document(good), &err);

    (void)state;
    if (!m)
        fail_msg("%s", err.text);
    assert_string_equal(m->format, "e01");
    assert_int_equal(m->media_size, 3000);
    assert_int_equal(m->bytes_per_sector, 512);
    assert_int_equal(m->sectors_per_chunk, 64);
    assert_int_equal(m->n_segments, 2);
    assert_string_equal(m->segments[0].file, "EV.E01");
    assert_null(m->segments[0].directory);
    assert_string_equal(m->segments[1].directory, "/mnt/second");
    assert_int_equal(m->segments[1].media_offset, 2000);
    assert_string_equal(m->segments[1].sha256, SHA256);
    assert_int_equal(m->media_hashes.n, 2);
    assert_string_equal(manifest_hash_find(&m->media_hashes, "md5"), MD5);
    assert_null(manifest_hash_find(&m->media_hashes, "sha1"));
    assert_int_equal(m->n_pieces, 1);
    assert_int_equal(m->pieces[0].length, 3000);
    assert_int_equal(m->pieces[0].hashes.n, 1);
    assert_int_equal(m->unreadable.n, 1);
    manifest_free(m);
    manifest_free(NULL);
}

/* Goes to the parent of the last step of a path such as "image/segments/0/file". */
static json_t *
parent_of(json_t *root, char *path, char **last)
{
    char *save = NULL;
    char *step = strtok_r(path, "/", &save);
    json_t *at = root;

    for (char *next = strtok_r(NULL, "/", &save); next; next = strtok_r(NULL, "/", &save)) {
        at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(step, NULL, 10))
                               : json_object_get(at, step);
        step = next;
    }
    *last = step;
    return at;
}

/* Each alone makes the good one unusable. The value is JSON; NULL takes the field away. */
static const struct {
    const char *path;
    const char *value;
} spoils[] = {
    {"schema", NULL},
    {"schema", "1"},
    {"schema", "'exhibit.manifest/2'"},
    {"image", NULL},
    {"image", "[]"},
    {"image/format", NULL},
    {"image/format", "'aff'"},
    {"image/media_size", "-1"},
    {"image/media_size", "2999"},
    {"image/media_size", "3001"},
    {"image/media_size", "'3000'"},
    {"image/media_size", "3000.0"},
    {"image/bytes_per_sector", "0"},
    {"image/bytes_per_sector", "4294967296"},
    {"image/sectors_per_chunk", NULL},
    {"image/sectors_per_chunk", "4294967296"},
    {"image/segments", NULL},
    {"image/segments", "[]"},
    {"image/segments", "{}"},
    {"image/segments/0", "1"},
    {"image/segments/0/file", NULL},
    {"image/segments/0/file", "''"},
    {"image/segments/0/file", "'.'"},
    {"image/segments/0/file", "'..'"},
    {"image/segments/0/file", "'../EV.E01'"},
    {"image/segments/0/file", "'/etc/shadow'"},
    {"image/segments/0/file", "7"},
    {"image/segments/0/file_base64", "'Li4vLi4vZXRjL3NoYWRvdw=='"}, /* ../../etc/shadow */
    {"image/segments/0/size", NULL},
    {"image/segments/0/size", "-900"},
    {"image/segments/0/md5", NULL},
    {"image/segments/0/md5", "''"},
    {"image/segments/0/md5", "'d41d8cd98f00b204'"},
    {"image/segments/0/md5", "'z41d8cd98f00b204e9800998ecf8427e'"},
    {"image/segments/0/sha256", "'" MD5 "'"},
    {"image/segments/0/media_offset", "1"},
    {"image/segments/0/media_length", "9223372036854775807"},
    {"image/segments/1/media_offset", "1999"},
    {"image/segments/1/media_length", "999"},
    {"image/segments/1/directory", "'second'"},
    {"image/segments/1/directory", "5"},
    {"media", NULL},
    {"media/hashes", NULL},
    {"media/hashes", "[]"},
    {"media/hashes/md5", "1"},
    {"media/hashes/md5", "'" SHA256 "'"},
    {"media/hashes/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "'00'"},
    {"media/piecewise", "{}"},
    {"media/piecewise/0", "5"},
    {"media/piecewise/0/length", "0"},
    {"media/piecewise/0/length", "3001"},
    {"media/piecewise/0/offset", "3001"},
    {"media/piecewise/0/offset", "9223372036854775807"},
    {"media/piecewise/0/md5", "'00'"},
    {"unreadable", NULL},
    {"unreadable/ranges", "5"},
    {"unreadable/ranges/0", "[]"},
    {"unreadable/ranges/0/offset", "3000"},
    {"unreadable/ranges/0/length", "9223372036854775807"},
};

static void
hostile_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(spoils); i++) {
        json_t *root = document(good);
        char path[128];
        char *last;
        json_t *parent;
        struct manifest *m;
        struct err err = ERR_INIT;

        (void)snprintf(path, sizeof path, "%s", spoils[i].path);
        parent = parent_of(root, path, &last);
        if (!spoils[i].value) {
            (void)json_object_del(parent, last);
        } else {
            char wrapped[256];
            json_t *v;

            (void)snprintf(wrapped, sizeof wrapped, "[%s]", spoils[i].value);
            v = document(wrapped);
            if (json_is_array(parent))
                (void)json_array_set(parent, (size_t)strtoul(last, NULL, 10), json_array_get(v, 0));
            else
                (void)json_object_set(parent, last, json_array_get(v, 0));
            json_decref(v);
        }
        m = manifest_from_json(root, &err);
        if (m)
            fail_msg("taken: %s = %s", spoils[i].path, spoils[i].value ? spoils[i].value : "none");
        assert_int_equal(err.outcome, OUTCOME_FAILED);
        assert_true(strlen(err.text) > 0);
    }
}

static void
raw_needs_no_chunks(void **state)
{
    json_t *root = document(good);
    json_t *image = json_object_get(root, "image");
    struct err err = ERR_INIT;
    struct manifest *m;

    (void)state;
    (void)json_object_set_new(image, "format", json_string("raw"));
    (void)json_object_del(image, "sectors_per_chunk");
    (void)json_object_del(json_object_get(root, "media"), "piecewise");
    m = manifest_from_json(root, &err);
    if (!m)
        fail_msg("%s", err.text);
    assert_int_equal(m->n_pieces, 0);
    manifest_free(m);
}

/* Other spellings of a hash are brought to the one that comparisons are made in. */
static void
hashes_are_lower_case(void **state)
{
    json_t *root = document(good);
    json_t *hashes = json_object_get(json_object_get(root, "media"), "hashes");
    struct err err = ERR_INIT;
    struct manifest *m;

    (void)state;
    (void)json_object_set_new(hashes, "md5", json_string("D41D8CD98F00B204E9800998ECF8427E"));
    m = manifest_from_json(root, &err);
    if (!m)
        fail_msg("%s", err.text);
    assert_string_equal(manifest_hash_find(&m->media_hashes, "md5"), MD5);
    manifest_free(m);
}

static void
hash_lists(void **state)
{
    struct manifest_hashes hashes = {0};
    json_t *v;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "h%d", i);
        manifest_hash_add(&hashes, name, MD5);
    }
    assert_string_equal(manifest_hash_find(&hashes, "h99"), MD5);
    v = manifest_hashes_json(&hashes);
    assert_int_equal(json_object_size(v), 100);
    json_decref(v);
    manifest_hashes_free(&hashes);
    assert_int_equal(hashes.n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one),          cmocka_unit_test(hostile_ones),
        cmocka_unit_test(raw_needs_no_chunks), cmocka_unit_test(hashes_are_lower_case),
        cmocka_unit_test(hash_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
