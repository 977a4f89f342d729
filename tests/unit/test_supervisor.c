/*
 * Speaks the supervisor's protocol to the program itself, as a front would that has gone wrong or
 * over to the other side: whatever it asks out of turn ends the supervisor and changes nothing.
 */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "acquire/record.h"
#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/privilege.h"
#include "common/spawn.h"
#include "common/supervisor_proto.h"
#include "common/text.h"

#define NOBODY 65534
#define DISK_SIZE (1 << 20)

/* --- a supervisor and our end of its socket --- */

struct peer {
    int sock;
    pid_t pid;
};

/* A copy that anyone may reach: the tree may lie in a home directory. */
static const char *copy;

static char *
program(void)
{
    const char *bin = getenv("EXHIBIT_BIN");
    char *path = xasprintf("%s/exhibit-supervisor", bin ? bin : "bin");

    if (access(path, X_OK) != 0)
        fail_msg("no exhibit-supervisor at '%s'; set EXHIBIT_BIN", path);
    return path;
}

static void
make_copy(void)
{
    AUTO_FREE char *path = program();
    AUTO_FREE char *data = NULL;
    struct err err = ERR_INIT;
    size_t n;
    int fd;

    data = infile_read(AT_FDCWD, path, (size_t)256 << 20, &n, &err);
    if (!data)
        fail_msg("%s", err.text);
    assert_int_equal(chmod(".", 0755), 0);
    fd = open("supervisor", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), (ssize_t)n);
    assert_int_equal(fchmod(fd, 0755), 0);
    assert_int_equal(close(fd), 0);
    copy = "./supervisor";
}

/* What it says for people is not looked at. */
static int
quiet(const void *as)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null < 0 || dup2(null, STDERR_FILENO) < 0)
        return -1;
    return as ? privilege_drop(as) : 0;
}

/* The third argument; NULL: none. */
static char *purpose;

static pid_t
start(char *uid, char *gid, const struct spawn_fd *fd, const struct privilege *as)
{
    AUTO_FREE char *path = program();
    char name[] = "exhibit-supervisor";
    char *argv[] = {name, uid, gid, purpose, NULL};
    struct spawn_as with = {.drop = quiet, .to = as};
    struct err err = ERR_INIT;
    pid_t pid = spawn_as(copy ? copy : path, argv, fd, fd ? 1 : 0, &with, &err);

    if (pid < 0)
        fail_msg("%s", err.text);
    return pid;
}

static struct peer
meet_as(uid_t uid, const struct privilege *as)
{
    AUTO_FREE char *number = xasprintf("%u", (unsigned)uid);
    struct spawn_fd fd = {.theirs = SUPERVISOR_FD};
    struct peer p;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fd.ours = pair[1];
    p.sock = pair[0];
    p.pid = start(number, number, &fd, as);
    (void)close(pair[1]);
    return p;
}

static struct peer
meet(void)
{
    return meet_as(getuid(), NULL);
}

static int
status_of(pid_t pid)
{
    struct err err = ERR_INIT;
    int status = -1;

    assert_int_equal(spawn_wait(pid, &status, &err), 0);
    return status;
}

/* Records are for real jobs: those that this supervisor wrote go again. */
static size_t
remove_records(pid_t pid)
{
    AUTO_FREE char *pattern = xasprintf("%s/*-%ld.json", RECORD_DIR, (long)pid);
    glob_t found = {0};
    size_t n = 0;

    if (glob(pattern, 0, NULL, &found) == 0) {
        n = found.gl_pathc;
        for (size_t i = 0; i < n; i++)
            (void)unlink(found.gl_pathv[i]);
    }
    globfree(&found);
    return n;
}

/* Hangs up; the return is the exit status. */
static int
part(struct peer *p)
{
    int status;

    (void)close(p->sock);
    status = status_of(p->pid);
    (void)remove_records(p->pid);
    return status;
}

static void
say(struct peer *p, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct err err = ERR_INIT;

    if (supervisor_send(p->sock, m, fds, n, &err) != 0)
        fail_msg("%s", err.text);
}

/* The next message; false if the supervisor has gone. */
static bool
hear(struct peer *p, struct supervisor_message *m)
{
    int fds[SUPERVISOR_FDS_MAX];
    struct err err = ERR_INIT;
    size_t n;

    return supervisor_receive(p->sock, m, fds, &n, &err) == 1;
}

