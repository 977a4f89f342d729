#include "acquire/segments.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

#define READ_SIZE ((size_t)1 << 20)

struct entry {
    struct segment segment;
    uint64_t settled; /* bytes that will not change any more */
    bool closed;
};

struct segment_log {
    int dir;
    bool hash_files;
    pthread_t thread;
    pthread_mutex_t lock; /* guards everything below but the thread's own */
    pthread_cond_t wake;
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
    uint64_t at; /* bytes of that file hashed */
    uint8_t *buf;
    struct segment *list; /* the owner's, for segment_log_list() */
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

/* What has settled while the file is still being written: both digests over one read. */
static int
hash_settled(struct segment_log *log, uint64_t end, struct err *err)
{
    while (log->at < end) {
        size_t n;

        if (read_some(log->fd, log->buf, log->at, end, &n, err) != 0)
            return -1;
        digest_update_pair(log->md5, log->sha256, log->buf, n);
        log->at += n;
    }
    return 0;
}

/* The rest of a closed file: nobody waits for anything else any more, so the two digests go side by
   side, each in a thread of its own. */
struct rest {
    int fd;
    uint64_t at, end;
    struct digest *digest;
    int result;
    struct err err;
};

static void *
hash_rest(void *arg)
{
    struct rest *r = arg;
    AUTO_FREE uint8_t *buf = malloc(READ_SIZE);

    r->result = buf ? 0 : err_set(&r->err, OUTCOME_FAILED, "not enough memory to hash a segment");
    while (r->result == 0 && r->at < r->end) {
        size_t n = 0;

        r->result = read_some(r->fd, buf, r->at, r->end, &n, &r->err);
        if (r->result == 0)
            digest_update(r->digest, buf, n);
        r->at += n;
    }
    return NULL;
}

static int
hash_both(struct segment_log *log, uint64_t end, struct err *err)
{
    struct rest md5 = {.fd = log->fd, .at = log->at, .end = end, .digest = log->md5};
    struct rest sha256 = {.fd = log->fd, .at = log->at, .end = end, .digest = log->sha256};
    pthread_t beside;

    if (pthread_create(&beside, NULL, hash_rest, &sha256) != 0)
        return err_set(err, OUTCOME_FAILED, "cannot start a thread");
    (void)hash_rest(&md5);
    (void)pthread_join(beside, NULL);
    if (md5.result == 0 && sha256.result == 0)
        return 0;
    *err = md5.result != 0 ? md5.err : sha256.err;
    return -1;
}

static int
open_file(struct segment_log *log, const char *file, struct err *err)
{
    if (log->fd >= 0)
        return 0;
    log->at = 0;
    log->fd = openat(log->dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return log->fd < 0 ? err_errno(err, "cannot open it") : 0;
}

/* fsync works through a descriptor that only reads; the pages are then dropped, so that the
   read-back comes from the medium. */
static int
finish_file(struct segment_log *log, struct segment *s, struct err *err)
{
    struct stat st;

    if (fstat(log->fd, &st) != 0)
        return err_errno(err, "cannot stat it");
    s->size = (uint64_t)st.st_size;
    (void)sync_file_range(log->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (log->hash_files) {
        if (hash_both(log, s->size, err) != 0)
            return -1;
        digest_final_hex(log->md5, s->md5);
        digest_final_hex(log->sha256, s->sha256);
    }
    if (fsync(log->fd) != 0)
        return err_errno(err, "cannot sync it");
    (void)posix_fadvise(log->fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(log->fd);
    log->fd = -1;
    return 0;
}

/* One step at the first unfinished file, without the lock. */
static int
work_on(struct segment_log *log, struct entry *e, struct err *err)
{
    int r = open_file(log, e->segment.file, err);

    if (r == 0)
        r = e->closed ? finish_file(log, &e->segment, err) : hash_settled(log, e->settled, err);
    return r == 0 ? 0 : err_context(err, "segment '%s'", e->segment.file);
}

static bool
has_work(const struct segment_log *log)
{
    return log->done < log->n &&
           (log->v[log->done].closed ||
            (log->hash_files && log->v[log->done].settled > (log->fd < 0 ? 0 : log->at)));
}

static void *
run(void *arg)
{
    struct segment_log *log = arg;

    (void)pthread_mutex_lock(&log->lock);
    while (!log->failed) {
        struct err err = ERR_INIT;
        struct entry e;
        int r;

        while (!has_work(log) && !log->ended)
            (void)pthread_cond_wait(&log->wake, &log->lock);
        if (!has_work(log))
            break;
        e = log->v[log->done]; /* the list may move while the lock is not held */
        (void)pthread_mutex_unlock(&log->lock);
        r = work_on(log, &e, &err);
        (void)pthread_mutex_lock(&log->lock);
        if (e.closed)
            log->v[log->done++] = e;
        if (r != 0) {
            log->failed = true;
            log->err = err;
        }
    }
    (void)pthread_mutex_unlock(&log->lock);
    return NULL;
}

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
    log->hash_files = hash_files;
    log->fd = -1;
    log->joined = true;
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_cond_init(&log->wake, NULL);
    if (set_up(log, err) != 0) {
        segment_log_free(log);
        return NULL;
    }
    return log;
}

void
segment_log_begin(struct segment_log *log, const char *file, uint64_t media_offset)
{
    (void)pthread_mutex_lock(&log->lock);
    if (log->n == log->cap) {
        log->cap = log->cap * 2 + 16;
        log->v = xrealloc(log->v, log->cap, sizeof *log->v);
    }
    log->v[log->n++] = (struct entry){
        .segment = {.file = xstrdup(file), .media_offset = media_offset},
    };
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

struct segment *
segment_log_list(struct segment_log *log, size_t *n)
{
    if (!log->list) {
        log->list = xcalloc(log->n, sizeof *log->list);
        for (size_t i = 0; i < log->n; i++)
            log->list[i] = log->v[i].segment;
    }
    *n = log->n;
    return log->list;
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
    free(log->list);
    free(log->v);
    (void)pthread_cond_destroy(&log->wake);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}
