/*
 * A front's conversation, with this test as the supervisor at the other end of a socket that was
 * given.
 */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "common/session.h"
#include "common/text.h"

static const struct privilege nobody = {.uid = 65534, .gid = 65534};

/* Sets *theirs to the supervisor's end. */
static struct session *
given(int *theirs)
{
    char number[16];
    struct err err = ERR_INIT;
    struct session *s;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    (void)snprintf(number, sizeof number, "%d", pair[0]);
    assert_int_equal(setenv(SESSION_VARIABLE, number, 1), 0);
    s = session_start(&nobody, &err);
    assert_non_null(s);
    assert_int_equal(session_fd(s), pair[0]);
    /* What this process starts gets neither the socket nor its name. */
    assert_null(getenv(SESSION_VARIABLE));
    assert_true(fcntl(pair[0], F_GETFD) & FD_CLOEXEC);
    *theirs = pair[1];
    return s;
}

static void
tell(int sock, const struct supervisor_message *m)
{
    struct err err = ERR_INIT;

    assert_int_equal(supervisor_send(sock, m, NULL, 0, &err), 0);
}

static void
only_a_socket_is_taken(void **state)
{
    static const char *const bad[] = {"", "x", "-1", "0", "2", "99999", "3x", "4294967299"};
    struct err err = ERR_INIT;
    char number[16];
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int stream[2];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(setenv(SESSION_VARIABLE, bad[i], 1), 0);
        assert_null(session_start(&nobody, &err));
        assert_int_equal(err.outcome, OUTCOME_USAGE);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), 0);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(number, sizeof number, "%d", i ? stream[0] : fd);
        assert_int_equal(setenv(SESSION_VARIABLE, number, 1), 0);
        assert_null(session_start(&nobody, &err));
        assert_int_equal(err.outcome, OUTCOME_USAGE);
    }
    (void)unsetenv(SESSION_VARIABLE);
    (void)close(fd);
    (void)close(stream[0]);
    (void)close(stream[1]);
}

static void
answers_pass_what_comes_unasked(void **state)
{
    struct supervisor_message attempt = {
        .type = SUPERVISOR_ATTEMPT,
        .attempt = {.pid = 7, .uid = 1000, .name = "dd", .what = "open for writing"}};
    struct supervisor_message ended = {.type = SUPERVISOR_ENDED, .status = 139};
    struct supervisor_message checked = {.type = SUPERVISOR_CHECKED, .refused = 1};
    struct supervisor_message m = {.type = SUPERVISOR_CHECK};
    struct supervisor_attempt got;
    struct err err = ERR_INIT;
    struct session *s;
    int status = 0;
    int sock;

    (void)state;
    s = given(&sock);
    assert_false(session_next_attempt(s, &got));
    tell(sock, &attempt);
    tell(sock, &ended);
    tell(sock, &checked);
    assert_int_equal(session_ask(s, &m, NULL, 0, SUPERVISOR_CHECKED, &err), 0);
    assert_int_equal(m.refused, 1);
    assert_true(session_worker_ended(s, &status));
    assert_int_equal(status, 139);
    assert_true(session_next_attempt(s, &got));
    assert_int_equal(got.pid, 7);
    assert_string_equal(got.what, "open for writing");
    assert_false(session_next_attempt(s, &got));
    (void)close(sock);
    session_end(s); /* does not wait for one that has gone */
}

static void
attempts_are_bounded(void **state)
{
    struct supervisor_message attempt = {.type = SUPERVISOR_ATTEMPT};
    struct supervisor_attempt got;
    struct err err = ERR_INIT;
    struct session *s;
    int n = 0;
    int sock;

    (void)state;
    s = given(&sock);
    for (int i = 0; i < SUPERVISOR_ATTEMPTS_MAX + 10; i++) {
        attempt.attempt.pid = i;
        tell(sock, &attempt);
        assert_int_equal(session_hear(s, &err), 0);
    }
    while (session_next_attempt(s, &got))
        assert_int_equal(got.pid, n++);
    assert_int_equal(n, SUPERVISOR_ATTEMPTS_MAX);
    (void)close(sock);
    session_end(s);
}

/* A front that hears nothing does not hold the supervisor up. */
static void
telling_does_not_wait(void **state)
{
    struct supervisor_message attempt = {.type = SUPERVISOR_ATTEMPT};
    struct err err = ERR_INIT;
    struct session *s;
    int sock;
    int n = 0;

    (void)state;
    s = given(&sock);
    while (n < 100000 && supervisor_tell(sock, &attempt, &err) == 0)
        n++;
    assert_in_range(n, 1, 99999);
    (void)close(sock);
    session_end(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_socket_is_taken),
        cmocka_unit_test(answers_pass_what_comes_unasked),
        cmocka_unit_test(attempts_are_bounded),
        cmocka_unit_test(telling_does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
