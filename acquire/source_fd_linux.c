#include "acquire/source.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/text.h"

struct fd_source {
    struct source base;
    int fd;
};

static ssize_t
fd_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    struct fd_source *f = (struct fd_source *)s;
    ssize_t r;

    do {
        r = pread(f->fd, buf, n, (off_t)offset);
    } while (r < 0 && errno == EINTR);
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
   one read is tried. */
static bool
try_direct(int fd, int flags, uint64_t start, void *probe)
{
    if (start % SOURCE_ALIGNMENT != 0 && start % 512 != 0)
        return false;
    if (fcntl(fd, F_SETFL, flags | O_DIRECT) != 0)
        return false;
    if (pread(fd, probe, SOURCE_ALIGNMENT, (off_t)start) >= 0 || errno != EINVAL)
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
    return &f->base;
}
