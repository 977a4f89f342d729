#include "acquire/daemon/daemon_run.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "acquire/front/jobstate.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/session.h"
#include "common/spawn.h"
#include "common/supervisor_proto.h"
#include "common/text.h"

#define LINE_MAX_BYTES 4096
#define RUN_SUPERVISOR_FD 3
#define RUN_SUPERVISOR_FD_TEXT "3"
/* How long a supervisor, or a worker in the midst of a read, may outlive the front. */
#define REST_END_NS UINT64_C(15000000000)

struct child {
    pid_t pid; /* 0: has ended */
    struct job_process identity;
    int status;
};

struct run {
    struct child front, supervisor;
    uid_t uid;
    uint64_t front_ended; /* monotonic ns */
    int out;              /* the front's stderr, or -1 */
    char line[LINE_MAX_BYTES];
    size_t n;
    bool cut; /* the rest of a line that is too long is passed over */
};

/* --- identity --- */

struct process {
    char text[1024];
    const char *name_end; /* in it; NULL: there is no such process */
};

/* proc(5), /proc/PID/stat: the name, field 2, may hold anything but ends at the last ')'. */
static void
process_read(long pid, struct process *p)
{
    AUTO_FREE char *path = xasprintf("/proc/%ld/stat", pid);
    AUTO_FILE FILE *f = fopen(path, "re");
    size_t n = f ? fread(p->text, 1, sizeof p->text - 1, f) : 0;

    p->text[n] = '\0';
    p->name_end = strrchr(p->text, ')');
}

/* The field's text; empty where there is none. */
static const char *
process_field(const struct process *p, int field)
{
    const char *at = p->name_end;

    for (int i = 2; at && i < field; i++)
        at = strchr(at + 1, ' ');
    return at ? at + 1 : "";
}

static bool
process_named(const struct process *p, const char *start)
{
    const char *name = strchr(p->text, '(');

    return p->name_end && name && strncmp(name + 1, start, strlen(start)) == 0;
}

/* Of one that has ended, its entry may stay; with threads beside the first one something still
   waits in the kernel. */
static bool
process_has_ended(const struct process *p)
{
    return !p->name_end ||
           (*process_field(p, 3) == 'Z' && strtol(process_field(p, 20), NULL, 10) <= 1);
}

static uint64_t
process_start(const struct process *p)
{
    return strtoull(process_field(p, 22), NULL, 10);
}

bool
run_left_behind(const struct job_process *p, int sig)
{
    struct process now;

    if (p->pid <= 0)
        return false;
    AUTO_FD int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    process_read(p->pid, &now);
    if (fd < 0 || process_has_ended(&now) || process_start(&now) != p->start)
        return false;
    if (sig != 0)
        (void)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
    /* One that its user has stopped (SIGSTOP) is asked as well. */
    if (sig != 0)
        (void)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
    return true;
}

/* --- workers without a supervisor --- */

/* proc(5), /proc/PID/status: "Uid:", then the real one. */
static bool
belongs_to(long pid, uid_t uid)
{
    AUTO_FREE char *path = xasprintf("/proc/%ld/status", pid);
    AUTO_FILE FILE *f = fopen(path, "re");
    AUTO_FREE char *line = NULL;
    size_t room = 0;

    while (f && getline(&line, &room, f) > 0) {
        if (strncmp(line, "Uid:", 4) == 0)
            return strtoul(line + 4, NULL, 10) == uid;
    }
    return false;
}

static bool
is_orphan(long pid, uid_t uid)
{
    struct process p;
    struct process parent;

    process_read(pid, &p);
    if (!process_named(&p, "exhibit-worker)") || process_has_ended(&p) || !belongs_to(pid, uid))
        return false;
    process_read(strtol(process_field(&p, 4), NULL, 10), &parent);
    return !process_named(&parent, "exhibit-");
}

bool
run_has_orphan(uid_t uid)
{
    AUTO_DIR DIR *d = opendir("/proc");
    const struct dirent *e;
    bool found = false;

    while (!found && d && (e = readdir(d)))
        found = isdigit((unsigned char)e->d_name[0]) && is_orphan(strtol(e->d_name, NULL, 10), uid);
    return found;
}

/* --- starting --- */

int
run_become(const void *user)
{
    const struct run_user *u = user;

    /* After the change of identity, which would undo it. */
    if (privilege_drop(&u->as) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0)
        return -1;
    return getppid() == u->daemon ? 0 : -1;
}

static pid_t
start_supervisor(const struct run_spec *spec, int theirs, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-supervisor", err);
    AUTO_FREE char *uid = xasprintf("%u", (unsigned)spec->job->facts.uid);
    AUTO_FREE char *gid = xasprintf("%u", (unsigned)spec->job->gid);
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    size_t n = 0;
    struct spawn_fd map[] = {{.ours = null, .theirs = STDIN_FILENO},
                             {.ours = null, .theirs = STDOUT_FILENO},
                             {.ours = theirs, .theirs = SUPERVISOR_FD}};
    char **argv;
    pid_t pid;

    while (spec->policy && spec->policy[n])
        n++;
    argv = xcalloc(n + 4, sizeof *argv);
    argv[0] = (char[]){"exhibit-supervisor"};
    argv[1] = uid;
    argv[2] = gid;
    for (size_t i = 0; i < n; i++)
        argv[3 + i] = spec->policy[i];
    pid = path ? spawn(path, argv, map, sizeof map / sizeof map[0], err) : -1;
    free((void *)argv);
    return pid;
}

