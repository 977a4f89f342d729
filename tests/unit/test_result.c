#include "tests/lib/unit.h"

#include "acquire/front/result.h"
#include "common/json.h"

#define LENGTH UINT64_C(1048576)
#define MD5 "0123456789abcdef0123456789abcdef"
#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct result
fresh(void)
{
    struct result r = {.length = LENGTH, .n_sinks = 2};

    r.sinks[0].name = "EV-01";
    r.sinks[1].name = "COPY";
    return r;
}

struct heard {
    struct result_news news;
    struct err err;
};

static int
say(struct result *r, const char *text, struct heard *h)
{
    json_t *m = json_loads(text, 0, NULL);
    int result;

    if (!m)
        fail_msg("the test's message is no JSON: %s", text);
    *h = (struct heard){.err = ERR_INIT};
    result = result_take(r, m, &h->news, &h->err);
    json_decref(m);
    return result;
}

static void
must_take(struct result *r, const char *text, enum result_event event)
{
    struct heard h;

    if (say(r, text, &h) != 0)
        fail_msg("%s: %s", text, h.err.text);
    assert_int_equal(h.news.event, event);
}

static void
a_whole_job(void **state)
{
    struct result r = fresh();
    struct heard h;

    (void)state;
    must_take(&r,
              "{\"type\":\"ready\",\"no_new_privs\":true,\"seccomp\":true,\"direct\":true,"
              "\"landlock_abi\":4,\"uid\":1000,\"missing\":\"\",\"libraries\":{\"openssl\":\"3\"}}",
              RESULT_READY);
    assert_true(r.ready && r.no_new_privs && r.seccomp && r.direct);
    assert_int_equal(r.landlock_abi, 4);
    assert_int_equal(r.uid, 1000);
    assert_string_equal(r.sandbox_missing, "");
    must_take(&r, "{\"type\":\"progress\",\"done\":4096}", RESULT_NOTED);
    assert_int_equal(r.bytes_done, 4096);
    assert_int_equal(
        say(&r, "{\"type\":\"unreadable\",\"offset\":512,\"length\":512,\"errno\":5}", &h), 0);
    assert_int_equal(h.news.event, RESULT_UNREADABLE);
    assert_int_equal(h.news.range.offset, 512);
    assert_int_equal(h.news.range.length, 512);
    assert_int_equal(h.news.sys, 5);
    assert_int_equal(ranges_total(&r.unreadable), 512);
    must_take(&r, "{\"type\":\"finishing\"}", RESULT_FINISHING);
    must_take(&r, "{\"type\":\"sink-failed\",\"sink\":1,\"text\":\"no space\"}",
              RESULT_SINK_FAILED);
    assert_true(r.sinks[1].failed);
    assert_string_equal(r.sinks[1].error, "no space");
    must_take(&r,
              "{\"type\":\"segment\",\"sink\":0,\"file\":\"EV-01.E01\",\"size\":99,"
              "\"md5\":\"" MD5 "\",\"sha256\":\"" SHA256 "\",\"media_offset\":0,"
              "\"media_length\":1048576}",
              RESULT_SEGMENT);
    assert_int_equal(r.sinks[0].n_segments, 1);
    assert_string_equal(r.sinks[0].segments[0].file, "EV-01.E01");
    assert_string_equal(r.sinks[0].segments[0].sha256, SHA256);
    must_take(
        &r, "{\"type\":\"piece\",\"offset\":0,\"length\":1048576,\"hashes\":{\"md5\":\"" MD5 "\"}}",
        RESULT_NOTED);
    assert_int_equal(r.n_pieces, 1);
    must_take(&r, "{\"type\":\"hashes\",\"hashes\":{\"md5\":\"" MD5 "\"}}", RESULT_NOTED);
    assert_string_equal(manifest_hash_find(&r.hashes, "md5"), MD5);
    must_take(&r, "{\"type\":\"done\"}", RESULT_NOTED);
    assert_true(r.done);
    assert_false(r.failed);
    result_clear(&r);
}

