#include "verify/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/medium.h"
#include "common/outfile.h"
#include "common/text.h"

#define PART ((size_t)1 << 20)

/* One file on its way. */
struct transfer {
    struct copy *c;
    struct copy_file *f;
    int from;
    int to; /* of NAME.partial, or of NAME where it is there already */
    struct digest *md5;
    struct digest *sha256;
    uint8_t *buf;   /* PART, from the source */
    uint8_t *there; /* PART, from the destination */
};

static void
advance(struct copy *c, uint64_t n)
{
    c->done += n;
    progress_update(c->progress, "copy", c->done, 2 * c->bytes, 0);
}

static int
interrupted(struct err *err)
{
    return err_set(err, OUTCOME_INTERRUPTED,
                   "interrupted; the same command goes on from what is there");
}

/* Reads until n bytes or the end. */
static ssize_t
read_part(int fd, uint8_t *buf, size_t n, uint64_t offset)
{
    size_t done = 0;

    while (done < n) {
        ssize_t r = pread(fd, buf + done, n - done, (off_t)(offset + done));

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        done += (size_t)r;
    }
    return (ssize_t)done;
}

static int
write_part(const struct transfer *t, size_t n, uint64_t offset, struct err *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t r = pwrite(t->to, t->buf + done, n - done, (off_t)(offset + done));

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0) {
            bool full = errno == ENOSPC || errno == EDQUOT;

            (void)err_errno(err, "cannot write '%s.partial' in '%s' at offset %" PRIu64, t->f->name,
                            t->c->to_path, offset + done);
            if (full)
                err->outcome = OUTCOME_INTERRUPTED;
            return -1;
        }
        done += (size_t)r;
    }
    return 0;
}

static int
source_error(const struct transfer *t, ssize_t got, uint64_t at, struct err *err)
{
    if (got >= 0)
        return err_set(err, OUTCOME_FAILED,
                       "'%s' became shorter while it was copied: it ends at %" PRIu64, t->f->path,
                       at + (uint64_t)got);
    return err_errno(err,
                     "cannot read '%s' at offset %" PRIu64
                     "; 'exhibit verify --salvage' saves what can be read of the image",
                     t->f->path, at);
}

/* The whole source file, once: hashed, and written where the destination does not hold the same
   bytes already. */
static int
send(struct transfer *t, uint64_t already, struct err *err)
{
    for (uint64_t at = 0; at < t->f->size;) {
        size_t n = t->f->size - at < PART ? (size_t)(t->f->size - at) : PART;
        ssize_t got = read_part(t->from, t->buf, n, at);

        if (*t->c->stop)
            return interrupted(err);
        if (got != (ssize_t)n)
            return source_error(t, got, at, err);
        digest_update_pair(t->md5, t->sha256, t->buf, n);
        if (at + n > already || read_part(t->to, t->there, n, at) != (ssize_t)n ||
            memcmp(t->buf, t->there, n) != 0) {
            already = already < at ? already : at; /* from here on all is written */
            if (write_part(t, n, at, err) != 0)
                return -1;
        }
        at += n;
        advance(t->c, n);
    }
    digest_final_hex(t->md5, t->f->md5);
    digest_final_hex(t->sha256, t->f->sha256);
    return 0;
}

static int
hash_source(struct transfer *t, struct err *err)
{
    for (uint64_t at = 0; at < t->f->size;) {
        size_t n = t->f->size - at < PART ? (size_t)(t->f->size - at) : PART;
        ssize_t got = read_part(t->from, t->buf, n, at);

        if (*t->c->stop)
            return interrupted(err);
        if (got != (ssize_t)n)
            return source_error(t, got, at, err);
        digest_update_pair(t->md5, t->sha256, t->buf, n);
        at += n;
        advance(t->c, n);
    }
    digest_final_hex(t->md5, t->f->md5);
    digest_final_hex(t->sha256, t->f->sha256);
    return 0;
}

