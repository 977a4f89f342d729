#include "acquire/front/thermometer.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "acquire/device/device_sysfs.h"
#include "common/cleanup.h"
#include "common/text.h"

#define INTERVAL_S 5

struct thermometer {
    pid_t pid;
    int fd;
};

/* drivetemp's hwmon stands in a directory of that name, nvme's in some kernels beside its
   controller's attributes (Documentation/hwmon, drivers/nvme/host/hwmon.c). temp1 is the drive's
   composite temperature in both. */
bool
thermometer_find_at(const char *root, dev_t disk, char path[PATH_MAX])
{
    static const char *const places[] = {
        "device/hwmon/hwmon*/temp1_input",
        "device/hwmon*/temp1_input",
        "device/device/hwmon/hwmon*/temp1_input",
    };
    char dir[PATH_MAX];
    bool found = false;

    if (!sysfs_block_dir(root, disk, dir))
        return false;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !found; i++) {
        AUTO_FREE char *pattern = xasprintf("%s/%s", dir, places[i]);
        glob_t g;

        if (glob(pattern, 0, NULL, &g) != 0)
            continue;
        found = g.gl_pathc > 0 &&
                (size_t)snprintf(path, PATH_MAX, "%s", g.gl_pathv[0]) < (size_t)PATH_MAX;
        globfree(&g);
    }
    return found;
}

static bool
read_value(const char *path, int *celsius)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[32];
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    long v;
    char *end;

    if (n <= 0)
        return false;
    text[n] = '\0';
    v = strtol(text, &end, 10);
    /* What no drive can have is a sensor that is not there. */
    if (end == text || v < -100000 || v > 200000)
        return false;
    *celsius = (int)v;
    return true;
}

/* The descriptors of the front, its locks among them, must not outlive it here. */
static void
measure(const char *path, int out)
{
    const struct timespec interval = {.tv_sec = INTERVAL_S};
    int celsius;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (dup2(out, STDERR_FILENO + 1) < 0 || close_range(STDERR_FILENO + 2, ~0u, 0) != 0)
        _exit(1);
    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO);
    (void)close(STDERR_FILENO);
    for (;;) {
        if (read_value(path, &celsius) &&
            write(STDERR_FILENO + 1, &celsius, sizeof celsius) != (ssize_t)sizeof celsius)
            _exit(0);
        (void)nanosleep(&interval, NULL);
    }
}

struct thermometer *
thermometer_start(dev_t disk)
{
    char path[PATH_MAX];
    struct thermometer *t;
    int fds[2];
    pid_t pid;

    if (!thermometer_find_at("", disk, path) || pipe2(fds, O_CLOEXEC) != 0)
        return NULL;
    pid = fork();
    if (pid == 0)
        measure(path, fds[1]);
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return NULL;
    }
    t = xcalloc(1, sizeof *t);
    t->pid = pid;
    t->fd = fds[0];
    return t;
}

int
thermometer_fd(const struct thermometer *t)
{
    return t ? t->fd : -1;
}

bool
thermometer_read(struct thermometer *t, int *celsius)
{
    if (read(t->fd, celsius, sizeof *celsius) == (ssize_t)sizeof *celsius)
        return true;
    (void)close(t->fd);
    t->fd = -1;
    return false;
}

void
thermometer_end(struct thermometer *t)
{
    if (!t)
        return;
    (void)kill(t->pid, SIGKILL);
    (void)waitpid(t->pid, NULL, WNOHANG);
    if (t->fd >= 0)
        (void)close(t->fd);
    free(t);
}
