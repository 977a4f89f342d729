/*
 * exhibit-supervisor: the one program of the suite that keeps root while a job runs, and therefore
 * small: libc only, no parsing of media, no names from the disk. It decides whether a device may be
 * imaged, write-protects it, opens it once, hands the descriptor to a worker that runs as the
 * requesting user, and keeps its own record. Started to compare, it lends the descriptor to its
 * front instead, and never starts a worker.
 */
#include <errno.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acquire/device.h"
#include "acquire/hold.h"
#include "acquire/record.h"
#include "acquire/worker_fds.h"
#include "acquire/write_block.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/privilege.h"
#include "common/size.h"
#include "common/spawn.h"
#include "common/supervisor_proto.h"
#include "common/text.h"

enum state {
    STATE_IDLE = 1,    /* nothing held */
    STATE_HELD = 2,    /* a device is open and protected */
    STATE_RUNNING = 4, /* the worker runs */
    STATE_ENDED = 8,   /* the worker has ended */
    STATE_LENT = 16,   /* the front has the descriptor, to compare an image with the device */
};

/* Why it was started: its starter's word, and never changed by a message. */
enum purpose {
    PURPOSE_ACQUIRE = 1,
    PURPOSE_COMPARE = 2,
};

struct supervisor {
    struct privilege user; /* who asked: the worker runs as them */
    enum purpose purpose;
    enum state state;
    struct device *device; /* NULL: the source is a file */
    int source;            /* descriptor, or -1 */
    struct record record;
    struct device_setting usb;
    struct device_setting timeouts[2];
    pid_t worker; /* 0: none runs */
};

/* How long a killed worker is waited for: 2 s. */
#define WORKER_END_STEPS 40
#define WORKER_END_STEP_NS 50000000L

static volatile sig_atomic_t child_ended;

static void
on_child(int sig)
{
    (void)sig;
    child_ended = 1;
}

static int
reply_with(const struct supervisor_message *m, const int *fds, size_t n)
{
    struct err err = ERR_INIT;

    return supervisor_send(SUPERVISOR_FD, m, fds, n, &err);
}

static int
reply(const struct supervisor_message *m)
{
    return reply_with(m, NULL, 0);
}

static int
refuse(const struct err *why)
{
    struct supervisor_message m = {.type = SUPERVISOR_REFUSED, .outcome = why->outcome};

    (void)snprintf(m.text, sizeof m.text, "%s", why->text);
    return reply(&m);
}

/* --- holding a device --- */

static void
let_go(struct supervisor *s)
{
    if (s->source >= 0)
        (void)close(s->source);
    s->source = -1;
    free(s->device);
    s->device = NULL;
    s->state = STATE_IDLE;
}

/* Whoever kills this process finds in the record what has to be put back. */
static int
set_timeouts(struct supervisor *s, uint32_t seconds, struct err *err)
{
    struct record *r = &s->record;

    device_timeouts(s->device, &r->timeouts);
    if (seconds == 0)
        return 0;
    if (device_timeouts_set(s->device, seconds, s->timeouts, err) != 0)
        return -1;
    r->timeout_set = seconds;
    return record_write(r, false, err);
}

static void
put_settings_back(struct supervisor *s)
{
    bool command = device_setting_restore(&s->timeouts[0]);
    bool handler = device_setting_restore(&s->timeouts[1]);

    s->record.timeout_restored = command && handler;
    (void)device_setting_restore(&s->usb);
    s->usb.path[0] = s->timeouts[0].path[0] = s->timeouts[1].path[0] = '\0';
}

/* Nothing was done with the device: what was changed for the job is changed back. */
static void
undo_hold(struct supervisor *s)
{
    struct err ignored = ERR_INIT;
    struct flag_state undone;

    put_settings_back(s);
    if (s->record.level != WRITE_BLOCK_NONE && s->record.before.read_only == 0)
        (void)write_block_set(s->device, false, &undone, &ignored);
}

