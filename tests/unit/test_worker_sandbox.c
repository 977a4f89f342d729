/*
 * The worker's sandbox from inside: a process with a worker's descriptors, as the user that a
 * worker runs as, enters it as a worker does and then tries what somebody who has taken a worker
 * over would try. Each thing has to be refused. That a real job's worker is in it:
 * system/acquire-sandbox.sh.
 */
#include "tests/lib/supervisor_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <scsi/sg.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "acquire/worker/worker_sandbox.h"
#include "common/cleanup.h"

#define PAGE 4096

/* --- what is tried; true where it was refused --- */

static bool
refused(long r)
{
    if (r < 0)
        return true;
    (void)close((int)r); /* a descriptor, mostly */
    return false;
}

static bool
open_a_file(void)
{
    return refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static bool
open_a_directory(void)
{
    return refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static bool
open_out_of_its_directory(void)
{
    return refused(openat(WORKER_FD_DIR, "../source", O_RDONLY | O_CLOEXEC));
}

static bool
open_through_a_link(void)
{
    return refused(openat(WORKER_FD_DIR, "link", O_RDONLY | O_CLOEXEC));
}

static bool
open_the_source_again(void)
{
    return refused(open("/proc/self/fd/4", O_RDWR | O_CLOEXEC)) &&
           refused(open("/dev/fd/4", O_RDONLY | O_CLOEXEC));
}

static bool
open_by_handle(void)
{
    struct {
        struct file_handle head;
        char rest[128];
    } h = {.head.handle_bytes = 128};
    int mount;

    return refused(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &h, &mount, 0)) &&
           refused(syscall(SYS_open_by_handle_at, WORKER_FD_DIR, &h, O_RDONLY));
}

static bool
make_a_file_elsewhere(void)
{
    return refused(open("/tmp/exhibit-was-here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static bool
rename_out_of_its_directory(void)
{
    return refused(renameat(WORKER_FD_DIR, "file", AT_FDCWD, "/tmp/exhibit-was-here"));
}

static bool
link_a_file(void)
{
    return refused(linkat(WORKER_FD_DIR, "file", WORKER_FD_DIR, "hard", 0)) &&
           refused(symlinkat("/etc/passwd", WORKER_FD_DIR, "soft"));
}

static bool
make_a_node(void)
{
    return refused(mknodat(WORKER_FD_DIR, "disk", S_IFBLK | 0600, 0x700)) &&
           refused(mkdirat(WORKER_FD_DIR, "dir", 0700));
}

static bool
change_a_mode(void)
{
    return refused(fchmodat(WORKER_FD_DIR, "file", 06755, 0)) &&
           refused(fchownat(WORKER_FD_DIR, "file", 0, 0, 0)) &&
           refused(fchmod(WORKER_FD_SOURCE, 0777));
}

static bool
write_to_the_source(void)
{
    struct iovec v = {.iov_base = (char[]){"x"}, .iov_len = 1};

    return refused(pwrite(WORKER_FD_SOURCE, "x", 1, 0)) &&
           refused(write(WORKER_FD_SOURCE, "x", 1)) && refused(pwritev(WORKER_FD_SOURCE, &v, 1, 0));
}

static bool
map_the_source_to_write(void)
{
    void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, WORKER_FD_SOURCE, 0);

    if (mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, WORKER_FD_SOURCE, 0) != MAP_FAILED)
        return false;
    return p == MAP_FAILED || mprotect(p, PAGE, PROT_READ | PROT_WRITE) != 0;
}

static bool
cut_the_source(void)
{
    return refused(ftruncate(WORKER_FD_SOURCE, 0)) &&
           refused(
               fallocate(WORKER_FD_SOURCE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
}

static bool
copy_in_the_kernel(void)
{
    int from = openat(WORKER_FD_DIR, "file", O_RDONLY | O_CLOEXEC);
    bool all = refused(syscall(SYS_copy_file_range, from, NULL, WORKER_FD_SOURCE, NULL, 1, 0)) &&
               refused(syscall(SYS_sendfile, WORKER_FD_SOURCE, from, NULL, 1)) &&
               refused(syscall(SYS_splice, from, NULL, WORKER_FD_SOURCE, NULL, 1, 0));

    (void)close(from);
    return all;
}

static bool
command_the_source(void)
{
    struct sg_io_hdr io = {.interface_id = 'S'};
    uint64_t range[2] = {0, PAGE};
    int off = 0;
    int ro = 1;
    uint64_t size;

    return ioctl(WORKER_FD_SOURCE, BLKROSET, &off) != 0 && errno == EPERM &&
           ioctl(WORKER_FD_SOURCE, BLKROGET, &ro) != 0 && errno == EPERM &&
           ioctl(WORKER_FD_SOURCE, BLKDISCARD, range) != 0 && errno == EPERM &&
           ioctl(WORKER_FD_SOURCE, BLKGETSIZE64, &size) != 0 && errno == EPERM &&
           ioctl(WORKER_FD_SOURCE, SG_IO, &io) != 0 && errno == EPERM;
}

static bool
talk_to_a_network(void)
{
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG};
    int pair[2];

    for (size_t i = 0; i < COUNT(families); i++) {
        if (!refused(socket(families[i], SOCK_STREAM, 0)) ||
            !refused(socket(families[i], SOCK_RAW, 0)))
            return false;
    }
    return refused(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static bool
use_its_socket_for_more(void)
{
    struct sockaddr address = {.sa_family = AF_UNSPEC};

    return refused(connect(WORKER_FD_EVENTS, &address, sizeof address)) &&
           refused(bind(WORKER_FD_EVENTS, &address, sizeof address)) &&
           refused(listen(WORKER_FD_EVENTS, 1)) && refused(accept(WORKER_FD_EVENTS, NULL, NULL));
}

static bool
run_a_program(void)
{
    char path[] = "/bin/true";
    char *argv[] = {path, NULL};

    return refused(execve(path, argv, NULL)) &&
           refused(syscall(SYS_execveat, AT_FDCWD, path, argv, NULL, 0)) &&
           refused(syscall(SYS_memfd_create, "program", 0));
}

static bool
start_a_process(void)
{
    long r = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    if (r == 0)
        _exit(0);
    if (r > 0)
        return false;
    r = syscall(SYS_fork);
    if (r == 0)
        _exit(0);
    /* ENOSYS makes glibc take clone(), whose flags the filter sees. */
    return r < 0 && syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS;
}

static bool
look_into_processes(void)
{
    char byte;
    struct iovec here = {.iov_base = &byte, .iov_len = 1};
    struct iovec there = here;

    return refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) &&
           refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)) &&
           refused(process_vm_readv(getppid(), &here, 1, &there, 1, 0)) &&
           refused(process_vm_writev(getppid(), &here, 1, &there, 1, 0)) &&
           refused(open("/proc/self/mem", O_RDWR | O_CLOEXEC)) &&
           refused(syscall(SYS_pidfd_open, getppid(), 0));
}

static bool
signal_others(void)
{
    return refused(kill(getppid(), 0)) && refused(kill(-1, 0)) &&
           refused(syscall(SYS_tgkill, getppid(), getppid(), 0)) &&
           refused(syscall(SYS_tkill, getppid(), 0));
}

static bool
become_another(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3] = {{~0U, ~0U, ~0U},
                                                                   {~0U, ~0U, ~0U}};

    return refused(setuid(0)) && refused(setgid(0)) && refused(setresuid(0, 0, 0)) &&
           refused(syscall(SYS_capset, &header, all)) &&
           refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static bool
change_the_tree(void)
{
    return refused(mount("/tmp", "/mnt", NULL, MS_BIND, NULL)) && refused(umount2("/", 0)) &&
           refused(chroot("/")) && refused(unshare(CLONE_NEWUSER)) &&
           refused(syscall(SYS_setns, 0, 0)) && refused(syscall(SYS_pivot_root, ".", ".")) &&
           refused(syscall(SYS_open_tree, AT_FDCWD, "/", 0)) && refused(chdir("/"));
}

static bool
reach_the_kernel(void)
{
    char params[256] = {0};

    return refused(syscall(SYS_bpf, 0, params, sizeof params)) &&
           refused(syscall(SYS_io_uring_setup, 1, params)) &&
           refused(syscall(SYS_userfaultfd, 0)) &&
           refused(syscall(SYS_perf_event_open, params, 0, -1, -1, 0)) &&
           refused(syscall(SYS_add_key, "user", "x", "x", 1, -3)) &&
           refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0)) &&
           refused(syscall(SYS_init_module, params, 0, "")) &&
           refused(syscall(SYS_reboot, 0, 0, 0, NULL)) &&
           refused(syscall(SYS_io_setup, 1, params)) && refused(syscall(SYS_personality, 0));
}