static struct supervisor_message
ask(struct peer *p, struct supervisor_message m, const int *fds, size_t n)
{
    say(p, &m, fds, n);
    if (!hear(p, &m))
        fail_msg("the supervisor has gone");
    return m;
}

/* The request ends it, without an answer. */
static void
assert_fatal(struct peer p, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message got;

    say(&p, m, fds, n);
    if (hear(&p, &got))
        fail_msg("request %u was answered with %u", m->type, got.type);
    assert_int_equal(part(&p), 1);
}

/* --- without a device --- */

static void
a_front_that_leaves_is_no_error(void **state)
{
    struct peer p = meet();

    (void)state;
    assert_int_equal(part(&p), 0);
}

static void
arguments_are_checked(void **state)
{
    static const char *const bad[] = {"", "-1", "root", "4294967295", "1x"};
    char zero[] = "0";

    (void)state;
    assert_int_equal(status_of(start(NULL, NULL, NULL, NULL)), OUTCOME_USAGE);
    for (size_t i = 0; i < COUNT(bad); i++) {
        AUTO_FREE char *arg = xstrdup(bad[i]);

        assert_int_equal(status_of(start(arg, zero, NULL, NULL)), OUTCOME_USAGE);
        assert_int_equal(status_of(start(zero, arg, NULL, NULL)), OUTCOME_USAGE);
    }
    purpose = (char[]){"acquire"};
    assert_int_equal(status_of(start(zero, zero, NULL, NULL)), OUTCOME_USAGE);
    purpose = NULL;
}

static void
garbage_ends_it(void **state)
{
    struct rng rng = rng_start("supervisor");
    uint8_t noise[2 * sizeof(struct supervisor_message)];

    (void)state;
    for (int round = 0; round < 20; round++) {
        size_t n =
            round % 4 == 0 ? sizeof(struct supervisor_message) : 1 + rng_below(&rng, sizeof noise);
        struct supervisor_message got;
        struct peer p = meet();

        for (size_t i = 0; i < n; i++)
            noise[i] = (uint8_t)rng_next(&rng);
        noise[0] |= 0x40; /* no request by chance */
        assert_int_equal(send(p.sock, noise, n, MSG_NOSIGNAL), n);
        assert_false(hear(&p, &got));
        assert_int_equal(part(&p), 1);
    }
}

/* In the first state only OPEN, START and RELEASE are requests; answers never are. */
static void
requests_out_of_state_end_it(void **state)
{
    (void)state;
    for (uint32_t type = 0; type <= SUPERVISOR_REFUSED + 1; type++) {
        struct supervisor_message m = {.type = type};

        if (type != SUPERVISOR_OPEN && type != SUPERVISOR_RELEASE) /* START: without descriptors */
            assert_fatal(meet(), &m, NULL, 0);
    }
}

static void
requests_that_do_not_hold_together_end_it(void **state)
{
    struct supervisor_message open_it = {.type = SUPERVISOR_OPEN, .level = WRITE_BLOCK_NONE + 1};
    struct supervisor_message release = {.type = SUPERVISOR_RELEASE};
    struct supervisor_message text = {.type = SUPERVISOR_OPEN};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_fatal(meet(), &open_it, NULL, 0);
    open_it.level = UINT32_MAX;
    assert_fatal(meet(), &open_it, NULL, 0);
    open_it.level = 0;
    assert_fatal(meet(), &open_it, &null, 1); /* with descriptors, where none belong */
    assert_fatal(meet(), &release, &null, 1);
    memset(text.text, 'a', sizeof text.text);
    assert_fatal(meet(), &text, NULL, 0);
    (void)close(null);
}

static void
devices_that_are_not_there_are_refused(void **state)
{
    static const uint64_t numbers[] = {0, 0x0103,
                                       UINT64_MAX}; /* 1:3 is /dev/null, no block device */
    struct peer p = meet();

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct supervisor_message m = {.type = SUPERVISOR_OPEN, .device = numbers[i]};

        /* 1:3 as a block device is ram3, where there is one. */
        if (numbers[i] == 0x0103 && access("/dev/ram3", F_OK) == 0)
            continue;
        m = ask(&p, m, NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_REFUSED);
        assert_true(m.text[0] != '\0');
        m = (struct supervisor_message){.type = SUPERVISOR_RELEASE, .device = numbers[i]};
        m = ask(&p, m, NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_REFUSED);
    }
    assert_int_equal(part(&p), 0);
}

/* --- starting a worker on a file --- */

