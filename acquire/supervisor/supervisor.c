/*
 * exhibit-supervisor: the one program of the suite that keeps root while a job runs, and therefore
 * small: libc only, no parsing of media, no names from the disk. It decides whether a device may be
 * imaged, write-protects it, opens it once, hands the descriptor to a worker that runs as the
 * requesting user, and keeps its own record. Started to compare, it lends the descriptor to its
 * front instead, and never starts a worker.
 */
#include "acquire/supervisor/supervisor.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "acquire/device/device_evidence.h"
#include "common/size.h"
#include "common/text.h"

/* A refusal is told within this time, and before the kernel's list of them is overwritten. */
#define HEAR_GUARD_NS 250000000L

static volatile sig_atomic_t child_ended;

static void
on_child(int sig)
{
    (void)sig;
    child_ended = 1;
}

int
supervisor_reply_with(const struct supervisor_message *m, const int *fds, size_t n)
{
    struct err err = ERR_INIT;

    return supervisor_send(SUPERVISOR_FD, m, fds, n, &err);
}

int
supervisor_reply(const struct supervisor_message *m)
{
    return supervisor_reply_with(m, NULL, 0);
}

int
supervisor_refuse(const struct err *why)
{
    struct supervisor_message m = {.type = SUPERVISOR_REFUSED, .outcome = why->outcome};

    (void)snprintf(m.text, sizeof m.text, "%s", why->text);
    return supervisor_reply(&m);
}

/* Every request, and the purposes, policies and states in which it is permitted; anything else ends
   the supervisor. */
static const struct {
    enum supervisor_type type;
    unsigned purposes;
    unsigned policies;
    unsigned states;
    supervisor_handler *handle;
} requests[] = {
    {SUPERVISOR_OPEN, PURPOSE_ACQUIRE | PURPOSE_COMPARE, POLICY_ANY | POLICY_EVIDENCE, STATE_IDLE,
     supervisor_open},
    {SUPERVISOR_START, PURPOSE_ACQUIRE, POLICY_ANY | POLICY_EVIDENCE, STATE_IDLE | STATE_HELD,
     supervisor_start},
    {SUPERVISOR_LEND, PURPOSE_COMPARE, POLICY_ANY | POLICY_EVIDENCE, STATE_HELD, supervisor_lend},
    {SUPERVISOR_ASK, PURPOSE_ACQUIRE, POLICY_ANY | POLICY_EVIDENCE, STATE_HELD | STATE_ENDED,
     supervisor_ask},
    {SUPERVISOR_CHECK, PURPOSE_ACQUIRE | PURPOSE_COMPARE, POLICY_ANY | POLICY_EVIDENCE,
     STATE_HELD | STATE_RUNNING | STATE_ENDED | STATE_LENT, supervisor_check},
    {SUPERVISOR_FINISH, PURPOSE_ACQUIRE | PURPOSE_COMPARE, POLICY_ANY | POLICY_EVIDENCE,
     STATE_HELD | STATE_ENDED | STATE_LENT, supervisor_finish},
    /* Whose write block may be lifted is for the daemon to say, which knows whose job it was. */
    {SUPERVISOR_RELEASE, PURPOSE_ACQUIRE, POLICY_ANY, STATE_IDLE, supervisor_release},
};

static int
dispatch(struct supervisor *s, const struct supervisor_message *m, const int *fds, size_t n)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (m->type == (uint32_t)requests[i].type)
            return (requests[i].purposes & s->purpose) && (requests[i].policies & s->policy) &&
                           (requests[i].states & s->state)
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