static bool
raise_its_limits(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    return refused(setrlimit(RLIMIT_CORE, &limit)) &&
           refused(prlimit(getppid(), RLIMIT_CORE, &limit, NULL));
}

static const struct {
    const char *name;
    bool (*is_refused)(void);
} attempts[] = {
    {"open a file elsewhere", open_a_file},
    {"open a directory elsewhere", open_a_directory},
    {"open a file beside its directory", open_out_of_its_directory},
    {"open through a symbolic link", open_through_a_link},
    {"open the source again", open_the_source_again},
    {"open by handle", open_by_handle},
    {"make a file elsewhere", make_a_file_elsewhere},
    {"rename out of its directory", rename_out_of_its_directory},
    {"link", link_a_file},
    {"make a node", make_a_node},
    {"change mode or owner", change_a_mode},
    {"write to the source", write_to_the_source},
    {"map the source for writing", map_the_source_to_write},
    {"cut or punch the source", cut_the_source},
    {"copy into the source in the kernel", copy_in_the_kernel},
    {"ioctl on the source", command_the_source},
    {"socket", talk_to_a_network},
    {"another use of its socket", use_its_socket_for_more},
    {"run a program", run_a_program},
    {"start a process", start_a_process},
    {"look into other processes", look_into_processes},
    {"signal other processes", signal_others},
    {"become another user", become_another},
    {"change mounts or namespaces", change_the_tree},
    {"reach further into the kernel", reach_the_kernel},
    {"raise its limits", raise_its_limits},
};