struct start_fds {
    int events; /* our end */
    int fds[SUPERVISOR_FDS_MAX];
};

static struct start_fds
make_start(const char *source)
{
    struct start_fds s;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    s.events = pair[0];
    s.fds[0] = pair[1];
    s.fds[1] = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s.fds[2] = open(source, O_RDONLY | O_CLOEXEC);
    for (int i = 3; i < SUPERVISOR_FDS_MAX; i++)
        s.fds[i] = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < SUPERVISOR_FDS_MAX; i++)
        assert_true(s.fds[i] >= 0);
    return s;
}

static void
end_start(struct start_fds *s)
{
    (void)close(s->events);
    for (int i = 0; i < SUPERVISOR_FDS_MAX; i++)
        (void)close(s->fds[i]);
}

static void
make_file(const char *name)
{
    AUTO_FD int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
}

/* Sources that are no regular files go through OPEN, where the policy is. */
static void
only_files_start_without_open(void **state)
{
    static const char *const sources[] = {"/dev/null", "/", "/dev/loop-control"};
    struct supervisor_message m = {.type = SUPERVISOR_START};

    (void)state;
    for (size_t i = 0; i < COUNT(sources); i++) {
        struct start_fds s;

        if (access(sources[i], R_OK) != 0)
            continue;
        s = make_start(sources[i]);
        assert_fatal(meet(), &m, s.fds, 3);
        end_start(&s);
    }
}

static void
counts_must_agree(void **state)
{
    static const uint32_t copies[] = {8, 9, UINT32_MAX, UINT32_MAX - 1};
    struct supervisor_message m = {.type = SUPERVISOR_START};
    struct start_fds s;

    (void)state;
    make_file("source");
    s = make_start("source");
    for (size_t i = 0; i < COUNT(copies); i++) {
        m.n_copies = copies[i];
        for (size_t n = 0; n <= SUPERVISOR_FDS_MAX; n++)
            assert_fatal(meet(), &m, s.fds, n);
    }
    m.n_copies = 0;
    for (size_t n = 0; n <= SUPERVISOR_FDS_MAX; n++) {
        if (n != 3)
            assert_fatal(meet(), &m, s.fds, n);
    }
    m.n_copies = 1;
    assert_fatal(meet(), &m, s.fds, 3);
    end_start(&s);
}

/* Waits until the process runs the worker's program; false if it ended before. */
static bool
worker_runs(pid_t pid)
{
    AUTO_FREE char *path = xasprintf("/proc/%ld/comm", (long)pid);

    for (int i = 0; i < 500; i++) {
        AUTO_FILE FILE *f = fopen(path, "re");
        char name[32] = "";

        if (!f || !fgets(name, sizeof name, f))
            return false;
        if (strncmp(name, "exhibit-worker", 14) == 0)
            return true;
        (void)usleep(10000);
    }
    return false;
}

/* The first number of a line of /proc/PID/status. */
static uint64_t
status_field(pid_t pid, const char *key, int base)
{
    AUTO_FREE char *path = xasprintf("/proc/%ld/status", (long)pid);
    AUTO_FILE FILE *f = fopen(path, "re");
    char line[256];

    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, key, strlen(key)) == 0)
            return strtoull(line + strlen(key), NULL, base);
    }
    fail_msg("no '%s' in %s", key, path);
    return 0;
}

static void
a_worker_runs_as_the_user_and_ends(void **state)
{
    uid_t user = getuid() == 0 ? NOBODY : getuid();
    struct supervisor_message m = {.type = SUPERVISOR_START};
    struct peer p = meet_as(user, NULL);
    struct start_fds s;
    pid_t worker;

    (void)state;
    make_file("source");
    s = make_start("source");
    m = ask(&p, m, s.fds, 3);
    assert_int_equal(m.type, SUPERVISOR_STARTED);
    worker = (pid_t)m.status;
    if (worker_runs(worker)) {
        assert_int_equal(status_field(worker, "Uid:", 10), user);
        assert_int_equal(status_field(worker, "CapEff:", 16), 0);
        assert_int_equal(status_field(worker, "CapPrm:", 16), 0);
        if (getuid() == 0)
            assert_int_equal(status_field(worker, "CapBnd:", 16), 0);
        assert_int_equal(status_field(worker, "NoNewPrivs:", 10), 1);
    } else {
        print_message("note: uid %u cannot run the programs where they lie\n", (unsigned)user);
    }
    end_start(&s); /* the front hangs up on the worker, which ends */
    assert_true(hear(&p, &m));
    assert_int_equal(m.type, SUPERVISOR_ENDED);
    assert_int_not_equal(m.status, 0);
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_CHECK}, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_CHECKED);
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_FINISH}, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_FINISHED);
    assert_string_equal(m.text, ""); /* a file has no record */
    assert_int_equal(part(&p), 0);
}

