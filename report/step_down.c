#include "report/step_down.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/privilege.h"
#include "common/requester.h"
#include "common/spawn.h"
#include "common/text.h"

/* The image's segments and papers: NAME and what follows a dot. */
static bool
belongs(const char *file, const char *name)
{
    size_t n = strlen(name);

    return strncmp(file, name, n) == 0 && (file[n] == '\0' || file[n] == '.');
}

static bool
can_read_all(const char *image, const char *name)
{
    struct err ignored = ERR_INIT;
    const char *base;
    AUTO_FD int parent = path_open_parent(image, &base, &ignored);
    int fd = parent < 0 ? -1 : openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    bool can = d != NULL;

    if (!d && fd >= 0)
        (void)close(fd);
    while (can && (e = readdir(d)) != NULL)
        can = !belongs(e->d_name, name) || faccessat(fd, e->d_name, R_OK, AT_EACCESS) == 0;
    if (d)
        (void)closedir(d);
    return can && access(image, R_OK) == 0;
}

/* Tried by a child that has become the user, who must be able to run the parser, too. */
static bool
suffices(const struct privilege *as, const char *image, const char *name)
{
    struct err ignored = ERR_INIT;
    AUTO_FREE char *parser = spawn_program_path("exhibit-parser", &ignored);
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(privilege_drop(as) == 0 && parser && access(parser, X_OK) == 0 &&
                      can_read_all(image, name)
                  ? 0
                  : 1);
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
step_down(const char *image, const char *name, int dir, struct err *err)
{
    struct requester who;
    struct privilege as;

    requester_find(&who);
    if (getuid() != 0 || who.uid == 0)
        return 0;
    requester_writer(&who, &dir, 1, &as);
    if (as.uid == 0 || !suffices(&as, image, name))
        return 0;
    return privilege_drop(&as) == 0 ? 0 : err_errno(err, "cannot give up privileges");
}
