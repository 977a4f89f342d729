#include "common/requester.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/outfile.h"
#include "common/size.h"
#include "common/text.h"

/* sudo names its caller in the environment; only root's environment is believed. */
static bool
from_sudo(const char *variable, uint64_t *out)
{
    const char *s = getuid() == 0 ? getenv(variable) : NULL;
    struct err ignored = ERR_INIT;

    return s && number_parse(s, 0, UINT32_MAX - 1, variable, out, &ignored) == 0;
}

static int64_t
login_uid(void)
{
    struct err ignored = ERR_INIT;
    char buf[32] = "";
    FILE *f = fopen("/proc/self/loginuid", "re");
    uint64_t uid;

    if (f) {
        if (!fgets(buf, sizeof buf, f))
            buf[0] = '\0';
        (void)fclose(f);
    }
    return number_parse(buf, 0, UINT32_MAX - 1, "loginuid", &uid, &ignored) == 0 ? (int64_t)uid
                                                                                 : -1;
}

void
requester_find(struct requester *out)
{
    const struct passwd *pw;
    uint64_t uid;
    uint64_t gid;

    *out = (struct requester){.uid = getuid(), .gid = getgid(), .login_uid = login_uid()};
    if (from_sudo("SUDO_UID", &uid) && from_sudo("SUDO_GID", &gid)) {
        out->uid = (uid_t)uid;
        out->gid = (gid_t)gid;
    }
    pw = getpwuid(out->uid);
    (void)snprintf(out->name, sizeof out->name, "%s", pw ? pw->pw_name : "");
}

/* Tried by a child that has become the user, since nothing else asks every rule there is. */
static bool
may_write(const struct privilege *as, const int *dirs, size_t n)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        bool ok = privilege_drop(as) == 0;

        for (size_t i = 0; ok && i < n; i++)
            ok = faccessat(dirs[i], ".", W_OK | X_OK, AT_EACCESS) == 0;
        _exit(ok ? 0 : 1);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
requester_writer(const struct requester *r, const int *dirs, size_t n, struct privilege *out)
{
    privilege_find(r->uid, r->gid, out);
    if (getuid() != 0 || r->uid == 0 || may_write(out, dirs, n))
        return;
    privilege_find(0, 0, out);
}