/* With a worker running, breaking the protocol or leaving takes the worker along. */
static void
the_worker_never_outlives_it(void **state)
{
    static const struct supervisor_message wrong[] = {
        {.type = SUPERVISOR_START},   {.type = SUPERVISOR_OPEN},    {.type = SUPERVISOR_FINISH},
        {.type = SUPERVISOR_RELEASE}, {.type = SUPERVISOR_REFUSED}, {.type = 0},
    };

    (void)state;
    make_file("source");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct supervisor_message m = {.type = SUPERVISOR_START};
        struct start_fds s = make_start("source");
        struct peer p = meet();
        pid_t worker;

        m = ask(&p, m, s.fds, 3);
        assert_int_equal(m.type, SUPERVISOR_STARTED);
        worker = (pid_t)m.status;
        if (wrong[i].type == 0) {
            assert_int_equal(part(&p), 0); /* the front only leaves */
        } else {
            assert_fatal(p, &wrong[i], NULL, 0);
        }
        assert_int_equal(kill(worker, 0), -1);
        assert_int_equal(errno, ESRCH);
        end_start(&s);
    }
}

/* --- without root --- */

static void
nobody_speaks_for_others(void **state)
{
    const struct privilege nobody = {.uid = NOBODY, .gid = NOBODY};
    char root[] = "0";
    char self[] = "65534";

    (void)state;
    if (getuid() != 0) {
        print_message("SKIP: needs root\n");
        skip();
    }
    make_copy();
    assert_int_equal(status_of(start(root, root, NULL, &nobody)), OUTCOME_REFUSED);
    assert_int_equal(status_of(start(self, root, NULL, &nobody)), OUTCOME_REFUSED);
    assert_int_equal(status_of(start(root, self, NULL, &nobody)), OUTCOME_REFUSED);
    copy = NULL;
}

/* --- with a device --- */

struct disk {
    char path[64];
    int fd;
    uint64_t number;
};

/* The device goes with the last descriptor of it, also when a test fails. */
static bool
attach_once(struct disk *d, int control, int file)
{
    struct loop_config config = {.fd = (uint32_t)file, .info.lo_flags = LO_FLAGS_AUTOCLEAR};
    AUTO_FD int writable = -1; /* else the device would be read-only from the start */
    int n = ioctl(control, LOOP_CTL_GET_FREE);
    struct stat st;

    if (n < 0)
        return false;
    (void)snprintf(d->path, sizeof d->path, "/dev/loop%d", n);
    writable = open(d->path, O_RDWR | O_CLOEXEC);
    if (writable < 0 || ioctl(writable, LOOP_CONFIGURE, &config) != 0)
        return false;
    d->fd = open(d->path, O_RDONLY | O_CLOEXEC);
    if (d->fd < 0 || fstat(d->fd, &st) != 0)
        return false;
    d->number = (uint64_t)st.st_rdev;
    return true;
}

static bool
is_read_only(const struct disk *d)
{
    int value = -1;

    assert_int_equal(ioctl(d->fd, BLKROGET, &value), 0);
    return value != 0;
}

static void
set_read_only(const struct disk *d, int value)
{
    assert_int_equal(ioctl(d->fd, BLKROSET, &value), 0);
}

static void
attach(struct disk *d)
{
    AUTO_FD int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    AUTO_FD int file = -1;

    make_file("disk");
    file = open("disk", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 20; i++) { /* others take loop devices as well */
        if (attach_once(d, control, file)) {
            set_read_only(d, 0); /* whoever had it before may have left the flag */
            return;
        }
        (void)usleep(20000);
    }
    print_message("SKIP: needs root and loop devices\n");
    skip();
}

static void
detach(struct disk *d)
{
    int off = 0;

    (void)ioctl(d->fd, BLKROSET, &off);
    (void)close(d->fd);
}

static struct supervisor_message
opening(const struct disk *d)
{
    return (struct supervisor_message){.type = SUPERVISOR_OPEN, .device = d->number};
}