static void
errors_are_taken_over(void **state)
{
    struct result r = fresh();

    (void)state;
    must_take(&r, "{\"type\":\"error\",\"outcome\":4,\"errno\":28,\"text\":\"full: %s%n\"}",
              RESULT_NOTED);
    assert_true(r.failed);
    assert_int_equal(r.err.outcome, OUTCOME_INTERRUPTED);
    assert_int_equal(r.err.sys, 28);
    assert_string_equal(r.err.text, "full: %s%n");
    /* A worker cannot claim success, or what only the front can know. */
    must_take(&r, "{\"type\":\"error\",\"outcome\":0,\"errno\":0,\"text\":\"x\"}", RESULT_NOTED);
    assert_int_equal(r.err.outcome, OUTCOME_FAILED);
    must_take(&r, "{\"type\":\"error\",\"outcome\":5,\"errno\":0,\"text\":\"x\"}", RESULT_NOTED);
    assert_int_equal(r.err.outcome, OUTCOME_REFUSED);
    must_take(&r, "{\"type\":\"error\",\"outcome\":3,\"errno\":0,\"text\":\"x\"}", RESULT_NOTED);
    assert_int_equal(r.err.outcome, OUTCOME_FAILED);
    result_clear(&r);
}

#define SEGMENT(sink, file, size, md5, sha256, offset, length)                                     \
    "{\"type\":\"segment\",\"sink\":" sink ",\"file\":" file ",\"size\":" size ",\"md5\":" md5     \
    ",\"sha256\":" sha256 ",\"media_offset\":" offset ",\"media_length\":" length "}"
#define Q(s) "\"" s "\""
#define GOOD_FILE Q("EV-01.E01")