static int
do_open(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_OPENED};
    struct err err = ERR_INIT;

    (void)fds;
    if (n != 0 || m->level > WRITE_BLOCK_NONE)
        return -1;
    s->device = xcalloc(1, sizeof *s->device);
    s->record = (struct record){.opened = clock_now(),
                                .uid = s->user.uid,
                                .purpose = s->purpose == PURPOSE_COMPARE ? "compare" : "acquire",
                                .device = s->device,
                                .worker_status = -1,
                                .manifest_sha256 = ""};
    s->source = hold_device(m, s->device, &s->record, &err);
    if (s->source < 0) {
        let_go(s);
        return refuse(&err);
    }
    device_usb_keep_awake(s->device, &s->usb);
    if (set_timeouts(s, m->scsi_timeout, &err) != 0) {
        undo_hold(s);
        let_go(s);
        return refuse(&err);
    }
    s->state = STATE_HELD;
    out.size = s->device->size;
    out.level = s->record.level;
    (void)snprintf(out.serial, sizeof out.serial, "%s", s->device->serial);
    out.locked = device_locked(s->device, s->source);
    out.before = s->record.before;
    out.now = s->record.during;
    if (geteuid() == 0)
        record_path(&s->record, out.text, sizeof out.text);
    return reply(&out);
}

/* The descriptor is of this one device, read-only, and the write block is in force: what the front
   can do with it is read. A job that images never gets here: there nobody but the worker has it. */
static int
do_lend(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_LENT, .size = s->device->size};

    (void)m;
    (void)fds;
    if (n != 0)
        return -1;
    s->state = STATE_LENT;
    return reply_with(&out, &s->source, 1);
}

/* --- the worker --- */

static int
start_worker(struct supervisor *s, const int *fds, size_t n, size_t n_dirs, struct err *err)
{
    char *path = spawn_program_path("exhibit-worker", err);
    AUTO_FREE char *dirs = xasprintf("%zu", n_dirs);
    char *argv[] = {(char[]){"exhibit-worker"}, dirs, NULL};
    struct spawn_fd map[2 + WORKER_DIRS_MAX] = {
        {.ours = fds[0], .theirs = WORKER_FD_EVENTS},
        {.ours = s->source >= 0 ? s->source : fds[n - 1], .theirs = WORKER_FD_SOURCE},
    };
    struct spawn_as as = {.drop = privilege_drop, .to = &s->user};

    if (!path)
        return -1;
    for (size_t i = 0; i < n_dirs; i++)
        map[2 + i] = (struct spawn_fd){.ours = fds[1 + i], .theirs = WORKER_FD_DIR + (int)i};
    s->worker = spawn_as(path, argv, map, 2 + n_dirs, &as, err);
    free(path);
    return s->worker < 0 ? -1 : 0;
}

static int
do_start(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_STARTED};
    size_t n_dirs = 1 + (size_t)m->n_copies;
    struct err err = ERR_INIT;
    struct stat st;

    if (m->n_copies >= WORKER_DIRS_MAX || n != 1 + n_dirs + (s->source < 0 ? 1 : 0))
        return -1;
    /* Devices go through OPEN, where the policy is. */
    if (s->source < 0 && (fstat(fds[n - 1], &st) != 0 || !S_ISREG(st.st_mode)))
        return -1;
    if (start_worker(s, fds, n, n_dirs, &err) != 0) {
        s->worker = 0;
        return refuse(&err);
    }
    s->state = STATE_RUNNING;
    out.status = (int32_t)s->worker;
    return reply(&out);
}

static int
reap(struct supervisor *s)
{
    struct supervisor_message out = {.type = SUPERVISOR_ENDED};
    int status;

    child_ended = 0;
    if (s->worker == 0 || waitpid(s->worker, &status, WNOHANG) != s->worker)
        return 0;
    s->worker = 0;
    s->state = STATE_ENDED;
    out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    s->record.worker_status = out.status;
    return reply(&out);
}

/* --- looking again, finishing, releasing --- */