static int
serve(struct supervisor *s)
{
    const struct timespec interval = {.tv_nsec = HEAR_GUARD_NS};
    struct pollfd p = {.fd = SUPERVISOR_FD, .events = POLLIN};
    sigset_t none;
    int r = 1;

    (void)sigemptyset(&none);
    while (r == 1) {
        /* SIGCHLD arrives nowhere but here. */
        int n = ppoll(&p, 1, s->guard ? &interval : NULL, &none);

        if (n < 0 && errno != EINTR)
            break;
        if (child_ended) {
            child_ended = 0;
            supervisor_reap_drive(s);
            if (supervisor_reap(s) != 0)
                break;
        }
        supervisor_hear_guard(s);
        if (n > 0)
            r = serve_one(s);
    }
    supervisor_wind_up(s, r == 0);
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

/* Where the laboratory demands a level: "least=LEVEL", before the marks. */
static int
take_least(struct supervisor *s, const char *text, struct err *err)
{
    static const enum write_block_level levels[] = {WRITE_BLOCK_BPF_LSM,
                                                    WRITE_BLOCK_READ_ONLY_FLAG};

    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(text, write_block_level_name(levels[i])) == 0) {
            s->least = levels[i];
            return 0;
        }
    }
    return err_set(err, OUTCOME_USAGE, "'%s' is no level of a write block", text);
}

/* UID GID [acquire|compare [evidence [least=LEVEL] [MARK...]]] */
static int
take_arguments(struct supervisor *s, int argc, char **argv, struct err *err)
{
    bool compare = argc > 3 && strcmp(argv[3], SUPERVISOR_COMPARE) == 0;
    size_t n = strlen(SUPERVISOR_LEAST);
    int first = 5; /* of what the policy is made of */
    uint64_t uid;
    uint64_t gid;

    if (argc < 3 || (argc > 3 && !compare && strcmp(argv[3], SUPERVISOR_ACQUIRE) != 0) ||
        (argc > 4 && strcmp(argv[4], SUPERVISOR_EVIDENCE) != 0))
        return err_set(err, OUTCOME_USAGE,
                       "exhibit-supervisor is started by 'exhibit acquire', 'exhibit verify', "
                       "'exhibit release' and exhibitd, not by hand");
    if (number_parse(argv[1], 0, UINT32_MAX - 1, "the user", &uid, err) != 0 ||
        number_parse(argv[2], 0, UINT32_MAX - 1, "the group", &gid, err) != 0)
        return -1;
    /* Only root's word on whose job this is counts; anyone else can only be themselves. */
    if (getuid() != 0 && (uid != getuid() || gid != getgid()))
        return err_set(err, OUTCOME_REFUSED, "only root can run jobs for others");
    if (argc > first && strncmp(argv[first], SUPERVISOR_LEAST, n) == 0 &&
        take_least(s, argv[first++] + n, err) != 0)
        return -1;
    for (int i = first; i < argc; i++) {
        if (device_mark_check(argv[i], err) != 0)
            return -1;
    }
    s->purpose = compare ? PURPOSE_COMPARE : PURPOSE_ACQUIRE;
    s->policy = argc > 4 ? POLICY_EVIDENCE : POLICY_ANY;
    if (argc > first) {
        s->evidence = (const char *const *)argv + first;
        s->n_evidence = (size_t)(argc - first);
    }
    privilege_find((uid_t)uid, (gid_t)gid, &s->user);
    return 0;
}

/* What a supervisor needs root for. Files of root's it opens as their owner. */
static const unsigned capabilities[] = {
    CAP_SYS_ADMIN,                       /* the read-only flag; BPF; asking for OPAL locks */
    CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, /* looking for writers in other users' processes */
    CAP_SETUID,     CAP_SETGID,          CAP_SETPCAP, /* starting the worker as the user */
    CAP_KILL,                                         /* and ending it */
    CAP_SYS_RAWIO,                                    /* exhibit-drive's commands that read */
};

int
main(int argc, char **argv)
{
    struct supervisor s = {.state = STATE_IDLE, .source = -1};
    struct err err = ERR_INIT;

    if (take_arguments(&s, argc, argv, &err) != 0)
        return err_report(&err);
    if (privilege_keep(capabilities, sizeof capabilities / sizeof capabilities[0]) != 0) {
        (void)err_errno(&err, "cannot give up privileges");
        return err_report(&err);
    }
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    set_signals();
    return serve(&s);
}
