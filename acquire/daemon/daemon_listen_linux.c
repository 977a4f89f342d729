#include "acquire/daemon/daemon_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"

/* A crowd that connects at once waits here until the core gets to it; a connect(2) that does not
   block, curl's among them, fails where there is no room. The kernel cuts it to somaxconn. */
#define BACKLOG 4096
#define LISTEN_FDS_START 3 /* sd_listen_fds(3) */

/* --- the socket --- */

static int
fill_address(const char *path, struct sockaddr_un *a, struct err *err)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a->sun_path)
        return err_set(err, OUTCOME_USAGE, "the socket's path '%s' is too long", path);
    memcpy(a->sun_path, path, strlen(path) + 1);
    return 0;
}

/* A socket that nobody listens on is a daemon's that was killed. */
static int
clear_place(const char *path, const struct sockaddr_un *a, struct err *err)
{
    AUTO_FD int probe = -1;
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : err_errno(err, "cannot look at '%s'", path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, OUTCOME_REFUSED, "'%s' exists and is no socket", path);
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0 || connect(probe, (const struct sockaddr *)a, sizeof *a) == 0 || errno == EAGAIN)
        return err_set(err, OUTCOME_REFUSED, "another program listens on '%s'", path);
    if (unlink(path) != 0)
        return err_errno(err, "cannot remove '%s'", path);
    return 0;
}

static int
make_parent(const char *path, struct err *err)
{
    AUTO_FREE char *parent = xstrdup(path);
    char *slash = strrchr(parent, '/');

    if (!slash || slash == parent)
        return 0;
    *slash = '\0';
    if (mkdir(parent, 0755) != 0 && errno != EEXIST)
        return err_errno(err, "cannot create '%s'", parent);
    return 0;
}

/* Bound with no rights for anyone, so that there is no moment in which others could connect. */
static int
bind_private(int sock, const struct sockaddr_un *a)
{
    mode_t old = umask(0777);
    int r = bind(sock, (const struct sockaddr *)a, sizeof *a);

    (void)umask(old);
    return r;
}

int
daemon_listen(const char *path, gid_t group, struct err *err)
{
    struct sockaddr_un a;
    int sock;

    if (fill_address(path, &a, err) != 0 || make_parent(path, err) != 0 ||
        clear_place(path, &a, err) != 0)
        return -1;
    sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return err_errno(err, "cannot make a socket");
    if (bind_private(sock, &a) == 0 && chown(path, 0, group) == 0 && listen(sock, BACKLOG) == 0 &&
        chmod(path, 0660) == 0)
        return sock;
    (void)err_errno(err, "cannot listen on '%s'", path);
    (void)close(sock);
    return -1;
}

/* sd_listen_fds(3): one socket, if LISTEN_PID is this process. */
int
daemon_listen_given(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *n = getenv("LISTEN_FDS");
    struct err ignored = ERR_INIT;
    uint64_t value;
    int flag = 0;
    socklen_t size = sizeof flag;

    if (!pid || !n || number_parse(pid, 1, INT32_MAX, "LISTEN_PID", &value, &ignored) != 0 ||
        (pid_t)value != getpid() || strcmp(n, "1") != 0)
        return -1;
    if (getsockopt(LISTEN_FDS_START, SOL_SOCKET, SO_ACCEPTCONN, &flag, &size) != 0 || !flag ||
        fcntl(LISTEN_FDS_START, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(LISTEN_FDS_START, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return LISTEN_FDS_START;
}

/* --- who is there --- */

int
daemon_group(const char *name, gid_t *gid, struct err *err)
{
    const struct group *g;

    errno = 0;
    g = getgrnam(name);
    if (!g && errno != 0 && errno != ENOENT)
        return err_errno(err, "cannot look up the group '%s'", name);
    if (!g)
        return err_set(err, OUTCOME_FAILED,
                       "there is no group '%s'; make it, or name another with 'group = NAME' in "
                       "the configuration",
                       name);
    *gid = g->gr_gid;
    return 0;
}

static bool
contains(const gid_t *groups, size_t n, gid_t gid)
{
    for (size_t i = 0; i < n; i++) {
        if (groups[i] == gid)
            return true;
    }
    return false;
}

bool
daemon_is_listed(uid_t uid, gid_t gid, gid_t group)
{
    struct privilege p;

    privilege_find(uid, gid, &p);
    return contains(p.groups, (size_t)p.n_groups, group);
}

static int
credentials(int sock, struct ucred *out, struct err *err)
{
    socklen_t size = sizeof *out;

    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, out, &size) != 0)
        return err_errno(err, "cannot tell who connects");
    return 0;
}

int
daemon_peer_uid(int sock, uid_t *out, struct err *err)
{
    struct ucred cred;
    int r = credentials(sock, &cred, err);

    *out = r == 0 ? cred.uid : (uid_t)-1;
    return r;
}

int
daemon_peer(int sock, gid_t group, struct daemon_peer *out, struct err *err)
{
    socklen_t bytes = sizeof out->as.groups;
    struct ucred cred;
    const struct passwd *pw;

    *out = (struct daemon_peer){0};
    if (credentials(sock, &cred, err) != 0)
        return -1;
    /* More groups than fit: none of them, rather than some. */
    if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, out->as.groups, &bytes) == 0)
        out->as.n_groups = (int)(bytes / sizeof out->as.groups[0]);
    out->as.uid = cred.uid;
    out->as.gid = cred.gid;
    pw = getpwuid(cred.uid);
    if (pw)
        (void)snprintf(out->name, sizeof out->name, "%s", pw->pw_name);
    else
        (void)snprintf(out->name, sizeof out->name, "%u", (unsigned)cred.uid);
    out->member = cred.uid == 0 || cred.gid == group ||
                  contains(out->as.groups, (size_t)out->as.n_groups, group) ||
                  /* the database may be newer than the peer's login */
                  daemon_is_listed(cred.uid, cred.gid, group);
    return 0;
}

/* --- the service manager --- */

void
daemon_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct err ignored = ERR_INIT;
    struct sockaddr_un a;
    AUTO_FD int sock = -1;

    if (!path || (path[0] != '/' && path[0] != '@') || fill_address(path, &a, &ignored) != 0)
        return;
    sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return;
    /* An abstract address has a NUL in front, and its length counts. */
    if (a.sun_path[0] == '@')
        a.sun_path[0] = '\0';
    (void)sendto(sock, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&a,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
}
