/*
 * exhibit-release: lifts the write block that a job left on a device.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/console.h"
#include "common/options.h"
#include "common/session.h"
#include "common/text.h"

static const struct program program = {
    .name = "exhibit release",
    .usage = "DEVICE",
    .summary = "Lifts the write block that an acquisition left on DEVICE: the disk and its\n"
               "partitions can be written again.",
};

static int
release(const char *path, struct err *err)
{
    struct supervisor_message m = {.type = SUPERVISOR_RELEASE};
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
    char **operands;
    int count;
    int r;

    console_begin();
    r = options_next(o, &arg, &err);
    operands = options_operands(o, &count);
    options_free(o);
    if (r == 0 && count != 1)
        r = err_set(&err, OUTCOME_USAGE, "one DEVICE is needed; see 'exhibit release --help'");
    if (r == 0)
        r = release(operands[0], &err);
    return console_end(r == 0 ? 0 : err_report(&err));
}
