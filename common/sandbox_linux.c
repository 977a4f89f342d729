#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

/* Access rights of Landlock's first version (Linux 5.13), and what later ones added. Rights that
   the running kernel does not know must not be named. */
#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS                                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                              \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)
#define ALL_RIGHTS_V1 ((UINT64_C(1) << 13) - 1)
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (UINT64_C(1) << 13)
#endif
#define RIGHT_TRUNCATE (UINT64_C(1) << 14) /* version 3 */

static long
landlock_abi(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static int
allow_below(int ruleset, const int *dirs, size_t n, uint64_t rights, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct landlock_path_beneath_attr attr = {.allowed_access = rights, .parent_fd = dirs[i]};
        struct stat st;

        /* A rule on a file may not name rights that only directories have. */
        if (fstat(dirs[i], &st) == 0 && !S_ISDIR(st.st_mode))
            attr.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) != 0)
            return err_errno(err, "cannot add a Landlock rule");
    }
    return 0;
}

/* Rights in `untouched` stay as they are. */
static int
enter_landlock(const struct sandbox_spec *spec, uint64_t untouched, struct sandbox_state *state,
               struct err *err)
{
    long abi = landlock_abi();
    uint64_t handled = ALL_RIGHTS_V1;
    uint64_t writing = READ_RIGHTS | WRITE_RIGHTS;
    struct landlock_ruleset_attr attr = {0};

    if (abi < 1)
        return err_errno(err, "Landlock is not available in this kernel");
    if (abi >= 2)
        handled |= LANDLOCK_ACCESS_FS_REFER;
    /* Moving a file from one of the directories to another of them. */
    if (abi >= 2)
        writing |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) {
        handled |= RIGHT_TRUNCATE;
        writing |= RIGHT_TRUNCATE;
    }
    if (spec->allow_dirs)
        writing |= LANDLOCK_ACCESS_FS_MAKE_DIR;
    handled &= ~untouched;
    attr.handled_access_fs = handled;
    /* The size that the first version knew, as only its field is used. */
    AUTO_FD int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0);
    if (ruleset < 0)
        return err_errno(err, "cannot create a Landlock ruleset");
    if (allow_below(ruleset, spec->write_dirs, spec->n_write_dirs, writing & handled, err) != 0 ||
        allow_below(ruleset, spec->read_dirs, spec->n_read_dirs, READ_RIGHTS & handled, err) != 0)
        return -1;
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        return err_errno(err, "cannot enter Landlock");
    state->landlock_abi = (int)abi;
    return 0;
}

/* What reading, hashing, compressing and writing files needs, and what glibc, its threads, OpenSSL
   and the sanitizers' run-time call on their own. No ioctl: a worker holds the source. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(preadv2),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(pwritev2),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(fstat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(fstatfs),
    SCMP_SYS(statfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(lseek),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(fcntl),
    SCMP_SYS(getcwd),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(sync_file_range),
    SCMP_SYS(fadvise64),
    SCMP_SYS(fallocate),
    SCMP_SYS(ftruncate),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(mincore),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(wait4), /* for children from before */
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),

    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(umask),
};

static const int for_sockets[] = {
    SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(shutdown),
};

static int
add_rules(scmp_filter_ctx filter, const struct sandbox_spec *spec)
{
    int r = 0;

    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        r |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    if (spec->allow_send) {
        for (size_t i = 0; i < sizeof for_sockets / sizeof for_sockets[0]; i++)
            r |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, for_sockets[i], 0);
    }
    if (spec->allow_threads) {
        /* clone3's flags lie in memory, out of the filter's sight; ENOSYS makes glibc use clone. */
        r |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        r |= seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
    }
    /* A thread's own place in the queue for the processor, which it can only make worse. */
    r |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(getpriority), 2,
                          SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS, 0), SCMP_A1(SCMP_CMP_EQ, 0, 0));
    r |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setpriority), 2,
                          SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS, 0), SCMP_A1(SCMP_CMP_EQ, 0, 0));
    /* abort() signals its own process; others of the same user are not to be reached. */
    r |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                          SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    /* Reading its own limits is harmless; setting another process's is not. */
    r |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                          SCMP_A2(SCMP_CMP_EQ, 0, 0));
    return r;
}

static int
enter_seccomp(const struct sandbox_spec *spec, struct sandbox_state *state, struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r;

    if (!filter)
        return err_set(err, OUTCOME_FAILED, "cannot make a seccomp filter");
    r = add_rules(filter, spec);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    if (r != 0) {
        errno = r < 0 ? -r : EINVAL;
        return err_errno(err, "cannot load the seccomp filter");
    }
    state->seccomp = true;
    return 0;
}

