#include "common/console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

void
console_begin(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        /* The lowest free number is this one, since those below are open by now. */
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
            _exit(OUTCOME_FAILED);
    }
}

void
console_catch(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    struct sigaction before;

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &before) != 0 || before.sa_handler != SIG_IGN)
        (void)sigaction(SIGHUP, &action, NULL);
}

int
console_end(int outcome)
{
    struct err err = ERR_INIT;

    if (fflush(stdout) == 0 && !ferror(stdout))
        return outcome;
    (void)err_errno(&err, "cannot write to standard output");
    (void)err_report(&err);
    return outcome == OUTCOME_DONE ? OUTCOME_FAILED : outcome;
}