/* --- the process --- */

static void *
nothing(void *arg)
{
    return arg;
}

/* What a worker is there for. */
static bool
can_work(void)
{
    char byte;
    pthread_t thread;
    int fd = openat(WORKER_FD_DIR, "new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    return fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 && fsync(WORKER_FD_DIR) == 0 &&
           renameat(WORKER_FD_DIR, "new", WORKER_FD_DIR, "newer") == 0 &&
           unlinkat(WORKER_FD_DIR, "newer", 0) == 0 && pread(WORKER_FD_SOURCE, &byte, 1, 0) == 1 &&
           send(WORKER_FD_EVENTS, "x", 1, MSG_NOSIGNAL) == 1 &&
           pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

/* With the descriptors where a worker has them, and nothing else but the standard ones. */
static void
enter(int events, int source, int dir)
{
    struct sandbox_state sandbox;
    struct err err = ERR_INIT;
    struct privilege user;
    int dirs[WORKER_DIRS_MAX];
    int high[3] = {fcntl(events, F_DUPFD, 64), fcntl(source, F_DUPFD, 64), fcntl(dir, F_DUPFD, 64)};

    if (dup2(high[0], WORKER_FD_EVENTS) < 0 || dup2(high[1], WORKER_FD_SOURCE) < 0 ||
        dup2(high[2], WORKER_FD_DIR) < 0 || close_range(WORKER_FD_DIR + 1, ~0U, 0) != 0)
        _exit(2);
    privilege_find(getuid() == 0 ? NOBODY : getuid(), getuid() == 0 ? NOBODY : getgid(), &user);
    if (privilege_drop(&user) != 0)
        _exit(3);
    if (worker_sandbox(dirs, 1, false, &sandbox, &err) != 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        _exit(77);
    }
    if (!sandbox.no_new_privs || !sandbox.seccomp || sandbox.landlock_abi < 1 || *sandbox.missing)
        _exit(4);
}

static int
prepare(void **state)
{
    if (scratch_enter(state) != 0 || chmod(".", 0755) != 0 || mkdir("d", 0777) != 0 ||
        chmod("d", 0777) != 0)
        return -1;
    if (symlink("/etc/passwd", "d/link") != 0)
        return -1;
    (void)close(open("d/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    return 0;
}

/* Runs body in the sandbox with the descriptor `source`; its exit status (as of waitpid). */
static int
inside(int source, void (*body)(void))
{
    int pair[2];
    int status;
    pid_t pid;

    assert_true(source >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0) {
        enter(pair[1], source, open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        body();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(pair[0]);
    (void)close(pair[1]);
    (void)close(source);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIP: no sandbox in this kernel\n");
        skip();
    }
    return status;
}

static void
try_everything(void)
{
    int failed = 0;

    if (!can_work()) {
        (void)fprintf(stderr, "the worker's own work is refused (errno %d)\n", errno);
        _exit(5);
    }
    for (size_t i = 0; i < COUNT(attempts); i++) {
        if (attempts[i].is_refused())
            continue;
        (void)fprintf(stderr, "not refused: %s\n", attempts[i].name);
        failed = 6;
    }
    _exit(failed);
}

/* A file's descriptor takes more kinds of harm than a device's. */
static void
on_a_file_all_is_refused(void **state)
{
    AUTO_FD int fd = open("source", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    char now[PAGE];

    (void)state;
    assert_int_equal(ftruncate(fd, PAGE), 0);
    assert_int_equal(inside(open("source", O_RDONLY | O_CLOEXEC), try_everything), 0);
    assert_int_equal(pread(fd, now, sizeof now, 0), PAGE);
    for (size_t i = 0; i < sizeof now; i++)
        assert_int_equal(now[i], 0);
}

static void
on_a_device_all_is_refused(void **state)
{
    struct disk d;

    (void)state;
    attach(&d);
    assert_int_equal(inside(open(d.path, O_RDONLY | O_CLOEXEC), try_everything), 0);
    assert_false(is_read_only(&d));
    detach(&d);
}

/* System calls of another architecture, whose numbers the filter does not know, end the process. */
static void
call_as_32_bits(void)
{
#if defined(__x86_64__)
    long r;

    __asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory"); /* getpid of i386 */
    _exit(r < 0 ? 9 : 8);
#endif
}

static void
other_architectures_end_it(void **state)
{
    int status;

    (void)state;
#if !defined(__x86_64__)
    skip();
#endif
    status = inside(open("/dev/null", O_RDONLY | O_CLOEXEC), call_as_32_bits);
    /* Killed by the filter; or by a kernel that has no such calls. */
    assert_true(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_file_all_is_refused),
        cmocka_unit_test(on_a_device_all_is_refused),
        cmocka_unit_test(other_architectures_end_it),
    };

    /* Its own threads wait for ever for a child that dies within a system call. */
    if (SANITIZED_THREAD) {
        (void)puts("SKIP: a child that the sandbox kills hangs under ThreadSanitizer");
        return 77;
    }
    return cmocka_run_group_tests(tests, prepare, scratch_leave);
}
