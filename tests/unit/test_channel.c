#include "tests/lib/unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "acquire/job/channel.h"
#include "common/json.h"
#include "common/text.h"
#include "tests/lib/socket_ends.h"

static void
a_message_arrives_as_it_was_sent(void **state)
{
    struct err err = ERR_INIT;
    json_t *m = json_object();
    bool end = true;
    json_t *got;

    (void)state;
    json_set_text(m, "type", "unreadable");
    json_set_u64(m, "offset", INT64_MAX);
    json_set_text(m, "path", "a\xff\x01");
    json_incref(m);
    assert_int_equal(channel_send(ends[0], m, &err), 0);
    got = channel_receive(ends[1], &end, &err);
    assert_false(end);
    assert_true(json_equal(got, m));
    json_decref(got);
    json_decref(m);
}

/* One packet each: two do not run into one another. */
static void
messages_stay_apart(void **state)
{
    struct err err = ERR_INIT;
    bool end;

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        json_t *m = json_object();

        json_set_text(m, "type", "x");
        json_set_u64(m, "i", i);
        assert_int_equal(channel_send(ends[0], m, &err), 0);
    }
    for (uint64_t i = 0; i < 20; i++) {
        json_t *m = channel_receive(ends[1], &end, &err);
        uint64_t n = 0;

        assert_non_null(m);
        assert_int_equal(json_get_u64(m, "i", &n, &err), 0);
        assert_int_equal(n, i);
        json_decref(m);
    }
}

static void
malformed_messages_are_errors(void **state)
{
    static const char *const bad[] = {
        "x",
        "{",
        "[]",
        "null",
        "\"type\"",
        "{}",
        "{\"type\":1}",
        "{\"type\":null}",
        "{\"type\":\"a\",\"type\":\"b\"}",
        "{\"type\":\"a\"} {}",
        "{\"type\":\"\xff\"}",
        "{\"type\":\"\\u0000\"}",
        "{\"type\":\"a\",\"n\":1e999}",
    };
    bool end;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(send(ends[0], bad[i], strlen(bad[i]), 0), strlen(bad[i]));
        assert_null(channel_receive(ends[1], &end, &err));
        assert_false(end);
        assert_non_null(strstr(err.text, "malformed"));
    }
}

static void
noise_is_an_error(void **state)
{
    struct rng rng = rng_start("channel");

    (void)state;
    for (int round = 0; round < 500; round++) {
        struct err err = ERR_INIT;
        uint8_t noise[200];
        size_t n = 1 + rng_below(&rng, sizeof noise);
        bool end;

        for (size_t i = 0; i < n; i++)
            noise[i] = (uint8_t)rng_next(&rng);
        assert_int_equal(send(ends[0], noise, n, 0), n);
        assert_null(channel_receive(ends[1], &end, &err));
        assert_false(end);
    }
}

/* Nesting without end must not end the stack. */
static void
deep_nesting_is_an_error(void **state)
{
    struct err err = ERR_INIT;
    char *deep = xcalloc(1, 100000);
    bool end;

    (void)state;
    memset(deep, '[', 100000);
    assert_int_equal(send(ends[0], deep, 100000, 0), 100000);
    assert_null(channel_receive(ends[1], &end, &err));
    assert_false(end);
    free(deep);
}

static void
too_long_is_not_sent(void **state)
{
    struct err err = ERR_INIT;
    char *text = xcalloc(1, CHANNEL_MESSAGE_MAX + 1);
    json_t *m = json_object();

    (void)state;
    memset(text, 'a', CHANNEL_MESSAGE_MAX);
    json_set_text(m, "type", text);
    assert_int_equal(channel_send(ends[0], m, &err), -1);
    assert_non_null(strstr(err.text, "too long"));
    free(text);
}

static void
the_end_is_no_error(void **state)
{
    struct err err = ERR_INIT;
    bool end = false;
    json_t *m = json_object();

    (void)state;
    (void)close(ends[0]);
    ends[0] = -1;
    assert_null(channel_receive(ends[1], &end, &err));
    assert_true(end);
    json_set_text(m, "type", "x");
    assert_int_equal(channel_send(ends[1], m, &err), -1); /* and no SIGPIPE */
    assert_int_equal(err.sys, EPIPE);
}

/* A worker that has just been told to stop may be at its end already. */
static void
what_was_sent_before_the_end_arrives(void **state)
{
    struct err err = ERR_INIT;
    bool end = false;
    json_t *done = json_object();
    json_t *stop = json_object();

    (void)state;
    json_set_text(done, "type", "done");
    json_set_text(stop, "type", "stop");
    assert_int_equal(channel_send(ends[0], done, &err), 0);
    assert_int_equal(channel_send(ends[1], stop, &err), 0);
    (void)close(ends[0]);
    ends[0] = -1;
    done = channel_receive(ends[1], &end, &err);
    assert_non_null(done);
    json_decref(done);
    assert_null(channel_receive(ends[1], &end, &err));
    assert_true(end);
}

#define CHANNEL_TEST(f) cmocka_unit_test_setup_teardown(f, make_socket, close_socket)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CHANNEL_TEST(a_message_arrives_as_it_was_sent),
        CHANNEL_TEST(messages_stay_apart),
        CHANNEL_TEST(malformed_messages_are_errors),
        CHANNEL_TEST(noise_is_an_error),
        CHANNEL_TEST(deep_nesting_is_an_error),
        CHANNEL_TEST(too_long_is_not_sent),
        CHANNEL_TEST(the_end_is_no_error),
        CHANNEL_TEST(what_was_sent_before_the_end_arrives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
