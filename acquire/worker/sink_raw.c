#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/worker/keep.h"
#include "acquire/worker/sink.h"
#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/segname.h"
#include "common/text.h"

/* Dirty pages are sent to the disk this often, so that no long flush waits at a segment's end. */
#define WRITE_BEHIND ((uint64_t)16 << 20)

#define COPY_SIZE ((size_t)1 << 20)

struct raw_sink {
    struct sink base;
    struct sink_spec spec;
    char *name;
    int fd;           /* the open segment, or -1 */
    uint32_t number;  /* of the open segment, from 1 */
    char *file;       /* its name */
    uint64_t start;   /* its first byte of media */
    uint64_t at;      /* bytes of media written in all */
    uint64_t flushed; /* bytes of the open segment sent to the disk */
};

static int
name_segment(struct raw_sink *s, struct err *err)
{
    char ext[SEGNAME_EXT_MAX] = ".raw";

    if (s->spec.segment_size != 0 && segname_raw_split(s->number, ext) != 0)
        return err_set(err, OUTCOME_FAILED, "no name is left for segment %u", s->number);
    free(s->file);
    s->file = xasprintf("%s%s", s->name, ext);
    return 0;
}

static int
open_segment(struct raw_sink *s, struct err *err)
{
    s->number++;
    if (name_segment(s, err) != 0)
        return -1;
    s->fd =
        openat(s->spec.dir, s->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (s->fd < 0)
        return err_errno(err, "cannot create segment '%s'", s->file);
    s->start = s->at;
    s->flushed = 0;
    segment_log_begin(s->spec.log, s->file, s->start);
    return 0;
}

static int
close_segment(struct raw_sink *s, struct err *err)
{
    int r = close(s->fd);

    s->fd = -1;
    if (r != 0)
        return err_errno(err, "cannot close segment '%s'", s->file);
    segment_log_close(s->spec.log, s->at - s->start);
    return segment_log_check(s->spec.log, err);
}

static int
write_all(struct raw_sink *s, const uint8_t *p, size_t n, struct err *err)
{
    while (n > 0) {
        ssize_t w = write(s->fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return err_errno(err, "cannot write segment '%s' at %llu", s->file,
                             (unsigned long long)(s->at - s->start));
        p += w;
        n -= (size_t)w;
        s->at += (uint64_t)w;
    }
    if (s->at - s->start - s->flushed >= WRITE_BEHIND) {
        uint64_t end = s->at - s->start;

        (void)sync_file_range(s->fd, (off_t)s->flushed, (off_t)(end - s->flushed),
                              SYNC_FILE_RANGE_WRITE);
        s->flushed = end;
    }
    return 0;
}

static int
raw_put(struct sink *base, const struct block *b, struct err *err)
{
    struct raw_sink *s = (struct raw_sink *)base;
    size_t skip = s->at > b->offset ? (size_t)(s->at - b->offset) : 0;
    const uint8_t *p = b->data + skip;
    size_t n = b->length - skip;

    if (segment_log_check(s->spec.log, err) != 0)
        return -1;
    while (n > 0) {
        uint64_t limit = s->spec.segment_size;
        size_t part = n;

        if (s->fd >= 0 && limit != 0 && s->at - s->start == limit && close_segment(s, err) != 0)
            return -1;
        if (s->fd < 0 && open_segment(s, err) != 0)
            return -1;
        if (limit != 0 && part > limit - (s->at - s->start))
            part = (size_t)(limit - (s->at - s->start));
        if (write_all(s, p, part, err) != 0)
            return -1;
        segment_log_settled(s->spec.log, s->at - s->start);
        p += part;
        n -= part;
    }
    return 0;
}

static int
raw_finish(struct sink *base, const struct sink_final *final, struct err *err)
{
    struct raw_sink *s = (struct raw_sink *)base;

    (void) final;
    return s->fd >= 0 ? close_segment(s, err) : 0;
}

static void
raw_free(struct sink *base)
{
    struct raw_sink *s = (struct raw_sink *)base;

    if (s->fd >= 0)
        (void)close(s->fd);
    free(s->file);
    free(s->name);
    free(s);
}

static const struct sink_ops raw_ops = {.put = raw_put, .finish = raw_finish, .free = raw_free};

/* The durable part of the file that was open; what lies after it is cut off. */
static int
reopen_segment(struct raw_sink *s, const struct keep *keep, struct err *err)
{
    uint64_t length = keep->durable - keep->end;
    struct stat st;

    s->fd = openat(s->spec.dir, s->file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &st) != 0)
        return err_errno(err, "cannot open segment '%s'", s->file);
    s->number++;
    s->start = keep->end;
    s->at = keep->durable;
    s->flushed = length;
    s->base.discarded += (uint64_t)st.st_size - length;
    if (ftruncate(s->fd, (off_t)length) != 0 || lseek(s->fd, (off_t)length, SEEK_SET) < 0)
        return err_errno(err, "cannot cut segment '%s' to %llu bytes", s->file,
                         (unsigned long long)length);
    segment_log_begin(s->spec.log, s->file, s->start);
    segment_log_settled(s->spec.log, length);
    return 0;
}

/* A promised part that is not there in full is redone with the whole file. */
static bool
can_continue(const struct raw_sink *s)
{
    const struct kept_sink *k = &s->spec.resume->sinks[s->spec.index];
    uint64_t end = kept_end(k);
    struct stat st;

    return k->durable > end &&
           fstatat(s->spec.dirs[k->open_dir], s->file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && (uint64_t)st.st_size >= k->durable - end &&
           (s->spec.segment_size == 0 || k->durable - end <= s->spec.segment_size);
}

/* The first n bytes of a file to the open segment, which they make. */
static int
copy_from(struct raw_sink *s, int from, uint64_t n, struct err *err)
{
    AUTO_FREE uint8_t *buf = malloc(COPY_SIZE);

    if (!buf)
        return err_set(err, OUTCOME_FAILED, "not enough memory to copy a segment");
    for (uint64_t at = 0; at < n;) {
        size_t want = n - at < COPY_SIZE ? (size_t)(n - at) : COPY_SIZE;
        ssize_t got = pread(from, buf, want, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_errno(err, "cannot read '%s' in its earlier directory", s->file);
        if (write_all(s, buf, (size_t)got, err) != 0)
            return -1;
        at += (uint64_t)got;
    }
    if (fsync(s->fd) != 0)
        return err_errno(err, "cannot sync segment '%s'", s->file);
    return outfile_sync_dir(s->spec.dir, err);
}

/* The part of a file that was written in an earlier directory need not be read from the source
   again. Until the copy is durable the original stays. */
static int
carry_over(struct raw_sink *s, struct err *err)
{
    const struct kept_sink *k = &s->spec.resume->sinks[s->spec.index];
    AUTO_FD int from =
        openat(s->spec.dirs[k->open_dir], s->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int r;

    if (from < 0)
        return err_errno(err, "cannot open '%s' in its earlier directory", s->file);
    (void)unlinkat(s->spec.dir, s->file, 0);
    s->fd =
        openat(s->spec.dir, s->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (s->fd < 0)
        return err_errno(err, "cannot create segment '%s'", s->file);
    s->start = s->at = s->flushed = 0;
    r = copy_from(s, from, k->durable - kept_end(k), err);
    (void)close(s->fd);
    s->fd = -1;
    if (r != 0)
        (void)unlinkat(s->spec.dir, s->file, 0);
    return r;
}

static int
go_on(struct raw_sink *s, struct err *err)
{
    const struct kept_sink *k = &s->spec.resume->sinks[s->spec.index];
    struct keep keep;
    bool more;

    /* The name of the file after the segments that are promised. */
    s->number = (uint32_t)k->n + 1;
    if (name_segment(s, err) != 0)
        return -1;
    more = can_continue(s);
    if ((more && k->open_dir != s->spec.index && carry_over(s, err) != 0) ||
        keep_prepare(&s->spec, false, more ? s->file : NULL, &keep, err) != 0)
        return -1;
    for (size_t i = 0; i < keep.n; i++)
        segment_log_keep(s->spec.log, s->spec.dirs[keep.v[i].dir], &keep.v[i]);
    s->number = (uint32_t)keep.n;
    s->at = keep.end;
    s->base.kept = keep.n;
    s->base.discarded = keep.discarded;
    if (more && k->open_dir != s->spec.index) /* of these nothing was lost */
        s->base.discarded -= k->durable - kept_end(k);
    if (keep.durable > keep.end && reopen_segment(s, &keep, err) != 0)
        return -1;
    s->base.from = s->at;
    return 0;
}

struct sink *
sink_raw_new(const struct sink_spec *spec, struct err *err)
{
    struct raw_sink *s = xcalloc(1, sizeof *s);

    s->base.ops = &raw_ops;
    s->spec = *spec;
    s->name = xstrdup(spec->name);
    s->fd = -1;
    if (spec->resume && spec->resume->again && go_on(s, err) != 0) {
        raw_free(&s->base);
        return NULL;
    }
    return &s->base;
}