static const char *const hostile[] = {
    /* no message that there is */
    "{}",
    "{\"type\":1}",
    "{\"type\":\"\"}",
    "{\"type\":\"stop\"}",
    "{\"type\":\"READY\"}",
    /* fields missing or of another kind */
    "{\"type\":\"ready\"}",
    "{\"type\":\"ready\",\"landlock_abi\":-1,\"uid\":0}",
    "{\"type\":\"progress\"}",
    "{\"type\":\"progress\",\"done\":-1}",
    "{\"type\":\"progress\",\"done\":\"1\"}",
    "{\"type\":\"progress\",\"done\":1048577}",
    "{\"type\":\"progress\",\"done\":9223372036854775807}",
    "{\"type\":\"error\",\"outcome\":1,\"errno\":0}",
    "{\"type\":\"error\",\"outcome\":1,\"text\":\"x\"}",
    "{\"type\":\"error\",\"outcome\":-1,\"errno\":0,\"text\":\"x\"}",
    "{\"type\":\"sink-failed\",\"sink\":0}",
    "{\"type\":\"sink-failed\",\"sink\":2,\"text\":\"x\"}",
    "{\"type\":\"sink-failed\",\"sink\":-1,\"text\":\"x\"}",
    "{\"type\":\"sink-failed\",\"text\":\"x\"}",
    /* ranges outside the image, or none */
    "{\"type\":\"unreadable\",\"offset\":0,\"length\":0,\"errno\":5}",
    "{\"type\":\"unreadable\",\"offset\":1048576,\"length\":1,\"errno\":5}",
    "{\"type\":\"unreadable\",\"offset\":0,\"length\":1048577,\"errno\":5}",
    "{\"type\":\"unreadable\",\"offset\":9223372036854775807,\"length\":9223372036854775807,"
    "\"errno\":5}",
    "{\"type\":\"unreadable\",\"offset\":-512,\"length\":512,\"errno\":5}",
    "{\"type\":\"unreadable\",\"offset\":0,\"length\":512}",
    /* segments */
    SEGMENT("2", GOOD_FILE, "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", GOOD_FILE, "-9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", GOOD_FILE, "9", Q(MD5), Q(SHA256), "0", "0"),
    SEGMENT("0", GOOD_FILE, "9", Q(MD5), Q(SHA256), "0", "1048577"),
    SEGMENT("0", GOOD_FILE, "9", Q(MD5), Q(SHA256), "512", "512"), /* the first begins at 0 */
    SEGMENT("0", GOOD_FILE, "9", Q(MD5), Q(MD5), "0", "512"),
    SEGMENT("0", GOOD_FILE, "9", Q(""), Q(SHA256), "0", "512"),
    SEGMENT("0", GOOD_FILE, "9", "null", Q(SHA256), "0", "512"),
    SEGMENT("0", GOOD_FILE, "9", Q("0123456789ABCDEF0123456789ABCDEF"), Q(SHA256), "0", "512"),
    SEGMENT("0", GOOD_FILE, "9", Q("0123456789abcdef\\n  /etc/passwd xy"), Q(SHA256), "0", "512"),
    SEGMENT("0", GOOD_FILE, "9", Q("0123456789abcdef0123456789abcdeg"), Q(SHA256), "0", "512"),
    SEGMENT("0", "null", "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q(""), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-02.E01"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("COPY.E01"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-01"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-01."), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-011.E01"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-01/../../x"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-01.E02"), "9", Q(MD5), Q(SHA256), "0", "512"), /* the first is E01 */
    SEGMENT("0", Q("EV-01.002"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-01.log"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-01.manifest.json"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-01.E01\\nEV-01.E02"), "9", Q(MD5), Q(SHA256), "0", "512"),
    SEGMENT("0", Q("EV-01.\\u001b[2J"), "9", Q(MD5), Q(SHA256), "0", "512"),
    /* the exact bytes beside a text decide, so they are looked at as well: "EV-01/../x" */
    "{\"type\":\"segment\",\"sink\":0,\"file\":\"EV-01.E01\","
    "\"file_base64\":\"RVYtMDEvLi4veA==\",\"size\":9,\"md5\":\"" MD5 "\",\"sha256\":\"" SHA256
    "\",\"media_offset\":0,\"media_length\":512}",
    /* hashes */
    "{\"type\":\"hashes\",\"hashes\":{\"md5\":\"00\"}}",
    "{\"type\":\"hashes\",\"hashes\":{\"md5\":1}}",
    "{\"type\":\"hashes\",\"hashes\":{\"nonsense\":\"\"}}",
    "{\"type\":\"hashes\",\"hashes\":{\"\":\"\"}}",
    "{\"type\":\"hashes\",\"hashes\":{\"md5\":\"zz23456789abcdef0123456789abcdef\"}}",
    "{\"type\":\"hashes\",\"hashes\":{\"md5\":\"" MD5 "\",\"sha256\":\"" MD5 "\"}}",
    "{\"type\":\"hashes\"}",
    "{\"type\":\"hashes\",\"hashes\":[]}",
    /* pieces */
    "{\"type\":\"piece\",\"offset\":0,\"length\":1048577,\"hashes\":{\"md5\":\"" MD5 "\"}}",
    "{\"type\":\"piece\",\"offset\":512,\"length\":512,\"hashes\":{\"md5\":\"" MD5 "\"}}",
    "{\"type\":\"piece\",\"offset\":0,\"length\":512}",
    "{\"type\":\"piece\",\"offset\":0,\"length\":512,\"hashes\":{\"md5\":\"" MD5
    "\",\"sha256\":\"\"}}",
};

static void
hostile_messages_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct result r = fresh();
        struct heard h;

        if (say(&r, hostile[i], &h) == 0)
            fail_msg("was taken: %s", hostile[i]);
        assert_int_equal(h.err.outcome, OUTCOME_FAILED);
        assert_true(h.err.text[0] != '\0');
        assert_int_equal(r.sinks[0].n_segments, 0);
        assert_int_equal(r.n_pieces, 0);
        assert_int_equal(r.unreadable.n, 0);
        result_clear(&r);
    }
}

/* Segments and pieces follow each other; the hashes of the media are told once. */
static void
the_order_is_kept(void **state)
{
    struct result r = fresh();
    struct heard h;

    (void)state;
    must_take(&r, SEGMENT("0", GOOD_FILE, "9", Q(MD5), Q(SHA256), "0", "512"), RESULT_SEGMENT);
    assert_int_equal(say(&r, SEGMENT("0", GOOD_FILE, "9", Q(MD5), Q(SHA256), "0", "512"), &h), -1);
    assert_int_equal(
        say(&r, SEGMENT("0", Q("EV-01.E02"), "9", Q(MD5), Q(SHA256), "1024", "512"), &h), -1);
    must_take(&r, SEGMENT("0", Q("EV-01.E02"), "9", Q(MD5), Q(SHA256), "512", "512"),
              RESULT_SEGMENT);
    must_take(&r, SEGMENT("1", Q("COPY.001"), "9", Q(MD5), Q(SHA256), "0", "512"), RESULT_SEGMENT);
    assert_int_equal(r.sinks[0].n_segments, 2);
    assert_int_equal(r.sinks[1].n_segments, 1);
    must_take(&r, "{\"type\":\"piece\",\"offset\":0,\"length\":512,\"hashes\":{}}", RESULT_NOTED);
    assert_int_equal(say(&r, "{\"type\":\"piece\",\"offset\":0,\"length\":512,\"hashes\":{}}", &h),
                     -1);
    must_take(&r, "{\"type\":\"piece\",\"offset\":512,\"length\":512,\"hashes\":{}}", RESULT_NOTED);
    must_take(&r, "{\"type\":\"hashes\",\"hashes\":{\"md5\":\"" MD5 "\"}}", RESULT_NOTED);
    assert_int_equal(say(&r, "{\"type\":\"hashes\",\"hashes\":{\"md5\":\"" MD5 "\"}}", &h), -1);
    result_clear(&r);
}

/* Said twice, the last word counts and nothing leaks. */
static void
repeated_messages(void **state)
{
    static const char ready[] = "{\"type\":\"ready\",\"landlock_abi\":0,\"uid\":1,\"missing\":"
                                "\"no landlock\",\"libraries\":[1,2]}";
    struct result r = fresh();

    (void)state;
    must_take(&r, ready, RESULT_READY);
    must_take(&r, ready, RESULT_READY);
    assert_string_equal(r.sandbox_missing, "no landlock");
    must_take(&r, "{\"type\":\"sink-failed\",\"sink\":0,\"text\":\"a\"}", RESULT_SINK_FAILED);
    must_take(&r, "{\"type\":\"sink-failed\",\"sink\":0,\"text\":\"b\"}", RESULT_SINK_FAILED);
    assert_string_equal(r.sinks[0].error, "b");
    result_clear(&r);
}

#define RESUMED(at, kept)                                                                          \
    "{\"type\":\"resumed\",\"at\":" at ",\"discarded\":7,\"samples\":64,\"samples_lost\":1,"       \
    "\"kept\":[" kept "],\"durable\":[" at ",0]}"

static void
what_lies_beyond_the_point_is_told_anew(void **state)
{
    struct result r = fresh();
    struct heard h;

    (void)state;
    ranges_add(&r.unreadable, 512, 512);
    ranges_add(&r.unreadable, 4096, 8192);
    must_take(&r, RESUMED("8192", "3,1"), RESULT_RESUMED);
    assert_int_equal(r.resumed_at, 8192);
    assert_int_equal(r.discarded, 7);
    assert_int_equal(r.samples_lost, 1);
    assert_int_equal(r.sinks[0].kept, 3);
    assert_int_equal(r.sinks[1].kept, 1);
    assert_int_equal(r.sinks[0].durable, 8192);
    assert_int_equal(ranges_total(&r.unreadable), 512 + 4096);
    assert_int_equal(say(&r, RESUMED("8192", "3,1"), &h), -1); /* once */
    result_clear(&r);
    r = fresh();
    assert_int_equal(say(&r, RESUMED("1048577", "0,0"), &h), -1);
    result_clear(&r);
}

static void
what_is_durable_only_grows(void **state)
{
    struct result r = fresh();
    struct heard h;

    (void)state;
    must_take(&r, "{\"type\":\"durable\",\"sink\":1,\"media\":4096}", RESULT_DURABLE);
    must_take(&r, "{\"type\":\"durable\",\"sink\":1,\"media\":1048576}", RESULT_DURABLE);
    assert_int_equal(r.sinks[1].durable, LENGTH);
    assert_int_equal(r.sinks[0].durable, 0);
    assert_int_equal(say(&r, "{\"type\":\"durable\",\"sink\":1,\"media\":4096}", &h), -1);
    assert_int_equal(say(&r, "{\"type\":\"durable\",\"sink\":0,\"media\":1048577}", &h), -1);
    assert_int_equal(say(&r, "{\"type\":\"durable\",\"sink\":2,\"media\":0}", &h), -1);
    result_clear(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_beyond_the_point_is_told_anew),
        cmocka_unit_test(what_is_durable_only_grows),
        cmocka_unit_test(a_whole_job),
        cmocka_unit_test(errors_are_taken_over),
        cmocka_unit_test(hostile_messages_are_refused),
        cmocka_unit_test(the_order_is_kept),
        cmocka_unit_test(repeated_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
