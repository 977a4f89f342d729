#include "tests/lib/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/supervisor_proto.h"
#include "tests/lib/socket_ends.h"

static size_t
open_descriptors(void)
{
    AUTO_DIR DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    return n;
}

/* Sends n bytes with n_fds copies of one descriptor beside them, as no honest peer would. */
static void
send_raw(const void *data, size_t n, size_t n_fds)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = n};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(64 * sizeof(int))];
    } control = {0};

    if (n_fds > 0) {
        struct cmsghdr *c;

        h.msg_control = control.buf;
        h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        for (size_t i = 0; i < n_fds; i++)
            memcpy(CMSG_DATA(c) + i * sizeof(int), &ends[0], sizeof(int));
    }
    assert_int_equal(sendmsg(ends[0], &h, 0), n);
}

static void
messages_and_descriptors_arrive(void **state)
{
    (void)state;
    for (size_t n = 0; n <= SUPERVISOR_FDS_MAX; n++) {
        struct supervisor_message out = {.type = SUPERVISOR_START,
                                         .device = UINT64_MAX,
                                         .n_copies = (uint32_t)n,
                                         .before = {.nodes = 3, .read_only = 2},
                                         .text = "a reason"};
        struct supervisor_message in;
        int fds[SUPERVISOR_FDS_MAX];
        int got[SUPERVISOR_FDS_MAX];
        struct err err = ERR_INIT;
        size_t n_got = 99;
        struct stat a;
        struct stat b;

        for (size_t i = 0; i < n; i++)
            fds[i] = open(i % 2 ? "/dev/null" : "/", O_RDONLY | O_CLOEXEC);
        assert_int_equal(supervisor_send(ends[0], &out, fds, n, &err), 0);
        assert_int_equal(supervisor_receive(ends[1], &in, got, &n_got, &err), 1);
        assert_memory_equal(&in, &out, sizeof in);
        assert_int_equal(n_got, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(fstat(fds[i], &a), 0);
            assert_int_equal(fstat(got[i], &b), 0);
            assert_int_equal(a.st_ino, b.st_ino);
            assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
            (void)close(fds[i]);
            (void)close(got[i]);
        }
    }
}

static void
assert_malformed(const void *data, size_t size, size_t n_fds)
{
    size_t before = open_descriptors();
    struct supervisor_message in;
    int fds[SUPERVISOR_FDS_MAX];
    struct err err = ERR_INIT;
    size_t n = 99;

    send_raw(data, size, n_fds);
    assert_int_equal(supervisor_receive(ends[1], &in, fds, &n, &err), -1);
    assert_int_equal(n, 0);
    assert_non_null(strstr(err.text, "malformed"));
    assert_int_equal(open_descriptors(), before); /* none is kept */
}

static void
other_sizes_are_malformed(void **state)
{
    static const struct supervisor_message m[2] = {{.type = SUPERVISOR_OPEN}};
    static const size_t sizes[] = {1, 4, sizeof m[0] - 1, sizeof m[0] + 1, 2 * sizeof m[0]};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_malformed(m, sizes[i], 0);
        assert_malformed(m, sizes[i], 1);
        assert_malformed(m, sizes[i], SUPERVISOR_FDS_MAX);
    }
}

static void
too_many_descriptors_are_malformed(void **state)
{
    static const struct supervisor_message m = {.type = SUPERVISOR_START};

    (void)state;
    for (size_t n = SUPERVISOR_FDS_MAX + 1; n <= 64; n += 7)
        assert_malformed(&m, sizeof m, n);
}

static void
unterminated_text_is_malformed(void **state)
{
    struct supervisor_message m = {.type = SUPERVISOR_OPEN};

    (void)state;
    memset(m.text, 'a', sizeof m.text);
    assert_malformed(&m, sizeof m, 0);
    assert_malformed(&m, sizeof m, 2);
    m = (struct supervisor_message){.type = SUPERVISOR_OPEN};
    memset(m.serial, 'a', sizeof m.serial);
    assert_malformed(&m, sizeof m, 0);
}

/* After a malformed message the next one is its own. */
static void
the_next_message_is_whole(void **state)
{
    static const struct supervisor_message m = {.type = SUPERVISOR_FINISH, .lost = 7};
    struct supervisor_message in;
    int fds[SUPERVISOR_FDS_MAX];
    struct err err = ERR_INIT;
    size_t n;

    (void)state;
    assert_malformed(&m, sizeof m - 8, 3);
    send_raw(&m, sizeof m, 0);
    assert_int_equal(supervisor_receive(ends[1], &in, fds, &n, &err), 1);
    assert_int_equal(in.lost, 7);
    assert_int_equal(n, 0);
}

static void
the_end_is_no_error(void **state)
{
    struct supervisor_message m = {.type = SUPERVISOR_CHECK};
    int fds[SUPERVISOR_FDS_MAX];
    struct err err = ERR_INIT;
    size_t n;

    (void)state;
    (void)close(ends[0]);
    ends[0] = -1;
    assert_int_equal(supervisor_receive(ends[1], &m, fds, &n, &err), 0);
    assert_int_equal(supervisor_send(ends[1], &m, NULL, 0, &err), -1); /* and no SIGPIPE */
    assert_int_equal(err.sys, EPIPE);
}

#define PROTO_TEST(f) cmocka_unit_test_setup_teardown(f, make_socket, close_socket)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PROTO_TEST(messages_and_descriptors_arrive),    PROTO_TEST(other_sizes_are_malformed),
        PROTO_TEST(too_many_descriptors_are_malformed), PROTO_TEST(unterminated_text_is_malformed),
        PROTO_TEST(the_next_message_is_whole),          PROTO_TEST(the_end_is_no_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
