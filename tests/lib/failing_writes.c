/*
 * A destination that fails at the nth write: preloaded into the programs of a system test, and into
 * nothing that is installed. FAILING_WRITES names, separated by commas:
 *
 *   STATE    a file of 8 bytes: how many calls were counted so far, by all processes together
 *   DIR      the calls count that change a regular file on the file system of this directory
 *   N        the first that fails, counted from 1; 0: none
 *   ERRNO    a number; 0: the process is killed instead, before the call does anything
 *   once|on  whether those after it fail as well
 *
 * What counts: write, writev, pwrite, ftruncate, fsync, fdatasync, and with a directory there
 * rename, link and unlink, which last can be killed at, but does not fail. A failing call has done
 * nothing. stdio's own writes are not seen.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_uint_fast64_t *count;
static dev_t device;
static uint64_t first;
static int error;
static bool lasting;

/* Before main, and so before the worker's sandbox. */
__attribute__((constructor)) static void
begin(void)
{
    const char *text = getenv("FAILING_WRITES");
    char *copy = text ? strdup(text) : NULL;
    char *rest = copy;
    const char *state = strsep(&rest, ",");
    const char *dir = strsep(&rest, ",");
    const char *n = strsep(&rest, ",");
    const char *sys = strsep(&rest, ",");
    struct stat st;
    int fd;

    if (!rest || stat(dir, &st) != 0)
        return;
    device = st.st_dev;
    first = strtoull(n, NULL, 10);
    error = (int)strtol(sys, NULL, 10);
    lasting = strcmp(rest, "on") == 0;
    fd = open(state, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        void *p = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        count = p == MAP_FAILED ? NULL : p;
        (void)close(fd);
    }
    free(copy);
}

static bool
fails(int fd)
{
    struct stat st;
    uint64_t n;

    if (!count || fstat(fd, &st) != 0 || st.st_dev != device ||
        !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        return false;
    n = atomic_fetch_add(count, 1) + 1;
    if (first == 0 || n < first || (n > first && !lasting))
        return false;
    if (error == 0) {
        (void)kill(getpid(), SIGKILL);
        __builtin_trap(); /* the worker's sandbox lets it kill nobody */
    }
    errno = error;
    return true;
}

ssize_t
write(int fd, const void *buf, size_t n)
{
    return fails(fd) ? -1 : syscall(SYS_write, fd, buf, n);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
    return fails(fd) ? -1 : syscall(SYS_writev, fd, v, n);
}

ssize_t
pwrite(int fd, const void *buf, size_t n, off_t at)
{
    return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, buf, n, at);
}

ssize_t
pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
    return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, buf, n, at);
}

int
ftruncate(int fd, off_t size)
{
    return fails(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int
ftruncate64(int fd, off64_t size)
{
    return fails(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int
fsync(int fd)
{
    return fails(fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
    return fails(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails(to_dir) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return fails(to_dir) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return fails(to_dir) ? -1 : (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int
unlinkat(int dir, const char *name, int flags)
{
    (void)fails(dir);
    return (int)syscall(SYS_unlinkat, dir, name, flags);
}