static void
note_missing(struct sandbox_state *state, const struct err *err)
{
    size_t n = strlen(state->missing);

    (void)snprintf(state->missing + n, sizeof state->missing - n, "%s%s", n ? "; " : "", err->text);
}

static int
give_up_privileges(struct sandbox_state *state, struct err *err)
{
    *state = (struct sandbox_state){0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_errno(err, "cannot give up privileges");
    state->no_new_privs = true;
    return 0;
}

int
sandbox_enter(const struct sandbox_spec *spec, bool lenient, struct sandbox_state *state,
              struct err *err)
{
    if (give_up_privileges(state, err) != 0)
        return -1;
    if (enter_landlock(spec, 0, state, err) != 0) {
        if (!lenient)
            return -1;
        note_missing(state, err);
    }
    if (enter_seccomp(spec, state, err) != 0) {
        if (!lenient)
            return -1;
        note_missing(state, err);
    }
    return 0;
}

int
sandbox_limit(size_t address_space, unsigned cpu_seconds, struct err *err)
{
    const struct {
        __rlimit_resource_t what;
        rlim_t value;
        bool set;
    } limits[] = {
        {RLIMIT_CORE, 0, true},
        {RLIMIT_AS, address_space, address_space != 0},
        {RLIMIT_CPU, cpu_seconds, cpu_seconds != 0},
    };

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit r = {limits[i].value, limits[i].value};

        if (limits[i].set && setrlimit(limits[i].what, &r) != 0)
            return err_errno(err, "cannot set a resource limit");
    }
    return 0;
}

struct sandbox_filter {
    struct sock_fprog program;
    struct sock_filter code[64];
};

/* The library writes a filter to a descriptor; the child that gets it may call nothing of it. */
static int
export_filter(scmp_filter_ctx filter, struct sandbox_filter *out)
{
    AUTO_FD int fd = memfd_create("filter", MFD_CLOEXEC);
    ssize_t n;

    if (fd < 0 || seccomp_export_bpf(filter, fd) != 0)
        return -1;
    n = pread(fd, out->code, sizeof out->code, 0);
    if (n <= 0 || (size_t)n == sizeof out->code || (size_t)n % sizeof out->code[0] != 0)
        return -1;
    out->program =
        (struct sock_fprog){(unsigned short)((size_t)n / sizeof out->code[0]), out->code};
    return 0;
}

struct sandbox_filter *
sandbox_offline_new(struct err *err)
{
    static const int denied[] = {SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(io_uring_setup),
                                 SCMP_SYS(ptrace)};
    struct sandbox_filter *f = xcalloc(1, sizeof *f);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int r = filter ? 0 : -1;

    for (size_t i = 0; r == 0 && i < sizeof denied / sizeof denied[0]; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), denied[i], 0);
    if (r == 0)
        r = export_filter(filter, f);
    if (filter)
        seccomp_release(filter);
    if (r == 0)
        return f;
    free(f);
    (void)err_set(err, OUTCOME_FAILED, "cannot make a filter that denies the network");
    return NULL;
}

void
sandbox_filter_free(struct sandbox_filter *f)
{
    free(f);
}

int
sandbox_filter_apply(const void *filter)
{
    const struct sandbox_filter *f = filter;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f->program, 0, 0) == 0 ? 0 : -1;
}

static int
go_offline(struct sandbox_state *state, struct err *err)
{
    struct sandbox_filter *f = sandbox_offline_new(err);

    if (!f)
        return -1;
    state->seccomp = sandbox_filter_apply(f) == 0;
    sandbox_filter_free(f);
    return state->seccomp ? 0 : err_errno(err, "cannot shut out the network");
}

int
sandbox_confine(const struct sandbox_spec *spec, bool lenient, struct sandbox_state *state,
                struct err *err)
{
    AUTO_FD int null = open("/dev/null", O_PATH | O_CLOEXEC);
    AUTO_FREE int *dirs = xcalloc(spec->n_write_dirs + 1, sizeof *dirs);
    struct sandbox_spec with_null = {
        .write_dirs = dirs, .n_write_dirs = spec->n_write_dirs, .allow_dirs = spec->allow_dirs};

    for (size_t i = 0; i < spec->n_write_dirs; i++)
        dirs[i] = spec->write_dirs[i];
    if (null >= 0) /* programs take it for granted */
        dirs[with_null.n_write_dirs++] = null;
    if (give_up_privileges(state, err) != 0)
        return -1;
    if (enter_landlock(&with_null, READ_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE, state, err) != 0) {
        if (!lenient)
            return -1;
        note_missing(state, err);
    }
    if (!spec->allow_network && go_offline(state, err) != 0) {
        if (!lenient)
            return -1;
        note_missing(state, err);
    }
    return 0;
}
