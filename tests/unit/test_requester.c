#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/requester.h"

#define NOBODY 65534

static void
must_be_root(void)
{
    if (getuid() == 0)
        return;
    print_message("SKIP: needs root\n");
    skip();
}

static void
set_sudo(const char *uid, const char *gid)
{
    assert_int_equal(uid ? setenv("SUDO_UID", uid, 1) : unsetenv("SUDO_UID"), 0);
    assert_int_equal(gid ? setenv("SUDO_GID", gid, 1) : unsetenv("SUDO_GID"), 0);
}

static void
without_sudo_it_is_the_caller(void **state)
{
    struct requester r;

    (void)state;
    set_sudo(NULL, NULL);
    requester_find(&r);
    assert_int_equal(r.uid, getuid());
    assert_int_equal(r.gid, getgid());
    assert_true(r.login_uid >= -1);
}

static void
sudo_names_its_caller(void **state)
{
    struct requester r;

    (void)state;
    must_be_root();
    set_sudo("65534", "65533");
    requester_find(&r);
    assert_int_equal(r.uid, 65534);
    assert_int_equal(r.gid, 65533);
    assert_string_equal(r.name, "nobody");
}

/* Half a name, or none that is a number: the caller is who the kernel says. */
static void
nonsense_is_not_believed(void **state)
{
    static const char *const bad[] = {"",   "-1", "4294967295", "4294967296",          "root",
                                      "1 ", "+1", "0x10",       "99999999999999999999"};
    struct requester r;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        set_sudo(bad[i], "1");
        requester_find(&r);
        assert_int_equal(r.uid, getuid());
        set_sudo("1", bad[i]);
        requester_find(&r);
        assert_int_equal(r.uid, getuid());
        assert_int_equal(r.gid, getgid());
    }
    set_sudo("65534", NULL);
    requester_find(&r);
    assert_int_equal(r.uid, getuid());
    set_sudo(NULL, NULL);
}

/* Anyone can set a variable: only root's environment comes from sudo. */
static void
others_cannot_pretend(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    must_be_root();
    set_sudo("0", "0");
    pid = fork();
    if (pid == 0) {
        struct requester r;

        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
            _exit(2);
        requester_find(&r);
        _exit(r.uid == NOBODY && r.gid == NOBODY ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    set_sudo(NULL, NULL);
}

/* A directory of that owner and mode, as an O_PATH descriptor. */
static int
directory(const char *name, uid_t owner, mode_t mode)
{
    int fd;

    assert_int_equal(mkdir(name, 0700), 0);
    assert_int_equal(chown(name, owner, owner), 0);
    assert_int_equal(chmod(name, mode), 0);
    fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void
the_writer_is_who_may_write(void **state)
{
    struct requester r = {.uid = NOBODY, .gid = NOBODY};
    struct privilege p;
    int fds[2];

    (void)state;
    must_be_root();
    fds[0] = directory("theirs", NOBODY, 0700);
    requester_writer(&r, fds, 1, &p);
    assert_int_equal(p.uid, NOBODY);
    assert_int_equal(p.gid, NOBODY);
    fds[1] = directory("roots", 0, 0755);
    requester_writer(&r, fds, 2, &p); /* both, or root */
    assert_int_equal(p.uid, 0);
    requester_writer(&r, fds + 1, 1, &p);
    assert_int_equal(p.uid, 0);
    (void)close(fds[1]);
    fds[1] = directory("everyones", 0, 01777);
    requester_writer(&r, fds, 2, &p);
    assert_int_equal(p.uid, NOBODY);
    r.uid = 0;
    requester_writer(&r, fds, 2, &p);
    assert_int_equal(p.uid, 0);
    assert_int_equal(getuid(), 0); /* trying it changed nothing here */
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_sudo_it_is_the_caller), cmocka_unit_test(sudo_names_its_caller),
        cmocka_unit_test(nonsense_is_not_believed),      cmocka_unit_test(others_cannot_pretend),
        cmocka_unit_test(the_writer_is_who_may_write),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
