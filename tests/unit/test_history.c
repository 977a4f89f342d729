#include "tests/lib/unit.h"

#include "acquire/front/history.h"

#define BEGIN                                                                                      \
    "{\"type\":\"begin\",\"schema\":\"exhibit.journal/1\",\"started\":7,\"length\":4096,"          \
    "\"destinations\":1,\"cwd\":\"/\",\"argv\":[{\"arg\":\"a\"},{\"arg\":\"s\"},{\"arg\":\"d\"}]}"
#define SEGMENT(offset)                                                                            \
    "{\"type\":\"segment\",\"sink\":0,\"file\":\"d.00\",\"size\":1024,\"media_offset\":" #offset   \
    ",\"media_length\":1024,\"md5\":\"\",\"sha256\":\"\"}"
#define RESUMED(at, kept, durable)                                                                 \
    "{\"type\":\"resumed\",\"at\":" #at ",\"entry\":{},\"kept\":[{\"segments\":" #kept             \
    ",\"durable\":" #durable "}]}"

static int
take_all(struct history *h, const char *const *lines, size_t n)
{
    struct err err = ERR_INIT;
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        json_t *v = json_loads(lines[i], 0, NULL);

        assert_non_null(v);
        r = history_take(h, v, i + 1, &err);
        json_decref(v);
    }
    return r;
}

static void
test_whole(void **state)
{
    static const char *const lines[] = {
        BEGIN,
        SEGMENT(0),
        "{\"type\":\"unreadable\",\"offset\":512,\"length\":512,\"errno\":5}",
        SEGMENT(1024),
        "{\"type\":\"durable\",\"sink\":0,\"media\":3000}",
        "{\"type\":\"unreadable\",\"offset\":3072,\"length\":512,\"errno\":5}",
        "{\"type\":\"ended\",\"time\":9,\"at\":3500,\"reason\":\"no space\"}",
    };
    static const char *const more[] = {RESUMED(2048, 1, 1024)};
    struct history h = {0};
    struct err err = ERR_INIT;
    json_t *v;

    (void)state;
    assert_int_equal(take_all(&h, lines, COUNT(lines)), 0);
    assert_int_equal(h.argc, 3);
    assert_int_equal(h.started, 7);
    assert_int_equal(h.sinks[0].n_segments, 2);
    assert_int_equal(h.sinks[0].durable, 3000);
    assert_int_equal(h.unreadable.n, 2);
    assert_int_equal(h.end.time, 9);
    assert_string_equal(h.end.reason, "no space");
    /* What the next run has thrown away is promised no more. */
    v = json_loads(more[0], 0, NULL);
    assert_int_equal(history_take(&h, v, 8, &err), 0);
    json_decref(v);
    assert_int_equal(h.sinks[0].n_segments, 1);
    assert_int_equal(h.sinks[0].durable, 1024);
    assert_int_equal(h.unreadable.n, 1);
    assert_int_equal(h.end.time, -1);
    assert_null(h.end.reason);
    assert_int_equal(json_array_size(h.resumed), 1);
    history_clear(&h);
}

/* Further segments lie where the last directory line says. */
static void
test_directories(void **state)
{
    static const char *const lines[] = {
        BEGIN,
        SEGMENT(0),
        "{\"type\":\"directory\",\"path\":\"/mnt/b\"}",
        SEGMENT(1024),
        "{\"type\":\"directory\",\"path\":\"/mnt/c\"}",
        SEGMENT(2048),
        "{\"type\":\"directory\",\"path\":\"/mnt/b\"}",
        "{\"type\":\"moving\",\"place\":2,\"files\":[]}",
    };
    struct history h = {0};

    (void)state;
    assert_int_equal(take_all(&h, lines, COUNT(lines)), 0);
    assert_int_equal(h.n_directories, 2);
    assert_int_equal(h.sinks[0].places[0], 0);
    assert_int_equal(h.sinks[0].places[1], 1);
    assert_int_equal(h.sinks[0].places[2], 2);
    assert_int_equal(h.sinks[0].place, 1);
    assert_non_null(h.moving[2]);
    history_clear(&h);
}

/* Each of these after a beginning is refused. */
static void
test_wrong(void **state)
{
    static const char *const wrong[] = {
        BEGIN,
        "{}",
        "{\"type\":\"none\"}",
        SEGMENT(512),
        SEGMENT(4096),
        "{\"type\":\"unreadable\",\"offset\":4096,\"length\":1,\"errno\":5}",
        "{\"type\":\"unreadable\",\"offset\":9223372036854775807,\"length\":2,\"errno\":5}",
        "{\"type\":\"unreadable\",\"offset\":0,\"length\":0,\"errno\":5}",
        "{\"type\":\"durable\",\"sink\":1,\"media\":1}",
        "{\"type\":\"durable\",\"sink\":0,\"media\":4097}",
        "{\"type\":\"segment\",\"sink\":0,\"file\":\"../d\",\"size\":1,\"media_offset\":0,"
        "\"media_length\":1,\"md5\":\"\",\"sha256\":\"\"}",
        "{\"type\":\"segment\",\"sink\":0,\"file\":\"d\",\"size\":1,\"media_offset\":0,"
        "\"media_length\":1,\"md5\":\"00\",\"sha256\":\"\"}",
        RESUMED(0, 1, 0),
        RESUMED(4097, 0, 0),
        RESUMED(0, 0, 4097),
        "{\"type\":\"resumed\",\"at\":0,\"kept\":[]}",
        "{\"type\":\"directory\",\"path\":\"b\"}",
        "{\"type\":\"moving\",\"place\":1,\"files\":[]}",
        "{\"type\":\"ended\",\"time\":1}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char *lines[] = {BEGIN, wrong[i]};
        struct history h = {0};

        if (take_all(&h, lines, 2) == 0)
            fail_msg("taken: %s", wrong[i]);
        history_clear(&h);
        if (strcmp(wrong[i], BEGIN) != 0 && take_all(&h, &lines[1], 1) == 0)
            fail_msg("taken first: %s", wrong[i]);
        history_clear(&h);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_wrong),
    };

    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