static void
a_device_is_held_and_released(void **state)
{
    struct supervisor_message m;
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    p = meet();
    m = ask(&p, opening(&d), NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_OPENED);
    assert_int_equal(m.size, DISK_SIZE);
    assert_int_equal(m.level, WRITE_BLOCK_READ_ONLY_FLAG);
    assert_int_equal(m.before.read_only, 0);
    assert_int_equal(m.now.read_only, m.now.nodes);
    assert_true(is_read_only(&d));
    assert_int_equal(open(d.path, O_RDONLY | O_EXCL | O_CLOEXEC), -1); /* nobody else holds it */
    set_read_only(&d, 0);
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_CHECK}, NULL, 0);
    assert_int_equal(m.lost, 1); /* noticed, and set again */
    assert_int_equal(m.size, DISK_SIZE);
    assert_true(is_read_only(&d));
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_FINISH}, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_FINISHED);
    assert_int_equal(m.outcome, 0);
    assert_int_equal(access(m.text, R_OK), 0); /* the record */
    assert_true(is_read_only(&d));             /* the block stays */
    m = (struct supervisor_message){.type = SUPERVISOR_RELEASE, .device = d.number};
    m = ask(&p, m, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_RELEASED);
    assert_false(is_read_only(&d));
    assert_int_equal(part(&p), 0);
    detach(&d);
}

/* A refused job changes nothing. */
static void
refusals_leave_the_device_alone(void **state)
{
    struct supervisor_message wrong[4];
    struct supervisor_message m;
    struct disk d;
    struct peer p;
    int busy;

    (void)state;
    attach(&d);
    for (size_t i = 0; i < COUNT(wrong); i++)
        wrong[i] = opening(&d);
    wrong[0].level = WRITE_BLOCK_BPF_LSM;                            /* not to be had */
    wrong[1].diskseq = UINT64_C(1) << 60;                            /* another medium */
    (void)snprintf(wrong[2].text, sizeof wrong[2].text, "WD-OTHER"); /* another serial number */
    p = meet();
    for (size_t i = 0; i < 3; i++) {
        m = ask(&p, wrong[i], NULL, 0);
        assert_int_equal(m.type, SUPERVISOR_REFUSED);
        assert_int_equal(m.outcome, OUTCOME_REFUSED);
        assert_false(is_read_only(&d));
    }
    busy = open(d.path, O_RDONLY | O_EXCL | O_CLOEXEC);
    assert_true(busy >= 0);
    m = ask(&p, wrong[3], NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_REFUSED);
    assert_int_equal(m.outcome, OUTCOME_REFUSED);
    assert_non_null(strstr(m.text, "busy"));
    assert_false(is_read_only(&d));
    (void)close(busy);
    m = ask(&p, wrong[3], NULL, 0); /* and after all that it still works */
    assert_int_equal(m.type, SUPERVISOR_OPENED);
    assert_int_equal(part(&p), 0);
    detach(&d);
}

static void
without_a_write_block_nothing_is_set(void **state)
{
    struct supervisor_message m;
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    p = meet();
    m = opening(&d);
    m.level = WRITE_BLOCK_NONE;
    m = ask(&p, m, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_OPENED);
    assert_int_equal(m.level, WRITE_BLOCK_NONE);
    assert_int_equal(m.now.read_only, 0);
    assert_false(is_read_only(&d));
    assert_int_equal(part(&p), 0);
    assert_false(is_read_only(&d));
    detach(&d);
}

/* Misbehaviour while a device is held: it is let go, and the write block stays. */
static void
a_held_device_stays_blocked(void **state)
{
    struct start_fds s;
    struct disk d;

    (void)state;
    make_file("source");
    attach(&d);
    s = make_start("source");
    for (int i = 0; i < 4; i++) {
        struct peer p = meet();
        struct supervisor_message m = ask(&p, opening(&d), NULL, 0);

        assert_int_equal(m.type, SUPERVISOR_OPENED);
        m = opening(&d);
        if (i == 1) /* lifting the block under the job */
            m.type = SUPERVISOR_RELEASE;
        if (i == 2) /* another source than the one that is held */
            m = (struct supervisor_message){.type = SUPERVISOR_START};
        if (i == 3)
            m.type = 77;
        assert_fatal(p, &m, s.fds, i == 2 ? 3 : 0);
        assert_true(is_read_only(&d));
        set_read_only(&d, 0);
    }
    end_start(&s);
    detach(&d);
}

