#include "acquire/worker/segments.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/outfile.h"
#include "common/text.h"

#define READ_SIZE ((size_t)1 << 20)

/* The open file is made durable every so many bytes or nanoseconds: that much is redone after a
   power cut. */
#define DURABLE_STEP ((uint64_t)256 << 20)
#define DURABLE_INTERVAL_NS UINT64_C(10000000000)

/* Pages are given back this far behind what has been hashed: by then the disk has them. To drop a
   whole segment at its end would hold up the job's. */
#define DROP_BEHIND ((uint64_t)64 << 20)

struct entry {
    struct segment segment;
    int dir;
    bool kept;        /* it was there before; its hashes are what it must have */
    uint64_t settled; /* bytes that have been written, or were given to be hashed */
    uint64_t durable; /* bytes of them that a power cut would leave */
    bool closed;
};

/* Bytes of an open file that are to be hashed. */
struct piece {
    size_t entry;
    const uint8_t *p;
    size_t n;
};

struct segment_log {
    int dir;
    bool hash_files;
    pthread_t thread;
    pthread_mutex_t lock; /* guards everything below but the thread's own */
    pthread_cond_t wake;  /* the thread: there is work */
    pthread_cond_t taken; /* who gave pieces: one is hashed */
    struct piece pieces[SEGMENT_PIECES_MAX];
    size_t n_pieces;
    struct entry *v;
    size_t n;
    size_t cap;
    size_t done; /* entries that are finished: the thread is at v[done] */
    bool ended;  /* nothing more will be begun */
    bool failed;
    struct err err;

    bool joined; /* the owner's */
    int fd;      /* from here on the thread's: the file it is at, or -1 */
    struct digest *md5, *sha256;
    uint64_t at;        /* bytes of that file hashed, or made durable */
    uint64_t dropped;   /* bytes whose pages have been given back */
    uint64_t synced_ns; /* when it was last made durable */
    uint8_t *buf;
};