/* Kernels have been seen to make a device writable again after an error or a re-enumeration. */
static void
look_again(struct supervisor *s, struct flag_state *now)
{
    struct record *r = &s->record;
    struct err ignored = ERR_INIT;

    /* What was not seen in full has not been seen. */
    if (write_block_look(s->device, now, &ignored) != 0)
        *now = (struct flag_state){0};
    if (!flag_is_full(&r->during) || flag_is_full(now))
        return;
    r->lost++;
    (void)write_block_set(s->device, true, now, &ignored);
}

static int
do_check(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_CHECKED};

    (void)m;
    (void)fds;
    if (n != 0)
        return -1;
    if (s->device) {
        look_again(s, &out.now);
        if (ioctl(s->source, BLKGETSIZE64, &out.size) != 0)
            out.size = 0;
        out.diskseq = device_diskseq(s->device);
    }
    out.lost = s->record.lost;
    return reply(&out);
}

static int
do_finish(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_FINISHED};
    struct err err = ERR_INIT;

    (void)fds;
    if (n != 0)
        return -1;
    if (s->device) {
        look_again(s, &out.now);
        s->record.after = out.now;
        put_settings_back(s);
        s->record.manifest_sha256 = m->text;
        record_path(&s->record, out.text, sizeof out.text);
        if (record_write(&s->record, true, &err) != 0) {
            out.outcome = err.outcome;
            (void)snprintf(out.text, sizeof out.text, "%s", err.text);
        }
        if (m->release && write_block_set(s->device, false, &out.now, &err) != 0) {
            out.outcome = err.outcome;
            (void)snprintf(out.text, sizeof out.text, "%s", err.text);
        }
    }
    out.lost = s->record.lost;
    let_go(s);
    return reply(&out);
}

static int
release(const struct supervisor_message *m, struct device *d, struct flag_state *now,
        struct err *err)
{
    AUTO_FD int fd = -1;

    if (device_read((dev_t)m->device, d, err) != 0)
        return -1;
    fd = hold_open_exclusive(d, err);
    if (fd < 0)
        return err_context(err, "cannot release '/dev/%s'", d->name);
    return write_block_set(d, false, now, err);
}

static int
do_release(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    struct supervisor_message out = {.type = SUPERVISOR_RELEASED};
    AUTO_FREE struct device *d = xcalloc(1, sizeof *d);
    struct err err = ERR_INIT;

    (void)s;
    (void)fds;
    if (n != 0)
        return -1;
    if (release(m, d, &out.now, &err) != 0)
        return refuse(&err);
    return reply(&out);
}

/* Every request, and the purposes and states in which it is permitted; anything else ends the
   supervisor. */
static const struct {
    enum supervisor_type type;
    unsigned purposes;
    unsigned states;
    int (*handle)(struct supervisor *s, const struct supervisor_message *m, const int *fds,
                  size_t n);
} requests[] = {
    {SUPERVISOR_OPEN, PURPOSE_ACQUIRE | PURPOSE_COMPARE, STATE_IDLE, do_open},
    {SUPERVISOR_START, PURPOSE_ACQUIRE, STATE_IDLE | STATE_HELD, do_start},
    {SUPERVISOR_LEND, PURPOSE_COMPARE, STATE_HELD, do_lend},
    {SUPERVISOR_CHECK, PURPOSE_ACQUIRE | PURPOSE_COMPARE,
     STATE_HELD | STATE_RUNNING | STATE_ENDED | STATE_LENT, do_check},
    {SUPERVISOR_FINISH, PURPOSE_ACQUIRE | PURPOSE_COMPARE, STATE_HELD | STATE_ENDED | STATE_LENT,
     do_finish},
    {SUPERVISOR_RELEASE, PURPOSE_ACQUIRE, STATE_IDLE, do_release},
};

static int
dispatch(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (m->type == (uint32_t)requests[i].type)
            return (requests[i].purposes & s->purpose) && (requests[i].states & s->state)
                       ? requests[i].handle(s, m, fds, n)
                       : -1;
    }
    return -1;
}

