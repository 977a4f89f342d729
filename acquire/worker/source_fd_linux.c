#include "acquire/worker/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

struct fd_source {
    struct source base;
    int fd;
    int flags; /* of the descriptor, O_DIRECT included where it is in force */
};

static ssize_t
read_at(const struct fd_source *f, void *buf, size_t n, uint64_t offset)
{
    ssize_t r;

    do {
        r = pread(f->fd, buf, n, (off_t)offset);
    } while (r < 0 && errno == EINTR);
    return r;
}

/* One read through the page cache. */
static ssize_t
read_cached(const struct fd_source *f, void *buf, size_t n, uint64_t offset)
{
    ssize_t r;
    int saved;

    if (fcntl(f->fd, F_SETFL, f->flags & ~O_DIRECT) != 0)
        return -1;
    r = read_at(f, buf, n, offset);
    saved = errno;
    (void)fcntl(f->fd, F_SETFL, f->flags);
    errno = saved;
    return r;
}

/* A file's sectors are what its image will have, not what its file system reads in: on a disk of
   4096-byte sectors, the odd end of a file, or a single sector of it, cannot be read directly. */
static ssize_t
fd_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    struct fd_source *f = (struct fd_source *)s;
    ssize_t r = read_at(f, buf, n, offset);

    if (r < 0 && errno == EINVAL && (f->flags & O_DIRECT))
        return read_cached(f, buf, n, offset);
    return r;
}

static void
fd_close(struct source *s)
{
    struct fd_source *f = (struct fd_source *)s;

    (void)close(f->fd);
    free(f);
}

static const struct source_ops fd_ops = {.pread = fd_pread, .close = fd_close};

/* A file system that takes the flag may still refuse the reads (tmpfs before 6.6, odd offsets), so
   one read is tried. Of a device none is: it may be of a bad sector, and every one counts. */
static bool
try_direct(int fd, int flags, uint64_t start, void *probe)
{
    struct stat st;

    if (start % 512 != 0)
        return false;
    if (fcntl(fd, F_SETFL, flags | O_DIRECT) != 0)
        return false;
    if ((fstat(fd, &st) == 0 && S_ISBLK(st.st_mode)) ||
        pread(fd, probe, SOURCE_ALIGNMENT, (off_t)start) >= 0 || errno != EINVAL)
        return true;
    (void)fcntl(fd, F_SETFL, flags & ~O_DIRECT);
    return false;
}

struct source *
source_from_fd(int fd, uint64_t start, bool *direct, struct err *err)
{
    int flags = fcntl(fd, F_GETFL);
    struct fd_source *f;
    void *probe = NULL;

    if (flags < 0 || posix_memalign(&probe, SOURCE_ALIGNMENT, SOURCE_ALIGNMENT) != 0) {
        (void)err_errno(err, "cannot use the source's descriptor");
        return NULL;
    }
    *direct = try_direct(fd, flags, start, probe);
    free(probe);
    f = xcalloc(1, sizeof *f);
    f->base.ops = &fd_ops;
    f->fd = fd;
    f->flags = *direct ? flags | O_DIRECT : flags;
    return &f->base;
}
