#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "acquire/daemon/daemon_proto.h"
#include "common/text.h"
#include "tests/lib/socket_ends.h"

static struct daemon_message m, got;

static void
a_message_arrives_as_it_was_sent(void **state)
{
    struct err err = ERR_INIT;
    size_t at = 0;
    int fd;

    (void)state;
    daemon_message_begin(&m, DAEMON_SUBMIT);
    m.id = 7;
    m.number = UINT64_MAX;
    m.facts.exit = -1;
    assert_true(daemon_message_add(&m, "/dev/\xff"));
    assert_true(daemon_message_add(&m, NULL));
    assert_true(daemon_message_add(&m, "x"));
    assert_int_equal(daemon_send(ends[0], &m, -1, &err), 1);
    assert_int_equal(daemon_receive(ends[1], &got, &fd, &err), 1);
    assert_int_equal(fd, -1);
    assert_int_equal(got.id, 7);
    assert_int_equal(got.facts.exit, -1);
    assert_true(got.number == UINT64_MAX);
    assert_string_equal(daemon_message_text(&got, &at), "/dev/\xff");
    assert_string_equal(daemon_message_text(&got, &at), "");
    assert_string_equal(daemon_message_text(&got, &at), "x");
    assert_null(daemon_message_text(&got, &at));
    assert_null(daemon_message_text(&got, &at));
}

static void
descriptors_come_along_or_are_closed(void **state)
{
    struct err err = ERR_INIT;
    int file = open("/dev/null", O_RDONLY);
    int probe;
    int fd;

    (void)state;
    daemon_message_begin(&m, DAEMON_STREAM);
    assert_int_equal(daemon_send(ends[0], &m, file, &err), 1);
    assert_int_equal(daemon_receive(ends[1], &got, &fd, &err), 1);
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    (void)close(fd);
    /* Where none is wanted, none is left open. */
    probe = dup(file);
    (void)close(probe);
    assert_int_equal(daemon_send(ends[0], &m, file, &err), 1);
    assert_int_equal(daemon_receive(ends[1], &got, NULL, &err), 1);
    fd = dup(file);
    assert_int_equal(fd, probe);
    (void)close(fd);
    (void)close(file);
}

static void
texts_are_bounded(void **state)
{
    char *big = xcalloc(1, DAEMON_TEXTS_MAX + 1);
    struct err err = ERR_INIT;

    (void)state;
    memset(big, 'a', DAEMON_TEXTS_MAX);
    daemon_message_begin(&m, DAEMON_SUBMIT);
    assert_false(daemon_message_add(&m, big));
    big[DAEMON_TEXTS_MAX - 1] = '\0';
    assert_true(daemon_message_add(&m, big));
    assert_false(daemon_message_add(&m, ""));
    assert_int_equal(daemon_send(ends[0], &m, -1, &err), 1);
    assert_int_equal(daemon_receive(ends[1], &got, NULL, &err), 1);
    free(big);
}

/* The other end may be anything: short, long, with a length that lies, without the last NUL. */
static void
malformed_packets_are_errors(void **state)
{
    const size_t head = offsetof(struct daemon_message, texts);
    struct rng rng = rng_start("daemon_proto");
    struct err err = ERR_INIT;

    (void)state;
    memset(&m, 0, sizeof m);
    for (size_t n = 1; n < head; n += 7) {
        assert_int_equal(send(ends[0], &m, n, 0), n);
        assert_int_equal(daemon_receive(ends[1], &got, NULL, &err), -1);
    }
    m.length = 5;
    assert_int_equal(send(ends[0], &m, head + 4, 0), head + 4);
    assert_int_equal(daemon_receive(ends[1], &got, NULL, &err), -1);
    assert_int_equal(send(ends[0], &m, head + 6, 0), head + 6);
    assert_int_equal(daemon_receive(ends[1], &got, NULL, &err), -1);
    memcpy(m.texts, "abcde", 5);
    assert_int_equal(send(ends[0], &m, head + 5, 0), head + 5);
    assert_int_equal(daemon_receive(ends[1], &got, NULL, &err), -1);
    m.length = UINT32_MAX;
    assert_int_equal(send(ends[0], &m, sizeof m, 0), sizeof m);
    assert_int_equal(daemon_receive(ends[1], &got, NULL, &err), -1);
    for (int i = 0; i < 500; i++) {
        uint8_t noise[512];
        size_t n = 1 + rng_below(&rng, sizeof noise);

        for (size_t k = 0; k < n; k++)
            noise[k] = (uint8_t)rng_next(&rng);
        assert_int_equal(send(ends[0], noise, n, 0), n);
        assert_int_equal(daemon_receive(ends[1], &got, NULL, &err), -1);
    }
}

static void
the_end_and_a_full_socket_are_told(void **state)
{
    struct err err = ERR_INIT;
    int r = 1;

    (void)state;
    daemon_message_begin(&m, DAEMON_END);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    for (int i = 0; i < 1000000 && r == 1; i++)
        r = daemon_send(ends[0], &m, -1, &err);
    assert_int_equal(r, 0);
    (void)close(ends[1]);
    assert_int_equal(daemon_send(ends[0], &m, -1, &err), -1); /* and no SIGPIPE */
    ends[1] = -1;
}

#define PROTO_TEST(f) cmocka_unit_test_setup_teardown(f, make_socket, close_socket)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PROTO_TEST(a_message_arrives_as_it_was_sent),
        PROTO_TEST(descriptors_come_along_or_are_closed),
        PROTO_TEST(texts_are_bounded),
        PROTO_TEST(malformed_packets_are_errors),
        PROTO_TEST(the_end_and_a_full_socket_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