static pid_t
start_front(const struct run_spec *spec, int supervisor, int out, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path("exhibit-acquire", err);
    AUTO_FREE char *id = xasprintf("%" PRIu64, spec->job->facts.id);
    AUTO_FREE struct run_user *user = xcalloc(1, sizeof *user);
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct spawn_as as = {.drop = run_become, .to = user};
    struct spawn_fd map[] = {{.ours = null, .theirs = STDIN_FILENO},
                             {.ours = null, .theirs = STDOUT_FILENO},
                             {.ours = out, .theirs = STDERR_FILENO},
                             {.ours = supervisor, .theirs = RUN_SUPERVISOR_FD}};
    pid_t pid;

    privilege_find((uid_t)spec->job->facts.uid, spec->job->gid, &user->as);
    user->daemon = getpid();
    if (!path)
        return -1;
    (void)setenv(SESSION_VARIABLE, RUN_SUPERVISOR_FD_TEXT, 1);
    (void)setenv(DAEMON_JOB_VARIABLE, id, 1);
    pid = spawn_as(path, spec->argv, map, sizeof map / sizeof map[0], &as, err);
    /* Nobody else is to take them for theirs. */
    (void)unsetenv(SESSION_VARIABLE);
    (void)unsetenv(DAEMON_JOB_VARIABLE);
    return pid;
}

static void
note_child(struct child *c, pid_t pid)
{
    struct process now;

    c->pid = pid;
    c->identity.pid = pid;
    process_read(pid, &now);
    c->identity.start = process_start(&now);
}

static int
start_both(struct run *r, const struct run_spec *spec, const int sock[2], int out, struct err *err)
{
    pid_t pid = start_supervisor(spec, sock[1], err);

    if (pid < 0)
        return -1;
    note_child(&r->supervisor, pid);
    pid = start_front(spec, sock[0], out, err);
    if (pid < 0)
        return -1;
    note_child(&r->front, pid);
    return 0;
}

struct run *
run_start(const struct run_spec *spec, struct err *err)
{
    struct run *r;
    int sock[2];
    int out[2];
    int ok;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) != 0) {
        (void)err_errno(err, "cannot make a socket");
        return NULL;
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        (void)err_errno(err, "cannot make a pipe");
        (void)close(sock[0]);
        (void)close(sock[1]);
        return NULL;
    }
    r = xcalloc(1, sizeof *r);
    r->uid = (uid_t)spec->job->facts.uid;
    r->out = out[0];
    ok = fcntl(out[0], F_SETFL, O_NONBLOCK) == 0 ? start_both(r, spec, sock, out[1], err)
                                                 : err_errno(err, "cannot make a pipe");
    (void)close(sock[0]);
    (void)close(sock[1]);
    (void)close(out[1]);
    if (ok == 0)
        return r;
    /* A supervisor without a front ends, and is reaped as a child that nobody knows. */
    run_free(r);
    return NULL;
}

void
run_free(struct run *r)
{
    if (!r)
        return;
    if (r->out >= 0)
        (void)close(r->out);
    free(r);
}

void
run_processes(const struct run *r, struct job_process processes[JOB_PROCESSES])
{
    processes[0] = r->front.identity;
    processes[1] = r->supervisor.identity;
}

/* --- while they run --- */

int
run_fd(const struct run *r)
{
    return r->out;
}

static void
take_bytes(struct run *r, const char *data, size_t n,
           void (*take)(void *to, const char *line, size_t n), void *to)
{
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\n') {
            if (!r->cut)
                take(to, r->line, r->n);
            r->n = 0;
            r->cut = false;
        } else if (r->n < sizeof r->line) {
            r->line[r->n++] = data[i];
        } else if (!r->cut) {
            take(to, r->line, r->n);
            r->cut = true;
        }
    }
}

void
run_read(struct run *r, void (*take)(void *to, const char *line, size_t n), void *to)
{
    char buf[4096];
    ssize_t n = r->out < 0 ? -1 : read(r->out, buf, sizeof buf);

    if (n > 0) {
        take_bytes(r, buf, (size_t)n, take, to);
        return;
    }
    if (n < 0 && (r->out < 0 || errno == EAGAIN || errno == EINTR))
        return;
    if (r->n > 0 && !r->cut)
        take(to, r->line, r->n);
    r->n = 0;
    (void)close(r->out);
    r->out = -1;
}

bool
run_reaped(struct run *r, pid_t pid, int status)
{
    struct child *c = pid == r->front.pid        ? &r->front
                      : pid == r->supervisor.pid ? &r->supervisor
                                                 : NULL;

    if (!c)
        return false;
    c->pid = 0;
    c->status = status;
    if (c == &r->front)
        r->front_ended = clock_monotonic_ns();
    return true;
}

bool
run_is_over(struct run *r, int *status)
{
    bool late = r->front_ended && clock_monotonic_ns() - r->front_ended > REST_END_NS;

    if (r->front.pid > 0)
        return false;
    if (r->supervisor.pid > 0 && !late)
        return false;
    if (!late && run_has_orphan(r->uid))
        return false;
    if (r->supervisor.pid > 0)
        (void)kill(r->supervisor.pid, SIGKILL);
    *status = r->front.status;
    return true;
}

void
run_signal(const struct run *r, int sig)
{
    if (r->front.pid <= 0)
        return;
    (void)kill(r->front.pid, sig);
    /* Its user can stop it, and would keep a place for ever. */
    (void)kill(r->front.pid, SIGCONT);
}