static int
read_some(int fd, uint8_t *buf, uint64_t at, uint64_t end, size_t *n, struct err *err)
{
    size_t want = end - at < READ_SIZE ? (size_t)(end - at) : READ_SIZE;
    ssize_t r;

    do {
        r = pread(fd, buf, want, (off_t)at);
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return err_errno(err, "cannot read back the segment");
    if (r == 0)
        return err_set(err, OUTCOME_FAILED, "the segment is shorter than it was");
    *n = (size_t)r;
    return 0;
}

/* The read-back is to come from the medium. A page that is not clean yet stays until the end. */
static void
drop_to(struct segment_log *log, uint64_t to)
{
    (void)posix_fadvise(log->fd, (off_t)log->dropped, (off_t)(to - log->dropped),
                        POSIX_FADV_DONTNEED);
    log->dropped = to;
}

/* Both digests over one read. */
static int
hash_file(struct segment_log *log, uint64_t end, struct err *err)
{
    while (log->at < end) {
        size_t n = 0;

        if (read_some(log->fd, log->buf, log->at, end, &n, err) != 0)
            return -1;
        digest_update_pair(log->md5, log->sha256, log->buf, n);
        log->at += n;
        if (log->at - log->dropped >= 2 * DROP_BEHIND)
            drop_to(log, log->at - DROP_BEHIND);
    }
    return 0;
}

static int
open_file(struct segment_log *log, const struct entry *e, struct err *err)
{
    if (log->fd >= 0)
        return 0;
    log->at = log->dropped = 0;
    log->fd = openat(e->dir, e->segment.file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return log->fd < 0 ? err_errno(err, "cannot open it") : 0;
}

/* A hash that was not promised cannot differ. */
static bool
differs(const struct segment *promised, const struct segment *now)
{
    return promised->size != now->size ||
           (*promised->md5 && strcmp(promised->md5, now->md5) != 0) ||
           (*promised->sha256 && strcmp(promised->sha256, now->sha256) != 0);
}

/* The file, and that it has its name. fsync works through a descriptor that only reads. */
static int
make_durable(const struct segment_log *log, const struct entry *e, struct err *err)
{
    if (fsync(log->fd) != 0)
        return err_errno(err, "cannot sync it");
    return outfile_sync_dir(e->dir, err);
}

static int
finish_file(struct segment_log *log, struct entry *e, struct err *err)
{
    struct segment *s = &e->segment;
    struct segment promised = *s;
    struct stat st;

    if (fstat(log->fd, &st) != 0)
        return err_errno(err, "cannot stat it");
    s->size = (uint64_t)st.st_size;
    (void)sync_file_range(log->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (log->hash_files) {
        if (e->kept && hash_file(log, s->size, err) != 0)
            return -1;
        if (!e->kept && e->settled != s->size)
            return err_set(err, OUTCOME_FAILED, "it does not have the size that was written");
        digest_final_hex(log->md5, s->md5);
        digest_final_hex(log->sha256, s->sha256);
    }
    if (e->kept && differs(&promised, s))
        return err_set(err, OUTCOME_FAILED,
                       "what it held when it was promised is not what it holds now: it was changed "
                       "or is damaged");
    if (make_durable(log, e, err) != 0)
        return -1;
    (void)posix_fadvise(log->fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(log->fd);
    log->fd = -1;
    return 0;
}

static int
sync_settled(struct segment_log *log, struct entry *e, struct err *err)
{
    if (make_durable(log, e, err) != 0)
        return -1;
    log->at = e->durable = e->settled;
    log->synced_ns = clock_monotonic_ns();
    drop_to(log, log->at);
    return 0;
}

/* --- the thread --- */

static bool
has_piece(const struct segment_log *log)
{
    return log->n_pieces > 0 && log->pieces[0].entry == log->done;
}

static bool
has_file(const struct segment_log *log)
{
    const struct entry *e;
    uint64_t fresh;

    if (log->done == log->n)
        return false;
    e = &log->v[log->done];
    fresh = e->settled - (log->fd < 0 ? 0 : log->at);
    return e->closed || (!log->hash_files && fresh > 0 &&
                         (log->ended || fresh >= DURABLE_STEP ||
                          clock_monotonic_ns() - log->synced_ns >= DURABLE_INTERVAL_NS));
}

/* With the lock, which it gives up meanwhile. */
static void
hash_piece(struct segment_log *log)
{
    struct piece piece = log->pieces[0];

    (void)pthread_mutex_unlock(&log->lock);
    digest_update_pair(log->md5, log->sha256, piece.p, piece.n);
    (void)pthread_mutex_lock(&log->lock);
    memmove(log->pieces, log->pieces + 1, --log->n_pieces * sizeof *log->pieces);
    (void)pthread_cond_signal(&log->taken);
}

/* One step at the first unfinished file. With the lock, which it gives up meanwhile. */
static void
work_on_file(struct segment_log *log)
{
    struct entry e = log->v[log->done]; /* the list may move while the lock is not held */
    struct err err = ERR_INIT;
    int r;

    (void)pthread_mutex_unlock(&log->lock);
    r = open_file(log, &e, &err);
    if (r == 0)
        r = e.closed ? finish_file(log, &e, &err) : sync_settled(log, &e, &err);
    if (r != 0)
        (void)err_context(&err, "segment '%s'", e.segment.file);
    (void)pthread_mutex_lock(&log->lock);
    if (r == 0 && e.closed)
        log->v[log->done++] = e;
    else if (r == 0)
        log->v[log->done].durable = e.durable;
    if (r != 0) {
        log->failed = true;
        log->err = err;
        (void)pthread_cond_signal(&log->taken);
    }
}

static void *
run(void *arg)
{
    struct segment_log *log = arg;

    (void)pthread_mutex_lock(&log->lock);
    while (!log->failed) {
        if (has_piece(log))
            hash_piece(log);
        else if (has_file(log))
            work_on_file(log);
        else if (log->ended)
            break;
        else
            (void)pthread_cond_wait(&log->wake, &log->lock);
    }
    (void)pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* --- what is told to it --- */

static int
set_up(struct segment_log *log, struct err *err)
{
    log->buf = malloc(READ_SIZE);
    log->md5 = digest_new("md5", err);
    log->sha256 = log->md5 ? digest_new("sha256", err) : NULL;
    if (!log->md5 || !log->sha256)
        return -1;
    if (!log->buf || pthread_create(&log->thread, NULL, run, log) != 0)
        return err_set(err, OUTCOME_FAILED, "cannot start a thread");
    log->joined = false;
    return 0;
}

struct segment_log *
segment_log_new(int dir, bool hash_files, struct err *err)
{
    struct segment_log *log = xcalloc(1, sizeof *log);

    log->dir = dir;
    log->synced_ns = clock_monotonic_ns();
    log->hash_files = hash_files;
    log->fd = -1;
    log->joined = true;
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_cond_init(&log->wake, NULL);
    (void)pthread_cond_init(&log->taken, NULL);
    if (set_up(log, err) != 0) {
        segment_log_free(log);
        return NULL;
    }
    return log;
}

/* With the lock. */
static void
append(struct segment_log *log, struct entry e)
{
    if (log->n == log->cap) {
        log->cap = log->cap * 2 + 16;
        log->v = xrealloc(log->v, log->cap, sizeof *log->v);
    }
    log->v[log->n++] = e;
}

void
segment_log_keep(struct segment_log *log, int dir, const struct kept_segment *kept)
{
    struct entry e = {
        .segment = {.file = xstrdup(kept->file),
                    .size = kept->size,
                    .media_offset = kept->media_offset,
                    .media_length = kept->media_length},
        .dir = dir,
        .kept = true,
        .closed = true,
    };

    (void)pthread_mutex_lock(&log->lock);
    if (log->hash_files) {
        memcpy(e.segment.md5, kept->md5, sizeof e.segment.md5);
        memcpy(e.segment.sha256, kept->sha256, sizeof e.segment.sha256);
    }
    append(log, e);
    (void)pthread_cond_signal(&log->wake);
    (void)pthread_mutex_unlock(&log->lock);
}

void
segment_log_begin(struct segment_log *log, const char *file, uint64_t media_offset)
{
    struct entry e = {
        .segment = {.file = xstrdup(file), .media_offset = media_offset},
        .dir = log->dir,
    };

    (void)pthread_mutex_lock(&log->lock);
    append(log, e);
    (void)pthread_mutex_unlock(&log->lock);
}

void
segment_log_settled(struct segment_log *log, uint64_t bytes)
{
    (void)pthread_mutex_lock(&log->lock);
    log->v[log->n - 1].settled = bytes;
    (void)pthread_cond_signal(&log->wake);
    (void)pthread_mutex_unlock(&log->lock);
}

void
segment_log_give(struct segment_log *log, const uint8_t *p, size_t n)
{
    if (!log->hash_files)
        return;
    (void)pthread_mutex_lock(&log->lock);
    /* One that has failed takes no more, and nobody waits until it does. */
    if (!log->failed) {
        if (log->n_pieces == SEGMENT_PIECES_MAX)
            abort();
        log->pieces[log->n_pieces++] = (struct piece){.entry = log->n - 1, .p = p, .n = n};
        log->v[log->n - 1].settled += n;
        (void)pthread_cond_signal(&log->wake);
    }
    (void)pthread_mutex_unlock(&log->lock);
}

void
segment_log_wait(struct segment_log *log, size_t most)
{
    (void)pthread_mutex_lock(&log->lock);
    while (log->n_pieces > most && !log->failed)
        (void)pthread_cond_wait(&log->taken, &log->lock);
    (void)pthread_mutex_unlock(&log->lock);
}

void
segment_log_close(struct segment_log *log, uint64_t media_length)
{
    (void)pthread_mutex_lock(&log->lock);
    log->v[log->n - 1].segment.media_length = media_length;
    log->v[log->n - 1].closed = true;
    (void)pthread_cond_signal(&log->wake);
    (void)pthread_mutex_unlock(&log->lock);
}

int
segment_log_check(struct segment_log *log, struct err *err)
{
    bool failed;

    (void)pthread_mutex_lock(&log->lock);
    failed = log->failed;
    if (failed)
        *err = log->err;
    (void)pthread_mutex_unlock(&log->lock);
    return failed ? -1 : 0;
}

size_t
segment_log_done(struct segment_log *log)
{
    size_t done;

    (void)pthread_mutex_lock(&log->lock);
    done = log->done;
    (void)pthread_mutex_unlock(&log->lock);
    return done;
}

struct segment
segment_log_at(struct segment_log *log, size_t i)
{
    struct segment s;

    (void)pthread_mutex_lock(&log->lock);
    s = log->v[i].segment;
    (void)pthread_mutex_unlock(&log->lock);
    return s;
}

uint64_t
segment_log_durable(struct segment_log *log)
{
    uint64_t media = 0;

    (void)pthread_mutex_lock(&log->lock);
    if (log->done > 0)
        media =
            log->v[log->done - 1].segment.media_offset + log->v[log->done - 1].segment.media_length;
    if (log->done < log->n && !log->hash_files)
        media = log->v[log->done].segment.media_offset + log->v[log->done].durable;
    (void)pthread_mutex_unlock(&log->lock);
    return media;
}

int
segment_log_finish(struct segment_log *log, struct err *err)
{
    (void)pthread_mutex_lock(&log->lock);
    log->ended = true;
    (void)pthread_cond_signal(&log->wake);
    (void)pthread_mutex_unlock(&log->lock);
    if (!log->joined)
        (void)pthread_join(log->thread, NULL);
    log->joined = true;
    if (!log->failed)
        return 0;
    *err = log->err;
    return -1;
}

void
segment_log_free(struct segment_log *log)
{
    struct err ignored = ERR_INIT;

    if (!log)
        return;
    (void)segment_log_finish(log, &ignored);
    for (size_t i = 0; i < log->n; i++)
        free(log->v[i].segment.file);
    if (log->fd >= 0)
        (void)close(log->fd);
    digest_free(log->md5);
    digest_free(log->sha256);
    free(log->buf);
    free(log->v);
    (void)pthread_cond_destroy(&log->wake);
    (void)pthread_cond_destroy(&log->taken);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}
