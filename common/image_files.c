#include "common/image_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/text.h"

/* Left for everything else that the process opens. */
#define DESCRIPTORS_SPARED 64

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

void
image_files_init(struct image_files *files)
{
    struct rlimit r = {0};

    *files = (struct image_files){0};
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    if (r.rlim_cur < r.rlim_max) {
        struct rlimit more = {.rlim_cur = r.rlim_max, .rlim_max = r.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            r = more;
    }
    if (r.rlim_cur > DESCRIPTORS_SPARED)
        files->max_open = (size_t)r.rlim_cur - DESCRIPTORS_SPARED;
}

void
image_files_free(struct image_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        free(files->v[i].path);
        if (files->v[i].fd >= 0)
            (void)close(files->v[i].fd);
    }
    for (size_t i = 0; i < files->n_dirs; i++) {
        free(files->dir_names[i]);
        (void)close(files->dirs[i]);
    }
    free(files->v);
    free(files->dirs);
    free(files->dir_names);
    *files = (struct image_files){0};
}

static struct image_file *
append(struct image_files *files, const char *path)
{
    struct image_file *f;

    files->v = xrealloc(files->v, files->n + 1, sizeof *files->v);
    f = &files->v[files->n++];
    *f = (struct image_file){.path = xstrdup(path), .fd = -1};
    return f;
}

void
image_files_add_missing(struct image_files *files, const char *path)
{
    (void)append(files, path);
}

/* The index of the open directory that path lies in. Those below a directory of the caller's are
   told apart by its number: it stays open meanwhile, as the caller promises. */
static int
hold_directory(struct image_files *files, int start, const char *path, size_t *index,
               struct err *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup("./");
    AUTO_FREE char *name = xasprintf("%d/%s", start, dir);
    int fd;

    for (size_t i = 0; i < files->n_dirs; i++) {
        if (strcmp(files->dir_names[i], name) == 0) {
            *index = i;
            return 0;
        }
    }
    fd = openat(start, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "cannot open directory '%s'", dir);
    files->dirs = xrealloc(files->dirs, files->n_dirs + 1, sizeof *files->dirs);
    files->dir_names = xrealloc(files->dir_names, files->n_dirs + 1, sizeof *files->dir_names);
    files->dirs[files->n_dirs] = fd;
    files->dir_names[files->n_dirs] = xstrdup(name);
    *index = files->n_dirs++;
    return 0;
}

static int
check_kind(const struct stat *st, const char *path, struct err *err)
{
    if (S_ISREG(st->st_mode))
        return 0;
    if (S_ISDIR(st->st_mode))
        return err_set(err, OUTCOME_FAILED, "'%s' is a directory, not an image", path);
    if (S_ISBLK(st->st_mode))
        return err_set(err, OUTCOME_FAILED, "'%s' is a device, not an image", path);
    return err_set(err, OUTCOME_FAILED, "'%s' is not a regular file", path);
}

int
image_files_add(struct image_files *files, const char *path, struct err *err)
{
    return image_files_add_at(files, AT_FDCWD, path, err);
}

int
image_files_add_at(struct image_files *files, int start, const char *path, struct err *err)
{
    int fd = openat(start, path, OPEN_FLAGS);
    struct image_file *f;
    size_t dir = 0;
    struct stat st;

    if (fd < 0)
        return err_errno(err, "cannot open '%s'", path);
    if (fstat(fd, &st) != 0) {
        (void)err_errno(err, "cannot stat '%s'", path);
        goto fail;
    }
    if (check_kind(&st, path, err) != 0)
        goto fail;
    if (files->n >= files->max_open) {
        if (hold_directory(files, start, path, &dir, err) != 0)
            goto fail;
        (void)close(fd);
        fd = -1;
    }
    f = append(files, path);
    f->fd = fd;
    f->present = true;
    f->size = (uint64_t)st.st_size;
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->dir = dir;
    return 0;
fail:
    (void)close(fd);
    return -1;
}

int
image_files_fd(const struct image_files *files, size_t i, int *own)
{
    const struct image_file *f = &files->v[i];
    const char *slash = strrchr(f->path, '/');
    struct stat st;
    int fd;

    *own = -1;
    if (f->fd >= 0)
        return f->fd;
    if (!f->present) {
        errno = ENOENT;
        return -1;
    }
    fd = openat(files->dirs[f->dir], slash ? slash + 1 : f->path, OPEN_FLAGS);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || st.st_dev != f->dev || st.st_ino != f->ino) {
        (void)close(fd);
        errno = ESTALE; /* another file has taken its name */
        return -1;
    }
    *own = fd;
    return fd;
}

ssize_t
image_files_read(const struct image_files *files, size_t i, void *buf, size_t n, uint64_t offset)
{
    int own;
    int fd = image_files_fd(files, i, &own);
    AUTO_FD int closes = own;
    size_t got = 0;

    if (fd < 0)
        return -1;
    while (got < n && offset + got <= INT64_MAX) {
        ssize_t r = pread(fd, (char *)buf + got, n - got, (off_t)(offset + got));

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    (void)closes;
    return (ssize_t)got;
}