/* 1: go on; 0: the front has gone; -1: it broke the protocol. */
static int
serve_one(struct supervisor *s)
{
    int fds[SUPERVISOR_FDS_MAX];
    struct supervisor_message m;
    struct err err = ERR_INIT;
    size_t n = 0;
    int r = supervisor_receive(SUPERVISOR_FD, &m, fds, &n, &err);

    if (r == 1 && dispatch(s, &m, fds, n) != 0)
        r = err_set(&err, OUTCOME_FAILED, "a request that is not permitted; the supervisor stops");
    if (r < 0)
        (void)err_report(&err);
    for (size_t i = 0; i < n; i++)
        (void)close(fds[i]);
    return r;
}

/* A worker that waits in the kernel for a drive that does not answer cannot be killed. It dies with
   its read; until then it, and nobody else, holds the device. */
static void
end_worker(struct supervisor *s)
{
    const struct timespec step = {.tv_nsec = WORKER_END_STEP_NS};
    pid_t got = 0;
    int status = 0;

    (void)kill(s->worker, SIGKILL);
    for (int i = 0; i < WORKER_END_STEPS && got == 0; i++) {
        got = waitpid(s->worker, &status, WNOHANG);
        if (got == 0)
            (void)nanosleep(&step, NULL);
    }
    if (got == s->worker)
        s->record.worker_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else
        s->record.worker_stuck = s->worker;
}

/* Whatever ended the conversation: the worker goes, the write block stays; unless the front has
   left in order before the job began. */
static void
wind_up(struct supervisor *s, bool in_order)
{
    struct err ignored = ERR_INIT;
    bool began = !in_order || s->state != STATE_HELD;

    if (s->worker > 0)
        end_worker(s);
    if (s->device && began) {
        look_again(s, &s->record.after);
        put_settings_back(s);
    } else if (s->device) {
        undo_hold(s);
        (void)write_block_look(s->device, &s->record.after, &ignored);
    }
    if (s->device)
        (void)record_write(&s->record, true, &ignored);
    let_go(s);
}

static int
serve(struct supervisor *s)
{
    struct pollfd p = {.fd = SUPERVISOR_FD, .events = POLLIN};
    sigset_t none;
    int r = 1;

    (void)sigemptyset(&none);
    while (r == 1) {
        int n = ppoll(&p, 1, NULL, &none); /* SIGCHLD arrives nowhere but here */

        if (n < 0 && errno != EINTR)
            break;
        if (child_ended && reap(s) != 0)
            break;
        if (n > 0)
            r = serve_one(s);
    }
    wind_up(s, r == 0);
    return r == 0 ? 0 : 1;
}

static void
set_signals(void)
{
    struct sigaction child = {.sa_handler = on_child};
    sigset_t block;

    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &block, NULL);
    (void)sigaction(SIGCHLD, &child, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    /* A key pressed at the terminal is the front's to handle. */
    (void)setsid();
}

int
main(int argc, char **argv)
{
    struct supervisor s = {.purpose = argc == 4 ? PURPOSE_COMPARE : PURPOSE_ACQUIRE,
                           .state = STATE_IDLE,
                           .source = -1};
    struct err err = ERR_INIT;
    uint64_t uid;
    uint64_t gid;

    if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], SUPERVISOR_COMPARE) != 0)) {
        (void)err_set(&err, OUTCOME_USAGE,
                      "exhibit-supervisor is started by 'exhibit acquire', 'exhibit verify' "
                      "and 'exhibit release', not by hand");
        return err_report(&err);
    }
    if (number_parse(argv[1], 0, UINT32_MAX - 1, "the user", &uid, &err) != 0 ||
        number_parse(argv[2], 0, UINT32_MAX - 1, "the group", &gid, &err) != 0)
        return err_report(&err);
    /* Only root's word on whose job this is counts; anyone else can only be themselves. */
    if (getuid() != 0 && (uid != getuid() || gid != getgid())) {
        (void)err_set(&err, OUTCOME_REFUSED, "only root can run jobs for others");
        return err_report(&err);
    }
    privilege_find((uid_t)uid, (gid_t)gid, &s.user);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    set_signals();
    return serve(&s);
}
