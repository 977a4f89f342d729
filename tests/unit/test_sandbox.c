#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/sandbox.h"
#include "common/thread.h"

/* A sandbox cannot be left, so each case runs in a child; its exit code is the line that failed,
   as modulo 250 + 1, or 0. */
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "not so: %s (line %d, errno %d)\n", #condition, __LINE__,        \
                          errno);                                                                  \
            _exit(__LINE__ % 250 + 1);                                                             \
        }                                                                                          \
    } while (0)

static void
in_child(void (*body)(void))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with status 0x%x", (unsigned)status);
}

static void
enter(const struct sandbox_spec *spec, struct sandbox_state *state)
{
    struct err err = ERR_INIT;

    if (sandbox_enter(spec, false, state, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        _exit(77);
    }
}

static bool
available(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct sandbox_state s;

        enter(&(struct sandbox_spec){0}, &s);
        _exit(0);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
state_is_told(void)
{
    struct sandbox_state s;

    enter(&(struct sandbox_spec){0}, &s);
    NEED(s.no_new_privs && s.seccomp && s.landlock_abi >= 1);
    NEED(s.missing[0] == '\0');
}

/* Only below the directories that were named, and reading is not writing. */
static void
files(void)
{
    int w = open("w", O_PATH | O_DIRECTORY);
    int r = open("r", O_PATH | O_DIRECTORY);
    int kept = open("outside", O_RDWR);
    struct sandbox_state s;
    char c;
    int fd;

    enter(
        &(struct sandbox_spec){
            .write_dirs = &w, .n_write_dirs = 1, .read_dirs = &r, .n_read_dirs = 1},
        &s);
    fd = openat(w, "new", O_RDWR | O_CREAT | O_EXCL, 0600);
    NEED(fd >= 0);
    NEED(write(fd, "x", 1) == 1 && fsync(fd) == 0 && ftruncate(fd, 0) == 0);
    NEED(renameat(w, "new", w, "newer") == 0);
    NEED(unlinkat(w, "newer", 0) == 0);
    fd = openat(r, "file", O_RDONLY);
    NEED(fd >= 0 && read(fd, &c, 1) == 1);
    NEED(openat(r, "file", O_WRONLY) < 0 && errno == EACCES);
    NEED(openat(r, "made", O_WRONLY | O_CREAT, 0600) < 0);
    NEED(unlinkat(r, "file", 0) < 0);
    NEED(open("outside", O_RDONLY) < 0 && errno == EACCES);
    NEED(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    NEED(openat(w, "../outside", O_RDONLY) < 0);
    NEED(openat(w, "link", O_RDONLY) < 0); /* leads outside */
    NEED(openat(w, "device", O_RDONLY) < 0);
    NEED(symlinkat("x", w, "planted") < 0);
    NEED(mkdirat(w, "dir", 0700) < 0);
    /* What was open before stays usable. */
    NEED(pread(kept, &c, 1, 0) == 1 && pwrite(kept, &c, 1, 0) == 1);
}

/* Programs can be started and everything read; nothing written elsewhere, by them neither. */
static void
confined(void)
{
    int w = open("w", O_PATH | O_DIRECTORY);
    const struct sandbox_spec spec = {.write_dirs = &w, .n_write_dirs = 1};
    char *inside[] = {(char[]){"/bin/sh"}, (char[]){"-c"},
                      (char[]){"cat outside >/dev/null && echo x >w/by-child && rm w/by-child"},
                      NULL};
    char *outside[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"echo x >>outside"}, NULL};
    char *const *const commands[] = {inside, outside};
    struct sandbox_state s;
    struct err err = ERR_INIT;

    NEED(sandbox_confine(&spec, false, &s, &err) == 0);
    NEED(s.no_new_privs && s.seccomp && s.landlock_abi >= 1 && s.missing[0] == '\0');
    NEED(open("outside", O_RDONLY) >= 0);
    NEED(open("outside", O_WRONLY) < 0 && errno == EACCES);
    NEED(open("made", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    NEED(unlink("outside") < 0 && errno == EACCES);
    NEED(openat(w, "new", O_RDWR | O_CREAT | O_EXCL, 0600) >= 0);
    NEED(renameat(w, "new", w, "newer") == 0 && unlinkat(w, "newer", 0) == 0);
    NEED(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
    NEED(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES);
    NEED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 && errno == EACCES);
    for (int i = 0; i < 2; i++) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            (void)execv(commands[i][0], commands[i]);
            _exit(99);
        }
        NEED(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        NEED((WEXITSTATUS(status) == 0) == (i == 0) && WEXITSTATUS(status) != 99);
    }
}

static void
network_allowed(void)
{
    const struct sandbox_spec spec = {.allow_network = true};
    struct sandbox_state s;
    struct err err = ERR_INIT;

    NEED(sandbox_confine(&spec, false, &s, &err) == 0);
    NEED(socket(AF_INET, SOCK_STREAM, 0) >= 0);
    NEED(openat(open("w", O_PATH | O_DIRECTORY), "new", O_RDWR | O_CREAT, 0600) < 0);
}

static void
calls(void)
{
    struct sandbox_state s;
    char path[] = "/bin/true";
    char *argv[] = {path, NULL};
    int n;

    enter(&(struct sandbox_spec){0}, &s);
    NEED(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
    NEED(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
    NEED(ioctl(0, FIONREAD, &n) < 0 && errno == EPERM);
    NEED(execv(path, argv) < 0);
    NEED(fork() < 0 && errno == EPERM);
    NEED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 && errno == EPERM);
    NEED(kill(getppid(), 0) < 0 && errno == EPERM);
    NEED(chmod("/tmp", 0777) < 0 && errno == EPERM);
    NEED(syscall(SYS_setuid, 0) < 0 && errno == EPERM); /* of this thread alone */
    NEED(clock_gettime(CLOCK_REALTIME, &(struct timespec){0}) == 0);
}

static void *
thread_body(void *arg)
{
    *(int *)arg = 7;
    return NULL;
}

static void *
giving_way(void *arg)
{
    int before = getpriority(PRIO_PROCESS, 0);

    thread_give_way();
    *(int *)arg = getpriority(PRIO_PROCESS, 0) - before;
    return NULL;
}

static void
threads(void)
{
    struct sandbox_state s;
    pthread_t t;
    int before = getpriority(PRIO_PROCESS, 0);
    int got = 0;

    enter(&(struct sandbox_spec){.allow_threads = true}, &s);
    NEED(pthread_create(&t, NULL, thread_body, &got) == 0);
    NEED(pthread_join(t, NULL) == 0 && got == 7);
    NEED(fork() < 0); /* threads are not processes */

    NEED(pthread_create(&t, NULL, giving_way, &got) == 0);
    NEED(pthread_join(t, NULL) == 0 && got > 0);
    NEED(getpriority(PRIO_PROCESS, 0) == before); /* that thread, and no other */
    NEED(setpriority(PRIO_PROCESS, getppid(), 5) < 0 && errno == EPERM);
    NEED(setpriority(PRIO_USER, 0, 5) < 0 && errno == EPERM);
}

static void
no_threads(void)
{
    struct sandbox_state s;
    pthread_t t;
    int got = 0;

    enter(&(struct sandbox_spec){0}, &s);
    NEED(pthread_create(&t, NULL, thread_body, &got) != 0);
}

static void
sending(void)
{
    struct sandbox_state s;
    int pair[2];
    char c;

    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    enter(&(struct sandbox_spec){.allow_send = true}, &s);
    NEED(send(pair[0], "x", 1, 0) == 1 && recv(pair[1], &c, 1, 0) == 1 && c == 'x');
    NEED(socket(AF_UNIX, SOCK_STREAM, 0) < 0);
}

/* The filter for foreign programs: no sockets, all else as before. */
static void
offline(void)
{
    struct err err = ERR_INIT;
    struct sandbox_filter *f = sandbox_offline_new(&err);
    int fd;

    NEED(f && sandbox_filter_apply(f) == 0);
    NEED(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
    NEED(socket(AF_INET6, SOCK_DGRAM, 0) < 0 && errno == EACCES);
    NEED(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES);
    fd = open("outside", O_RDONLY);
    NEED(fd >= 0);
    NEED(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) < 0);
    sandbox_filter_free(f);
}

static void
limits(void)
{
    struct err err = ERR_INIT;
    struct rlimit r;
    volatile void *p;

    NEED(sandbox_limit((size_t)256 << 20, 5, &err) == 0);
    NEED(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_max == 0);
    NEED(getrlimit(RLIMIT_CPU, &r) == 0 && r.rlim_max == 5);
    p = malloc((size_t)512 << 20);
    NEED(!p);
}

#define CASE(name)                                                                                 \
    static void name##_hold(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        in_child(name);                                                                            \
    }

CASE(state_is_told)
CASE(files)
CASE(calls)
CASE(confined)
CASE(network_allowed)
CASE(threads)
CASE(no_threads)
CASE(sending)
CASE(offline)

static void
limits_hold(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* the run-time needs terabytes of addresses */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    skip();
#endif
#endif
    in_child(limits);
}

static int
prepare(void **state)
{
    FILE *f;

    if (scratch_enter(state) != 0 || mkdir("w", 0700) != 0 || mkdir("r", 0700) != 0)
        return -1;
    f = fopen("outside", "w");
    if (!f || fputs("secret", f) < 0 || fclose(f) != 0)
        return -1;
    f = fopen("r/file", "w");
    if (!f || fputs("read me", f) < 0 || fclose(f) != 0)
        return -1;
    return symlink("../outside", "w/link") == 0 && symlink("/dev/null", "w/device") == 0 ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_told_hold), cmocka_unit_test(files_hold),
        cmocka_unit_test(confined_hold),      cmocka_unit_test(network_allowed_hold),
        cmocka_unit_test(calls_hold),         cmocka_unit_test(threads_hold),
        cmocka_unit_test(no_threads_hold),    cmocka_unit_test(sending_hold),
        cmocka_unit_test(offline_hold),       cmocka_unit_test(limits_hold),
    };

    if (!available()) {
        (void)printf("SKIP: this kernel has no Landlock or no seccomp\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, prepare, scratch_leave);
}
