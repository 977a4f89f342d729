#include "acquire/daemon/daemon_helper.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/daemon/daemon_run.h"
#include "common/cleanup.h"
#include "common/spawn.h"
#include "common/text.h"

int
helper_start(char *const argv[], const struct privilege *as, pid_t *pid, struct err *err)
{
    AUTO_FREE char *path = spawn_program_path(argv[0], err);
    AUTO_FREE struct run_user *user = xcalloc(1, sizeof *user);
    struct spawn_as become = {.drop = run_become, .to = user};
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int out[2];

    if (!path)
        return -1;
    if (pipe2(out, O_CLOEXEC) != 0)
        return err_errno(err, "cannot make a pipe");
    struct spawn_fd map[] = {{.ours = null, .theirs = STDIN_FILENO},
                             {.ours = as ? out[1] : null, .theirs = STDOUT_FILENO},
                             {.ours = as ? null : out[1], .theirs = STDERR_FILENO}};

    if (as)
        user->as = *as;
    user->daemon = getpid();
    *pid = spawn_as(path, argv, map, sizeof map / sizeof map[0], as ? &become : NULL, err);
    (void)close(out[1]);
    if (*pid >= 0)
        return out[0];
    (void)close(out[0]);
    return -1;
}

void
helper_error(int out, struct err *err)
{
    static const char prefix[] = "exhibit: ";
    char *text = err->text;
    ssize_t n = read(out, text, sizeof err->text - 1);

    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (strncmp(text, prefix, sizeof prefix - 1) == 0)
        memmove(text, text + sizeof prefix - 1, strlen(text) - sizeof prefix + 2);
}

int
helper_check_options(char *const *options, size_t n, struct err *err)
{
    AUTO_FREE char **argv = xcalloc(n + 5, sizeof *argv);
    AUTO_FD int out = -1;
    size_t k = 0;
    pid_t pid;
    int status;

    argv[k++] = (char[]){"exhibit-acquire"};
    argv[k++] = (char[]){"--check-options"};
    argv[k++] = (char[]){"/"};
    argv[k++] = (char[]){"/"};
    for (size_t i = 0; i < n; i++)
        argv[k++] = options[i];
    out = helper_start(argv, NULL, &pid, err);
    if (out < 0 || spawn_wait(pid, &status, err) != 0)
        return -1;
    if (status == 0)
        return 0;
    helper_error(out, err);
    err->outcome = status == OUTCOME_USAGE ? OUTCOME_USAGE : OUTCOME_FAILED;
    return -1;
}
