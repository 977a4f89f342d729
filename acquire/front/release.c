/*
 * exhibit-release: lifts the write block that a job left on a device.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/daemon/config.h"
#include "common/cleanup.h"
#include "common/console.h"
#include "common/options.h"
#include "common/session.h"
#include "common/size.h"
#include "common/spawn.h"
#include "common/text.h"

enum { OPTION_SOCKET = 1, OPTION_DISKSEQ };

static const struct option_spec specs[] = {
    {"socket", 0, "PATH", OPTION_SOCKET,
     "have the daemon do it that listens there (default,\nbut for root: $EXHIBIT_SOCKET, or what "
     "the\nconfiguration says)"},
};

/* By the daemon, which has judged that disk and no other. */
static const struct option_spec unlisted[] = {
    {"diskseq", 0, "N", OPTION_DISKSEQ, ""},
};

static const struct program program = {
    .name = "exhibit release",
    .usage = "DEVICE",
    .summary = "Lifts the write block that an acquisition left on DEVICE: the disk and its\n"
               "partitions can be written again.",
    .options = specs,
    .n_options = sizeof specs / sizeof specs[0],
    .unlisted = unlisted,
    .n_unlisted = sizeof unlisted / sizeof unlisted[0],
};

/* What root does here, a daemon does for others, if there is one. */
static bool
is_for_daemon(bool named)
{
    AUTO_FREE char *socket = named || geteuid() == 0 ? NULL : config_socket(NULL);

    return named || (socket && access(socket, F_OK) == 0);
}

/* By the program that speaks to it; argv has its options too. */
static int
through_daemon(char **argv, struct err *err)
{
    static char command[] = "release";
    AUTO_FREE char *path = spawn_program_path("exhibit-client", err);

    if (!path)
        return -1;
    argv[0] = command;
    (void)execv(path, argv);
    return err_errno(err, "cannot run '%s'", path);
}

static int
release(const char *path, uint64_t diskseq, struct err *err)
{
    struct supervisor_message m = {.type = SUPERVISOR_RELEASE, .diskseq = diskseq};
    struct privilege self = {.uid = getuid(), .gid = getgid()};
    struct session *session;
    struct stat st;
    int r;

    if (stat(path, &st) != 0)
        return err_errno(err, "cannot open '%s'", path);
    if (!S_ISBLK(st.st_mode))
        return err_set(err, OUTCOME_FAILED, "'%s' is not a block device", path);
    m.device = (uint64_t)st.st_rdev;
    session = session_start(&self, err);
    if (!session)
        return -1;
    r = session_ask(session, &m, NULL, 0, SUPERVISOR_RELEASED, err);
    session_end(session);
    if (r == 0) {
        AUTO_FREE char *safe = text_printable(path);

        (void)printf("released '%s': the disk and its partitions can be written again\n", safe);
    }
    return r;
}

int
main(int argc, char **argv)
{
    struct options *o = options_new(&program, argc, argv);
    struct err err = ERR_INIT;
    const char *arg;
    uint64_t diskseq = 0;
    bool named = false;
    char **operands;
    int count;
    int r;

    console_begin();
    while ((r = options_next(o, &arg, &err)) > 0) {
        named = named || r == OPTION_SOCKET;
        if (r == OPTION_DISKSEQ &&
            (r = number_parse(arg, 0, UINT64_MAX, "--diskseq", &diskseq, &err)) != 0)
            break;
    }
    operands = options_operands(o, &count);
    options_free(o);
    if (r == 0 && count != 1)
        r = err_set(&err, OUTCOME_USAGE, "one DEVICE is needed; see 'exhibit release --help'");
    if (r == 0)
        r = is_for_daemon(named) ? through_daemon(argv, &err) : release(operands[0], diskseq, &err);
    return console_end(r == 0 ? 0 : err_report(&err));
}