/* The copy as its medium returns it: 1 if it is the source, 0 if not. */
static int
read_back(struct transfer *t, struct err *err)
{
    char hex[DIGEST_HEX_MAX];
    uint64_t at = 0;
    ssize_t n;

    t->f->from_medium = medium_drop_cache(t->to, t->f->size);
    while (at < t->f->size) {
        size_t want = t->f->size - at < PART ? (size_t)(t->f->size - at) : PART;

        n = read_part(t->to, t->buf, want, at);
        if (*t->c->stop)
            return interrupted(err);
        if (n < 0)
            return err_errno(err, "cannot read '%s' in '%s' back at offset %" PRIu64, t->f->name,
                             t->c->to_path, at);
        if (n == 0)
            break;
        digest_update(t->sha256, t->buf, (size_t)n);
        at += (uint64_t)n;
        advance(t->c, (uint64_t)n);
    }
    digest_final_hex(t->sha256, hex);
    return at == t->f->size && digest_hex_equal(hex, t->f->sha256) ? 1 : 0;
}

/* --- the two kinds of files: there already, or not ------------------------------------------- */

static int
compare_existing(struct transfer *t, struct err *err)
{
    int same;

    t->to = openat(t->c->to, t->f->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (t->to < 0)
        return err_errno(err, "cannot open '%s' in '%s'", t->f->name, t->c->to_path);
    if (hash_source(t, err) != 0)
        return -1;
    same = read_back(t, err);
    if (same < 0)
        return -1;
    if (!same)
        return err_set(err, OUTCOME_REFUSED,
                       "'%s' already exists in '%s' and differs; nothing is ever overwritten",
                       t->f->name, t->c->to_path);
    t->f->state = COPY_KEPT;
    return 0;
}

static int
copy_new(struct transfer *t, struct err *err)
{
    AUTO_FREE char *partial = xasprintf("%s.partial", t->f->name);
    struct stat st;
    int same;

    t->to =
        openat(t->c->to, partial, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, t->f->mode | S_IWUSR);
    if (t->to < 0 || fstat(t->to, &st) != 0 || !S_ISREG(st.st_mode))
        return err_errno(err, "cannot write '%s' in '%s'", partial, t->c->to_path);
    if (send(t, (uint64_t)st.st_size, err) != 0)
        return -1;
    if (ftruncate(t->to, (off_t)t->f->size) != 0 || fsync(t->to) != 0)
        return err_errno(err, "cannot write '%s' in '%s'", partial, t->c->to_path);
    same = read_back(t, err);
    if (same < 0)
        return -1;
    if (!same)
        return err_set(err, OUTCOME_MISMATCH,
                       "'%s' in '%s' does not read back as it was written; the medium cannot be "
                       "trusted",
                       partial, t->c->to_path);
    if (outfile_move(t->c->to, partial, t->c->to, t->f->name, err) != 0)
        return -1;
    t->f->state = st.st_size > 0 ? COPY_RESUMED : COPY_COPIED;
    return outfile_sync_dir(t->c->to, err);
}

static bool
is_there(const struct copy *c, const struct copy_file *f)
{
    struct stat st;

    return fstatat(c->to, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
transfer(struct transfer *t, struct copy_file *f, struct err *err)
{
    int (*how)(struct transfer *, struct err *) = is_there(t->c, f) ? compare_existing : copy_new;
    int r;

    t->f = f;
    t->to = -1;
    t->from = openat(t->c->dirs[f->dir], f->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (t->from < 0)
        return err_errno(err, "cannot open '%s'", f->path);
    (void)posix_fadvise(t->from, 0, 0, POSIX_FADV_SEQUENTIAL);
    r = how(t, err);
    f->differs = r == 0 && f->listed &&
                 (!digest_hex_equal(f->md5, f->listed->md5) ||
                  !digest_hex_equal(f->sha256, f->listed->sha256));
    (void)close(t->from);
    if (t->to >= 0)
        (void)close(t->to);
    return r;
}

/* First what is there, so that nothing is written if any of it differs; then the rest, in order. */
static int
transfer_all(struct transfer *t, struct err *err)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < t->c->n; i++) {
            struct copy_file *f = &t->c->files[i];

            if (f->state == COPY_PENDING && is_there(t->c, f) == (pass == 0) &&
                transfer(t, f, err) != 0)
                return -1;
        }
    }
    return 0;
}

int
copy_run(struct copy *c, struct err *err)
{
    struct transfer t = {.c = c, .from = -1, .to = -1};
    int r = -1;

    t.md5 = digest_new("md5", err);
    t.sha256 = digest_new("sha256", err);
    t.buf = xcalloc(1, PART);
    t.there = xcalloc(1, PART);
    if (t.md5 && t.sha256)
        r = transfer_all(&t, err);
    digest_free(t.md5);
    digest_free(t.sha256);
    free(t.buf);
    free(t.there);
    return r;
}