/* A descriptor of a device, however the front came by it, is no file. */
static void
a_device_cannot_come_as_a_file(void **state)
{
    struct supervisor_message m = {.type = SUPERVISOR_START};
    struct start_fds s;
    struct disk d;

    (void)state;
    attach(&d);
    s = make_start(d.path);
    assert_fatal(meet(), &m, s.fds, 3);
    assert_false(is_read_only(&d));
    end_start(&s);
    detach(&d);
}

/* What the supervisor saw is written down even when the front breaks off. */
static void
a_record_is_kept_of_every_held_device(void **state)
{
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    p = meet();
    assert_int_equal(ask(&p, opening(&d), NULL, 0).type, SUPERVISOR_OPENED);
    (void)close(p.sock);
    assert_int_equal(status_of(p.pid), 0);
    assert_int_equal(remove_records(p.pid), 1);
    /* No job began: the device is as it was. */
    assert_false(is_read_only(&d));
    detach(&d);
}

/* --- lending --- */

static void
held_to_compare(struct peer *p, const struct disk *d)
{
    char compare[] = SUPERVISOR_COMPARE;

    purpose = compare;
    *p = meet();
    purpose = NULL;
    assert_int_equal(ask(p, opening(d), NULL, 0).type, SUPERVISOR_OPENED);
    assert_true(is_read_only(d));
}

static void
a_device_is_lent_for_a_comparison_only(void **state)
{
    static const struct supervisor_message wrong[] = {
        {.type = SUPERVISOR_START}, {.type = SUPERVISOR_RELEASE}, {.type = SUPERVISOR_OPEN}};
    struct supervisor_message lend = {.type = SUPERVISOR_LEND};
    struct disk d;
    struct peer p;

    (void)state;
    attach(&d);
    p = meet();
    assert_int_equal(ask(&p, opening(&d), NULL, 0).type, SUPERVISOR_OPENED);
    assert_fatal(p, &lend, NULL, 0);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        held_to_compare(&p, &d);
        assert_fatal(p, &wrong[i], NULL, 0);
    }
    held_to_compare(&p, &d);
    assert_int_equal(ask(&p, lend, NULL, 0).type, SUPERVISOR_LENT);
    assert_fatal(p, &lend, NULL, 0); /* once */
    detach(&d);
}

static void
what_is_lent_can_only_be_read(void **state)
{
    struct supervisor_message m = {.type = SUPERVISOR_LEND};
    int fds[SUPERVISOR_FDS_MAX];
    struct err err = ERR_INIT;
    char byte = 1;
    struct disk d;
    struct peer p;
    size_t n;

    (void)state;
    attach(&d);
    held_to_compare(&p, &d);
    say(&p, &m, NULL, 0);
    assert_int_equal(supervisor_receive(p.sock, &m, fds, &n, &err), 1);
    assert_int_equal(n, 1);
    assert_int_equal(pread(fds[0], &byte, 1, 0), 1);
    assert_int_equal(byte, 0);
    assert_int_equal(pwrite(fds[0], &byte, 1, 0), -1);
    m = ask(&p, (struct supervisor_message){.type = SUPERVISOR_FINISH}, NULL, 0);
    assert_int_equal(m.type, SUPERVISOR_FINISHED);
    assert_int_equal(m.outcome, 0);
    assert_true(is_read_only(&d));
    (void)close(fds[0]);
    (void)part(&p);
    detach(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_front_that_leaves_is_no_error),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(garbage_ends_it),
        cmocka_unit_test(requests_out_of_state_end_it),
        cmocka_unit_test(requests_that_do_not_hold_together_end_it),
        cmocka_unit_test(devices_that_are_not_there_are_refused),
        cmocka_unit_test(only_files_start_without_open),
        cmocka_unit_test(counts_must_agree),
        cmocka_unit_test(a_worker_runs_as_the_user_and_ends),
        cmocka_unit_test(the_worker_never_outlives_it),
        cmocka_unit_test(nobody_speaks_for_others),
        cmocka_unit_test(a_device_is_held_and_released),
        cmocka_unit_test(refusals_leave_the_device_alone),
        cmocka_unit_test(without_a_write_block_nothing_is_set),
        cmocka_unit_test(a_held_device_stays_blocked),
        cmocka_unit_test(a_device_cannot_come_as_a_file),
        cmocka_unit_test(a_record_is_kept_of_every_held_device),
        cmocka_unit_test(a_device_is_lent_for_a_comparison_only),
        cmocka_unit_test(what_is_lent_can_only_be_read),
    };

    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
