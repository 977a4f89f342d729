#include "acquire/worker/segment_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "common/text.h"

/* What direct writes are aligned to, in the file and in memory: no logical sector is larger. */
#define ALIGNMENT ((size_t)4096)

/* One is filled while another is hashed; the third, so that neither waits for the other. */
#define BUFFERS 3
_Static_assert(BUFFERS - 1 < SEGMENT_PIECES_MAX, "the log takes as many as there are buffers");

struct segment_writer {
    int dir;
    struct segment_log *log;
    size_t room;
    int fd; /* or -1 */
    bool direct;
    uint8_t *buffers[BUFFERS];
    size_t current;
    uint64_t start; /* place in the file of the buffer's first byte, aligned */
    size_t sent;    /* bytes of the buffer that were sent before: less than ALIGNMENT */
    size_t used;
};

struct segment_writer *
segment_writer_new(int dir, struct segment_log *log, size_t room, struct err *err)
{
    struct segment_writer *w = xcalloc(1, sizeof *w);
    size_t whole = (room + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    w->dir = dir;
    w->log = log;
    w->room = room;
    w->fd = -1;
    for (size_t i = 0; i < BUFFERS; i++) {
        w->buffers[i] = aligned_alloc(ALIGNMENT, whole);
        if (!w->buffers[i]) {
            segment_writer_free(w);
            (void)err_set(err, OUTCOME_FAILED, "not enough memory to write an E01");
            return NULL;
        }
    }
    return w;
}

void
segment_writer_free(struct segment_writer *w)
{
    if (!w)
        return;
    segment_log_wait(w->log, 0);
    if (w->fd >= 0)
        (void)close(w->fd);
    for (size_t i = 0; i < BUFFERS; i++)
        free(w->buffers[i]);
    free(w);
}

int
segment_writer_begin(struct segment_writer *w, const char *file, uint64_t media_offset,
                     struct err *err)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

    w->direct = true;
    w->fd = openat(w->dir, file, flags | O_DIRECT, 0644);
    if (w->fd < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) {
        w->direct = false;
        /* Some file systems make the file before they say that they cannot. */
        (void)unlinkat(w->dir, file, 0);
        w->fd = openat(w->dir, file, flags, 0644);
    }
    if (w->fd < 0)
        return err_errno(err, "cannot create it");
    w->start = w->sent = w->used = 0;
    segment_log_begin(w->log, file, media_offset);
    return 0;
}

uint8_t *
segment_writer_add(struct segment_writer *w, size_t n)
{
    uint8_t *p = w->buffers[w->current] + w->used;

    if (n > w->room || w->used - w->sent > w->room - n)
        abort();
    w->used += n;
    return p;
}

uint64_t
segment_writer_at(const struct segment_writer *w)
{
    return w->start + w->used;
}

uint8_t *
segment_writer_added(struct segment_writer *w, uint64_t at)
{
    if (at < w->start + w->sent || at > w->start + w->used)
        abort();
    return w->buffers[w->current] + (at - w->start);
}

/* Not to be had again for this file. */
static int
write_through_pages(struct segment_writer *w)
{
    int flags = fcntl(w->fd, F_GETFL);

    w->direct = false;
    return flags < 0 ? -1 : fcntl(w->fd, F_SETFL, flags & ~O_DIRECT);
}

/* A file system may take the flag and refuse the write; or write a part that does not end where the
   next can begin, for instance up to a limit that it is to name next. */
static ssize_t
write_some(struct segment_writer *w, const uint8_t *p, size_t n, uint64_t at)
{
    ssize_t done = pwrite(w->fd, p, n, (off_t)at);
    bool refused = done < 0 && (errno == EINVAL || errno == EOPNOTSUPP);

    if (w->direct && done > 0 && (size_t)done < n)
        done -= done % (ssize_t)ALIGNMENT;
    if (w->direct && (refused || done == 0))
        done = write_through_pages(w) == 0 ? pwrite(w->fd, p, n, (off_t)at) : -1;
    if (done == 0)
        errno = ENOSPC;
    return done == 0 ? -1 : done;
}

/* Without direct writes the pages are sent on, so that they do not pile up for the file's end. */
static int
write_out(struct segment_writer *w, size_t n, struct err *err)
{
    const uint8_t *p = w->buffers[w->current];
    size_t at = 0;

    while (at < n) {
        ssize_t done = write_some(w, p + at, n - at, w->start + at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_errno(err, "cannot write at byte %" PRIu64, w->start + at);
        at += (size_t)done;
    }
    if (!w->direct && n > 0)
        (void)sync_file_range(w->fd, (off_t)w->start, (off_t)n, SYNC_FILE_RANGE_WRITE);
    return 0;
}

/* The next buffer begins with what does not fill a block of this one. Each turn goes with a piece
   for the log: so the pieces that are not hashed yet lie in the buffers that were the last. */
static void
turn_over(struct segment_writer *w, size_t written)
{
    const uint8_t *from = w->buffers[w->current];

    w->current = (w->current + 1) % BUFFERS;
    segment_log_wait(w->log, BUFFERS - 1);
    w->used = w->sent = w->used - written;
    memcpy(w->buffers[w->current], from + written, w->used);
    w->start += written;
}

/* It is hashed while it is written. */
int
segment_writer_send(struct segment_writer *w, struct err *err)
{
    size_t whole = w->used - w->used % ALIGNMENT;

    if (w->used == w->sent)
        return 0;
    segment_log_give(w->log, w->buffers[w->current] + w->sent, w->used - w->sent);
    if (write_out(w, whole, err) != 0)
        return -1;
    turn_over(w, whole);
    return 0;
}

/* Less than a block is left. A direct write is of whole ones: what is too much is cut off. */
int
segment_writer_end(struct segment_writer *w, uint64_t media_length, struct err *err)
{
    uint64_t size = segment_writer_at(w);
    size_t n;
    int fd;

    if (segment_writer_send(w, err) != 0)
        return -1;
    n = w->used;
    if (w->direct && n > 0) {
        memset(w->buffers[w->current] + n, 0, ALIGNMENT - n);
        n = ALIGNMENT;
    }
    if (write_out(w, n, err) != 0)
        return -1;
    if (n > 0 && ftruncate(w->fd, (off_t)size) != 0)
        return err_errno(err, "cannot end it");
    fd = w->fd;
    w->fd = -1;
    if (close(fd) != 0)
        return err_errno(err, "cannot close it");
    segment_log_close(w->log, media_length);
    return 0;
}
