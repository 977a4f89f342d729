#include "common/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/text.h"

static int
write_all(int fd, const void *data, size_t n)
{
    const char *p = data;

    while (n > 0) {
        ssize_t w = write(fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

/* Makes the temporary file beside its final name, so that the rename stays in one directory. */
static int
write_temporary(int dirfd, const char *temporary, const void *data, size_t n, struct err *err)
{
    int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    int r = 0;

    if (fd < 0)
        return err_errno(err, "cannot create '%s'", temporary);
    if (write_all(fd, data, n) != 0 || fsync(fd) != 0)
        r = err_errno(err, "cannot write '%s'", temporary);
    if (close(fd) != 0 && r == 0)
        r = err_errno(err, "cannot close '%s'", temporary);
    if (r != 0)
        (void)unlinkat(dirfd, temporary, 0);
    return r;
}

int
outfile_write_one_of(int dirfd, const char *name, const void *data, size_t n, bool replace,
                     struct err *err)
{
    AUTO_FREE char *temporary = xasprintf(".%s.tmp-%ld", name, (long)getpid());
    int r;

    if (write_temporary(dirfd, temporary, data, n, err) != 0)
        return -1;
    if (replace) {
        r = renameat(dirfd, temporary, dirfd, name);
        if (r != 0)
            (void)err_errno(err, "cannot rename '%s' to '%s'", temporary, name);
    } else {
        r = outfile_move(dirfd, temporary, dirfd, name, err);
    }
    if (r != 0)
        (void)unlinkat(dirfd, temporary, 0);
    return r;
}

int
outfile_write(int dirfd, const char *name, const void *data, size_t n, bool replace,
              struct err *err)
{
    return outfile_write_one_of(dirfd, name, data, n, replace, err) == 0
               ? outfile_sync_dir(dirfd, err)
               : -1;
}

static int
move_error(const char *to, struct err *err)
{
    if (errno == EEXIST)
        return err_set(err, OUTCOME_REFUSED, "'%s' already exists", to);
    return err_errno(err, "cannot create '%s'", to);
}

int
outfile_move(int from_dir, const char *from, int to_dir, const char *to, struct err *err)
{
    struct stat st;

    if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
        return move_error(to, err);
    if (linkat(from_dir, from, to_dir, to, 0) == 0) {
        (void)unlinkat(from_dir, from, 0);
        return 0;
    }
    if (errno == EEXIST)
        return move_error(to, err);
    /* Neither is to be had: what is left is a check just before the rename. */
    if (fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return move_error(to, err);
    }
    if (renameat(from_dir, from, to_dir, to) != 0)
        return move_error(to, err);
    return 0;
}

int
outfile_sync_dir(int dirfd, struct err *err)
{
    /* An O_PATH descriptor cannot be synced, so the directory is opened anew through it. */
    AUTO_FD int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == EACCES)
        return 0; /* may be written, not listed: nothing to sync through */
    if (fd < 0)
        return err_errno(err, "cannot open the directory");
    if (fsync(fd) != 0 && errno != EINVAL && errno != EOPNOTSUPP && errno != EBADF)
        return err_errno(err, "cannot sync the directory");
    return 0;
}

/* A regular file of at most max bytes, opened and sized. */
static int
open_regular(int dirfd, const char *name, size_t max, size_t *size, struct err *err)
{
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return err_errno(err, "cannot open '%s'", name);
    if (fstat(fd, &st) != 0)
        (void)err_errno(err, "cannot stat '%s'", name);
    else if (!S_ISREG(st.st_mode))
        (void)err_set(err, OUTCOME_FAILED, "'%s' is %s", name,
                      S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
    else if ((uint64_t)st.st_size > max)
        (void)err_set(err, OUTCOME_FAILED, "'%s' is larger than %zu bytes", name, max);
    else {
        *size = (size_t)st.st_size;
        return fd;
    }
    (void)close(fd);
    return -1;
}

char *
infile_read(int dirfd, const char *name, size_t max, size_t *n, struct err *err)
{
    size_t size = 0;
    AUTO_FD int fd = open_regular(dirfd, name, max, &size, err);
    char *data;

    *n = 0;
    if (fd < 0)
        return NULL;
    data = malloc(size + 1);
    if (!data) {
        (void)err_set(err, OUTCOME_FAILED, "not enough memory to read '%s'", name);
        return NULL;
    }
    while (*n < size) {
        ssize_t r = read(fd, data + *n, size - *n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0) {
            (void)err_errno(err, "cannot read '%s'", name);
            free(data);
            return NULL;
        }
        if (r == 0)
            break;
        *n += (size_t)r;
    }
    data[*n] = '\0';
    return data;
}

int
path_open_parent(const char *path, const char **base, struct err *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    int fd;

    *base = slash ? slash + 1 : path;
    if (**base == '\0' || strcmp(*base, ".") == 0 || strcmp(*base, "..") == 0)
        return err_set(err, OUTCOME_USAGE, "'%s' does not end in a file name", path);
    fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "cannot open directory '%s'", dir);
    return fd;
}
