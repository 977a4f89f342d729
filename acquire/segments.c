#include "acquire/segments.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/source.h"
#include "common/cleanup.h"
#include "common/text.h"

#define READ_SIZE ((size_t)1 << 20)

struct segment_log {
    int dir;
    bool hash_files;
    pthread_t thread;
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t wake;
    struct segment *v;
    size_t n; /* queued; the thread is at `done` */
    size_t done;
    size_t cap;
    uint64_t hashed;
    bool ended; /* nothing more will be queued */
    bool joined;
    bool failed;
    struct err err;
};

/* One digest over a file, by a thread of its own: MD5 and SHA-256 run side by side. */
struct file_hash {
    const char *algorithm;
    int fd;
    struct segment_log *log; /* told of progress, or NULL */
    char *hex;
    int result;
    struct err err;
};

static void
count_hashed(struct segment_log *log, size_t n)
{
    (void)pthread_mutex_lock(&log->lock);
    log->hashed += n;
    (void)pthread_mutex_unlock(&log->lock);
}

static void *
hash_file(void *arg)
{
    struct file_hash *h = arg;
    struct digest *d = digest_new(h->algorithm, &h->err);
    AUTO_FREE uint8_t *buf = malloc(READ_SIZE);
    uint64_t at = 0;
    ssize_t r = -1;

    h->result = -1;
    if (d && !buf)
        (void)err_set(&h->err, OUTCOME_FAILED, "not enough memory to hash a segment");
    while (d && buf && (r = pread(h->fd, buf, READ_SIZE, (off_t)at)) > 0) {
        digest_update(d, buf, (size_t)r);
        at += (uint64_t)r;
        if (h->log)
            count_hashed(h->log, (size_t)r);
    }
    if (d && buf && r < 0)
        (void)err_errno(&h->err, "cannot read back the segment");
    if (r == 0) {
        digest_final_hex(d, h->hex);
        h->result = 0;
    }
    digest_free(d);
    return NULL;
}

static int
hash_segment(struct segment_log *log, int fd, struct segment *s, struct err *err)
{
    struct file_hash md5 = {.algorithm = "md5", .fd = fd, .log = log, .hex = s->md5};
    struct file_hash sha256 = {.algorithm = "sha256", .fd = fd, .hex = s->sha256};
    pthread_t beside;

    if (pthread_create(&beside, NULL, hash_file, &sha256) != 0)
        return err_set(err, OUTCOME_FAILED, "cannot start a thread");
    (void)hash_file(&md5);
    (void)pthread_join(beside, NULL);
    if (md5.result != 0 || sha256.result != 0) {
        *err = md5.result != 0 ? md5.err : sha256.err;
        return -1;
    }
    return 0;
}

/* fsync works through a descriptor that only reads; the pages are then dropped, so that the
   read-back comes from the medium. */
static int
settle(struct segment_log *log, struct segment *s, struct err *err)
{
    AUTO_FD int fd = openat(log->dir, s->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return err_errno(err, "cannot open segment '%s'", s->file);
    s->size = (uint64_t)st.st_size;
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (log->hash_files && hash_segment(log, fd, s, err) != 0)
        return err_context(err, "segment '%s'", s->file);
    if (fsync(fd) != 0)
        return err_errno(err, "cannot sync segment '%s'", s->file);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return 0;
}

static void *
run(void *arg)
{
    struct segment_log *log = arg;

    (void)pthread_mutex_lock(&log->lock);
    for (;;) {
        struct err err = ERR_INIT;
        struct segment s;
        int r;

        while (log->done == log->n && !log->ended)
            (void)pthread_cond_wait(&log->wake, &log->lock);
        if (log->done == log->n || log->failed)
            break;
        s = log->v[log->done]; /* the list may move while the lock is not held */
        (void)pthread_mutex_unlock(&log->lock);
        r = settle(log, &s, &err);
        (void)pthread_mutex_lock(&log->lock);
        log->v[log->done++] = s;
        if (r != 0) {
            log->failed = true;
            log->err = err;
        }
    }
    (void)pthread_mutex_unlock(&log->lock);
    return NULL;
}

struct segment_log *
segment_log_new(int dir, bool hash_files, struct err *err)
{
    struct segment_log *log = xcalloc(1, sizeof *log);

    log->dir = dir;
    log->hash_files = hash_files;
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_cond_init(&log->wake, NULL);
    if (pthread_create(&log->thread, NULL, run, log) != 0) {
        (void)err_set(err, OUTCOME_FAILED, "cannot start a thread");
        log->joined = true;
        segment_log_free(log);
        return NULL;
    }
    return log;
}

void
segment_log_add(struct segment_log *log, const char *file, uint64_t media_offset,
                uint64_t media_length)
{
    (void)pthread_mutex_lock(&log->lock);
    if (log->n == log->cap) {
        log->cap = log->cap * 2 + 16;
        log->v = xrealloc(log->v, log->cap, sizeof *log->v);
    }
    log->v[log->n++] = (struct segment){
        .file = xstrdup(file),
        .media_offset = media_offset,
        .media_length = media_length,
    };
    (void)pthread_cond_signal(&log->wake);
    (void)pthread_mutex_unlock(&log->lock);
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
    *n = log->n;
    return log->v;
}

uint64_t
segment_log_hashed(struct segment_log *log)
{
    uint64_t n;

    (void)pthread_mutex_lock(&log->lock);
    n = log->hashed;
    (void)pthread_mutex_unlock(&log->lock);
    return n;
}

void
segment_log_free(struct segment_log *log)
{
    struct err ignored = ERR_INIT;

    if (!log)
        return;
    (void)segment_log_finish(log, &ignored);
    for (size_t i = 0; i < log->n; i++)
        free(log->v[i].file);
    free(log->v);
    (void)pthread_cond_destroy(&log->wake);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}
