/* The process beside a sandboxed program: what it holds, and that it has gone when it was ended. */
#include "tests/lib/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "verify/aside.h"

/* Answers each byte with the number of descriptors that are open, and with the byte it was given.
 */
static void
serve(int fd, const void *with)
{
    char said[2] = {0, *(const char *)with};

    while (recv(fd, &said[0], 1, 0) == 1) {
        AUTO_DIR DIR *d = opendir("/proc/self/fd");

        said[0] = 0;
        while (d && readdir(d))
            said[0]++;
        (void)send(fd, said, sizeof said, MSG_NOSIGNAL);
    }
}

/* What it holds, and whether its end was waited for: it is not where the machine lets it wait too
   long, but it ends. */
static bool
one_life(int type)
{
    struct err err = ERR_INIT;
    struct aside a;
    char said[2];
    pid_t late;

    assert_int_equal(aside_start(&a, type, serve, "x", &err), 0);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(send(a.fd, "?", 1, MSG_NOSIGNAL), 1);
        assert_int_equal(recv(a.fd, said, sizeof said, 0), 2);
        assert_int_equal(said[0], 7); /* three, the socket, the directory, and its two dots */
        assert_int_equal(said[1], 'x');
    }
    aside_end(&a);
    late = waitpid(a.pid, NULL, 0);
    if (late == a.pid)
        return false;
    assert_int_equal(late, -1);
    assert_int_equal(errno, ECHILD);
    return true;
}

static void
it_holds_nothing_of_ours_and_goes_when_it_is_ended(void **state)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
    AUTO_FD int ours = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_true(ours >= 0);
    for (size_t i = 0; i < COUNT(types); i++) {
        int late = 0;

        while (!one_life(types[i]))
            assert_true(++late < 50);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_nothing_of_ours_and_goes_when_it_is_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
