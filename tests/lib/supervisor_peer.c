#include "tests/lib/supervisor_peer.h"

#include <fcntl.h>
#include <glob.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "acquire/supervisor/record.h"
#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/text.h"

static char *more[3];

void
peer_arguments(const char *third, const char *fourth, const char *fifth)
{
    const char *const given[COUNT(more)] = {third, fourth, fifth};

    for (size_t i = 0; i < COUNT(given); i++) {
        free(more[i]);
        more[i] = given[i] ? xstrdup(given[i]) : NULL;
    }
}

/* The tree may lie in a home directory. */
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

void
peer_use_copy(bool use)
{
    AUTO_FREE char *path = program();
    AUTO_FREE char *data = NULL;
    struct err err = ERR_INIT;
    size_t n;
    int fd;

    copy = NULL;
    if (!use)
        return;
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

pid_t
peer_start(const char *uid, const char *gid, const struct spawn_fd *fd, const struct privilege *as)
{
    AUTO_FREE char *path = program();
    AUTO_FREE char *user = uid ? xstrdup(uid) : NULL;
    AUTO_FREE char *group = gid ? xstrdup(gid) : NULL;
    char name[] = "exhibit-supervisor";
    char *argv[] = {name, user, group, more[0], more[1], more[2], NULL};
    struct spawn_as with = {.drop = quiet, .to = as};
    struct err err = ERR_INIT;
    pid_t pid = spawn_as(copy ? copy : path, argv, fd, fd ? 1 : 0, &with, &err);

    if (pid < 0)
        fail_msg("%s", err.text);
    return pid;
}

struct peer
meet_as(uid_t uid)
{
    AUTO_FREE char *number = xasprintf("%u", (unsigned)uid);
    struct spawn_fd fd = {.theirs = SUPERVISOR_FD};
    struct peer p;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fd.ours = pair[1];
    p.sock = pair[0];
    p.pid = peer_start(number, number, &fd, NULL);
    (void)close(pair[1]);
    return p;
}

struct peer
meet(void)
{
    return meet_as(getuid());
}

int
status_of(pid_t pid)
{
    struct err err = ERR_INIT;
    int status = -1;

    assert_int_equal(spawn_wait(pid, &status, &err), 0);
    return status;
}

static void
remove_records(pid_t pid)
{
    AUTO_FREE char *pattern = xasprintf("%s/*-%ld.json", RECORD_DIR, (long)pid);
    glob_t found = {0};

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            (void)unlink(found.gl_pathv[i]);
    }
    globfree(&found);
}

int
part(struct peer *p)
{
    int status;

    (void)close(p->sock);
    status = status_of(p->pid);
    remove_records(p->pid);
    return status;
}

void
say(struct peer *p, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct err err = ERR_INIT;

    if (supervisor_send(p->sock, m, fds, n, &err) != 0)
        fail_msg("%s", err.text);
}

/* The next message; false if the supervisor has gone. */
bool
hear(struct peer *p, struct supervisor_message *m)
{
    int fds[SUPERVISOR_FDS_MAX];
    struct err err = ERR_INIT;
    size_t n;

    return supervisor_receive(p->sock, m, fds, &n, &err) == 1;
}

struct supervisor_message
ask(struct peer *p, struct supervisor_message m, const int *fds, size_t n)
{
    say(p, &m, fds, n);
    if (!hear(p, &m))
        fail_msg("the supervisor has gone");
    return m;
}

/* The request ends it, without an answer. */
void
assert_fatal(struct peer p, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message got;

    say(&p, m, fds, n);
    if (hear(&p, &got))
        fail_msg("request %u was answered with %u", m->type, got.type);
    assert_int_equal(part(&p), 1);
}

struct start_fds
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

void
end_start(struct start_fds *s)
{
    (void)close(s->events);
    for (int i = 0; i < SUPERVISOR_FDS_MAX; i++)
        (void)close(s->fds[i]);
}

void
make_file(const char *name)
{
    AUTO_FD int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
}

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

bool
is_read_only(const struct disk *d)
{
    int value = -1;

    assert_int_equal(ioctl(d->fd, BLKROGET, &value), 0);
    return value != 0;
}

void
set_read_only(const struct disk *d, int value)
{
    assert_int_equal(ioctl(d->fd, BLKROSET, &value), 0);
}

void
attach(struct disk *d)
{
    AUTO_FD int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    AUTO_FD int file = -1;

    make_file("disk");
    file = open("disk", O_RDWR | O_CLOEXEC);
    /* Of several tests that ask for a free device at a time, each would get the same one, and those
       who come too late would have it open for writing under the supervisor's eyes. */
    (void)flock(control, LOCK_EX);
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

void
detach(struct disk *d)
{
    int off = 0;

    (void)ioctl(d->fd, BLKROSET, &off);
    (void)close(d->fd);
}

struct supervisor_message
opening(const struct disk *d)
{
    return (struct supervisor_message){
        .type = SUPERVISOR_OPEN, .device = d->number, .level = WRITE_BLOCK_READ_ONLY_FLAG};
}
