/*
 * with_supervisor UID GID [MARK...] -- COMMAND...: as the daemon does, starts a supervisor for that
 * user, for evidence only, and runs the command as that user with a socket to it. Ends as the
 * command does; the supervisor is waited for.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/session.h"
#include "common/spawn.h"
#include "common/text.h"

#define ARGUMENTS_MAX 64
#define THEIRS 9 /* the number of the command's descriptor, any */

static int
run(char **command, int sock, const struct privilege *user, struct err *err)
{
    struct spawn_fd fd = {.ours = sock, .theirs = THEIRS};
    struct spawn_as as = {.drop = privilege_drop, .to = user};
    int status = 1;
    pid_t pid;

    if (setenv(SESSION_VARIABLE, "9", 1) != 0)
        return err_errno(err, "cannot set the environment");
    pid = spawn_as(command[0], command, &fd, 1, &as, err);
    (void)close(sock);
    return pid < 0 || spawn_wait(pid, &status, err) != 0 ? -1 : status;
}

int
main(int argc, char **argv)
{
    char *with[ARGUMENTS_MAX] = {(char[]){"exhibit-supervisor"}, argv[1], argv[2],
                                 (char[]){SUPERVISOR_ACQUIRE}, (char[]){SUPERVISOR_EVIDENCE}};
    AUTO_FREE char *path = xasprintf("%s/exhibit-supervisor", getenv("EXHIBIT_BIN"));
    struct spawn_fd fd = {.theirs = SUPERVISOR_FD};
    struct err err = ERR_INIT;
    struct privilege user;
    int pair[2];
    int status;
    int ended = 0;
    pid_t pid;
    int i;

    for (i = 3; i < argc && i < ARGUMENTS_MAX - 3 && strcmp(argv[i], "--") != 0; i++)
        with[i + 2] = argv[i];
    if (i + 1 >= argc || strcmp(argv[i], "--") != 0)
        return OUTCOME_USAGE;
    privilege_find((uid_t)strtoul(argv[1], NULL, 10), (gid_t)strtoul(argv[2], NULL, 10), &user);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return 1;
    fd.ours = pair[1];
    pid = spawn(path, with, &fd, 1, &err);
    (void)close(pair[1]);
    status = pid < 0 ? -1 : run(argv + i + 1, pair[0], &user, &err);
    if (status < 0 || spawn_wait(pid, &ended, &err) != 0)
        return err_report(&err);
    if (ended != 0)
        (void)fprintf(stderr, "the supervisor ended with %d\n", ended);
    return status;
}
