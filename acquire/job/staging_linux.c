#include "acquire/job/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/outfile.h"
#include "common/text.h"

struct staging {
    int dir;
    int fd;
    char *map_name;
    uint64_t length; /* bytes */
};

static struct staging *
open_image(int dir, const char *name, uint64_t length, int flags, struct err *err)
{
    struct staging *s = xcalloc(1, sizeof *s);
    char *image = xasprintf("%s" STAGING_IMAGE_SUFFIX, name);

    *s = (struct staging){
        .dir = dir,
        .fd = openat(dir, image, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600),
        .map_name = xasprintf("%s" STAGING_MAP_SUFFIX, name),
        .length = length,
    };
    if (s->fd < 0) {
        (void)err_errno(err, "cannot open '%s'", image);
        staging_free(s);
        s = NULL;
    }
    free(image);
    return s;
}

/* What runs out of space after days had better do so now. */
static int
reserve(const struct staging *s, struct err *err)
{
    if (fallocate(s->fd, 0, 0, (off_t)s->length) == 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return err_errno(err, "cannot reserve %llu bytes for rescue",
                         (unsigned long long)s->length);
    if (ftruncate(s->fd, (off_t)s->length) != 0)
        return err_errno(err, "cannot make a file of %llu bytes for rescue",
                         (unsigned long long)s->length);
    return 0;
}

struct staging *
staging_create(int dir, const char *name, uint64_t length, struct err *err)
{
    struct map_block all = {.length = length, .status = MAP_NON_TRIED};
    const struct mapfile empty = {.phase = '?', .pass = 1, .blocks = &all, .n = 1};
    struct staging *s = open_image(dir, name, length, O_CREAT | O_EXCL, err);

    if (s && reserve(s, err) == 0 && staging_save(s, &empty, err) == 0)
        return s;
    staging_free(s);
    return NULL;
}

struct staging *
staging_open(int dir, const char *name, uint64_t length, struct err *err)
{
    struct staging *s = open_image(dir, name, length, O_NONBLOCK, err);
    struct stat st;

    if (!s)
        return NULL;
    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == length)
        return s;
    (void)err_set(err, OUTCOME_FAILED, "'%s%s' is not what this job has made", name,
                  STAGING_IMAGE_SUFFIX);
    staging_free(s);
    return NULL;
}

void
staging_free(struct staging *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s->map_name);
    free(s);
}

int
staging_write(struct staging *s, const void *buf, size_t n, uint64_t at, struct err *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t w = pwrite(s->fd, (const char *)buf + done, n - done, (off_t)(at + done));

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return err_errno(err, "cannot write what was rescued");
        done += (size_t)w;
    }
    return 0;
}

ssize_t
staging_read(struct staging *s, void *buf, size_t n, uint64_t at)
{
    ssize_t r;

    do {
        r = pread(s->fd, buf, n, (off_t)at);
    } while (r < 0 && errno == EINTR);
    return r;
}

int
staging_save(struct staging *s, const struct mapfile *map, struct err *err)
{
    char *text = mapfile_write(map, "exhibit acquire --rescue");
    int r = 0;

    /* The map that is there must not give way to none. */
    if (!text)
        return err_set(err, OUTCOME_FAILED, "not enough memory for the map of what was rescued");
    if (fdatasync(s->fd) != 0)
        r = err_errno(err, "cannot sync what was rescued");
    if (r == 0)
        r = outfile_write(s->dir, s->map_name, text, strlen(text), true, err);
    free(text);
    return r;
}

struct mapfile *
staging_map(struct staging *s, struct err *err)
{
    size_t n;
    char *text = infile_read(s->dir, s->map_name, STAGING_MAP_MAX, &n, err);
    struct mapfile *map = text ? mapfile_parse(text, n, STAGING_BLOCKS_MAX, err) : NULL;

    free(text);
    if (!map)
        (void)err_context(err, "cannot read '%s'", s->map_name);
    return map;
}

/* --- the files --- */

bool
staging_owns(const char *name, const char *file)
{
    size_t n = strlen(name);

    return strncmp(file, name, n) == 0 && (strcmp(file + n, STAGING_IMAGE_SUFFIX) == 0 ||
                                           strcmp(file + n, STAGING_MAP_SUFFIX) == 0);
}

uint64_t
staging_allocated(int dir, const char *name)
{
    char *image = xasprintf("%s" STAGING_IMAGE_SUFFIX, name);
    struct stat st;
    bool there = dir >= 0 && fstatat(dir, image, &st, AT_SYMLINK_NOFOLLOW) == 0;

    free(image);
    return there ? (uint64_t)st.st_blocks * 512 : 0; /* st_blocks counts 512, whatever the device */
}

void
staging_remove(int dir, const char *name)
{
    char *image = xasprintf("%s" STAGING_IMAGE_SUFFIX, name);
    char *map = xasprintf("%s" STAGING_MAP_SUFFIX, name);

    (void)unlinkat(dir, image, 0);
    (void)unlinkat(dir, map, 0);
    free(image);
    free(map);
}
