#include "tests/lib/unit.h"

#include "acquire/job/job.h"
#include "common/json.h"

static struct job
sample(void)
{
    static char name[] = "EV-01";
    static char case_number[] = "2026-017";
    static char examiner[] = "J\xff. D\u00f6e\n";
    static char serial[] = "S \"42\" \\";
    struct job job = {
        .name = name,
        .offset = 4096,
        .length = UINT64_C(8) << 40,
        .sector_size = 4096,
        .e01 = true,
        .sectors_per_chunk = 32,
        .segment_size = UINT64_C(2) << 30,
        .compression = COMPRESSION_BEST,
        .piecewise = UINT64_C(1) << 30,
        .retries = 7,
        .threads = 3,
        .lenient = true,
        .physical = true,
        .date = 1767225600,
        .case_number = case_number,
        .examiner = examiner,
        .serial = serial,
    };

    return job;
}

static void
every_field_travels(void **state)
{
    static char md5[] = "md5";
    static char sha256[] = "sha256";
    struct job in = sample();
    struct err err = ERR_INIT;
    struct job out;
    json_t *v;

    (void)state;
    in.hashes[in.n_hashes++] = md5;
    in.hashes[in.n_hashes++] = sha256;
    v = job_to_json(&in);
    if (job_from_json(v, &out, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(v);
    assert_string_equal(out.name, "EV-01");
    assert_string_equal(out.copy_name, ""); /* NULL comes as "" */
    assert_int_equal(out.offset, in.offset);
    assert_int_equal(out.length, in.length);
    assert_int_equal(out.sector_size, in.sector_size);
    assert_true(out.e01);
    assert_int_equal(out.sectors_per_chunk, in.sectors_per_chunk);
    assert_int_equal(out.segment_size, in.segment_size);
    assert_int_equal(out.compression, COMPRESSION_BEST);
    assert_int_equal(out.piecewise, in.piecewise);
    assert_int_equal(out.retries, 7);
    assert_int_equal(out.threads, 3);
    assert_true(out.lenient);
    assert_true(out.physical);
    assert_false(out.removable);
    assert_int_equal(out.date, in.date);
    assert_string_equal(out.case_number, "2026-017");
    assert_string_equal(out.examiner, in.examiner); /* byte for byte */
    assert_string_equal(out.serial, in.serial);
    assert_string_equal(out.notes, "");
    assert_int_equal(out.n_hashes, 2);
    assert_string_equal(out.hashes[1], "sha256");
    job_clear(&out);
    job_clear(&out); /* twice is fine */
}

/* The sample with one field replaced; NULL takes it away. */
static void
assert_refused(const char *key, json_t *value)
{
    struct job in = sample();
    struct err err = ERR_INIT;
    json_t *v = job_to_json(&in);
    struct job out;

    if (value)
        (void)json_object_set_new(v, key, value);
    else
        (void)json_object_del(v, key);
    if (job_from_json(v, &out, &err) != -1)
        fail_msg("a job with another '%s' was taken", key);
    assert_int_equal(err.outcome, OUTCOME_FAILED);
    job_clear(&out);
    json_decref(v);
}

static void
what_does_not_hold_together_is_refused(void **state)
{
    static const char *const needed[] = {"name",        "copy_name", "offset",  "length",
                                         "sector_size", "threads",   "retries", "serial"};
    json_t *many = json_array();

    (void)state;
    for (size_t i = 0; i < COUNT(needed); i++) {
        assert_refused(needed[i], NULL);
        assert_refused(needed[i], json_null());
        assert_refused(needed[i], json_array());
    }
    assert_refused("name", json_string(""));
    assert_refused("name", json_string("a/b"));
    assert_refused("copy_name", json_string("../x"));
    assert_refused("length", json_integer(0));
    assert_refused("length", json_integer(-1));
    assert_refused("length", json_real(5));
    assert_refused("offset", json_integer(INT64_MAX));
    assert_refused("sector_size", json_integer(0));
    assert_refused("sector_size", json_integer(256));
    assert_refused("sector_size", json_integer(520));
    assert_refused("sector_size", json_integer(65536));
    assert_refused("sector_size", json_integer(INT64_C(1) << 33));
    assert_refused("threads", json_integer(0));
    assert_refused("threads", json_integer(65));
    assert_refused("compression", json_integer(COMPRESSION_BEST + 1));
    assert_refused("segment_size", json_integer(0));
    /* Chunks that do not divide a block of the pipeline would shift all that follow. */
    assert_refused("sectors_per_chunk", json_integer(0));
    assert_refused("sectors_per_chunk", json_integer(3));
    assert_refused("sectors_per_chunk", json_integer(512));
    assert_refused("sectors_per_chunk", json_integer(UINT32_MAX));
    for (int i = 0; i <= JOB_HASHES_MAX; i++)
        (void)json_array_append_new(many, json_string("md5"));
    assert_refused("hashes", many);
    many = json_array();
    (void)json_array_append_new(many, json_integer(1));
    assert_refused("hashes", many);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_travels),
        cmocka_unit_test(what_does_not_hold_together_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
