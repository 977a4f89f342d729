#include "verify/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/ledger.h"
#include "common/outfile.h"
#include "common/text.h"
#include "verify/evidence.h"

/* What Exhibit leaves beside an image, after its name; what other tools leave there are the
   suffixes of verify/evidence.h. The manifest comes last of all: where it stands, all stands. */
static const char *const side_files[] = {
    ".map",         LEDGER_SUFFIX,  ".manifest.json.p7s", ".manifest.json.tsr",
    ".report.html", ".report.pdf",  ".report.json",       ".report.txt",
    ".dfxml",       ".case.jsonld", MANIFEST_SUFFIX,
};

#define SIGNERS_MAX 99 /* as exhibit-seal numbers them */

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The index of the file's directory, opened once. */
static int
directory_of(struct copy *c, const char *path, size_t *index, struct err *err)
{
    const char *base;
    AUTO_FREE char *dir = xstrndup(path, (size_t)(base_name(path) - path));
    int fd;

    for (*index = 0; *index < c->n_dirs; (*index)++) {
        if (strcmp(c->dir_names[*index], dir) == 0)
            return 0;
    }
    fd = path_open_parent(path, &base, err);
    if (fd < 0)
        return -1;
    c->dirs = xrealloc(c->dirs, c->n_dirs + 1, sizeof *c->dirs);
    c->dir_names = xrealloc(c->dir_names, c->n_dirs + 1, sizeof *c->dir_names);
    c->dir_names[c->n_dirs] = xstrdup(dir);
    c->dirs[c->n_dirs++] = fd;
    return 0;
}

static bool
is_listed(const struct copy *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->files[i].name, name) == 0)
            return true;
    }
    return false;
}

static int
add_file(struct copy *c, const char *path, const struct manifest_segment *listed, struct err *err)
{
    struct copy_file f = {.listed = listed};
    struct stat st;

    if (is_listed(c, base_name(path)))
        return 0;
    if (directory_of(c, path, &f.dir, err) != 0)
        return -1;
    if (stat(path, &st) != 0)
        return err_errno(err, "cannot open '%s'", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, OUTCOME_FAILED, "'%s' is not a regular file", path);
    f.path = xstrdup(path);
    f.name = xstrdup(base_name(path));
    f.size = (uint64_t)st.st_size;
    f.mode = st.st_mode & 0777;
    c->files = xrealloc(c->files, c->n + 1, sizeof *c->files);
    c->files[c->n++] = f;
    c->bytes += f.size;
    return 0;
}

static int
add_if_there(struct copy *c, const char *stem, const char *suffix, struct err *err)
{
    AUTO_FREE char *path = xasprintf("%s%s", stem, suffix);
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    return add_file(c, path, NULL, err);
}

static int
list_files(struct copy *c, const struct image_location *location, const struct image_info *info,
           struct err *err)
{
    const struct manifest *m = location->manifest;
    int r = 0;

    for (size_t i = 0; i < info->n_segments && r == 0; i++) {
        const struct image_segment *s = &info->segments[i];

        if (s->present)
            r = add_file(c, s->path, m ? &m->segments[s->listed] : NULL, err);
    }
    for (size_t i = 0; evidence_suffixes[i] && r == 0; i++) {
        r = add_if_there(c, location->stem, evidence_suffixes[i], err);
        if (r == 0)
            r = add_if_there(c, info->segments[0].path, evidence_suffixes[i], err);
    }
    for (unsigned i = 2; i <= SIGNERS_MAX && r == 0; i++) { /* the first stands in the list */
        AUTO_FREE char *suffix = xasprintf(MANIFEST_SUFFIX ".%u.p7s", i);

        r = add_if_there(c, location->stem, suffix, err);
    }
    for (size_t i = 0; i < sizeof side_files / sizeof side_files[0] && r == 0; i++)
        r = add_if_there(c, location->stem, side_files[i], err);
    if (r == 0 && location->manifest_path)
        r = add_file(c, location->manifest_path, NULL, err);
    return r;
}

/* --- the destination ------------------------------------------------------------------------ */

/* DEST is a directory, which is made if need be, or the image's name without extension in one. The
   files keep their names, which the manifest and the checksum files give. */
static int
open_destination(struct copy *c, const char *dest, struct err *err)
{
    struct stat st;
    const char *base;

    if (stat(dest, &st) != 0 && errno == ENOENT && strcmp(base_name(dest), c->base) == 0) {
        c->to = path_open_parent(dest, &base, err);
        c->to_path = base_name(dest) == dest ? xstrdup(".")
                                             : xstrndup(dest, (size_t)(base_name(dest) - dest));
        return c->to < 0 ? -1 : 0;
    }
    c->made = mkdir(dest, 0777) == 0;
    if (!c->made && errno != EEXIST)
        return err_errno(err, "cannot create '%s'", dest);
    c->to = open(dest, O_PATH | O_DIRECTORY | O_CLOEXEC);
    c->to_path = xstrdup(dest);
    return c->to < 0 ? err_errno(err, "cannot open '%s'", dest) : 0;
}

/* Copying a directory onto itself would find every file there, and the same. */
static int
check_elsewhere(const struct copy *c, struct err *err)
{
    struct stat to;
    struct stat from;

    if (fstat(c->to, &to) != 0)
        return err_errno(err, "cannot look at '%s'", c->to_path);
    for (size_t i = 0; i < c->n_dirs; i++) {
        if (fstat(c->dirs[i], &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
            return err_set(err, OUTCOME_REFUSED, "'%s' is where the image is already", c->to_path);
    }
    return 0;
}

/* A ledger goes on where the image is: at the destination it may have grown since it was copied.
   Its beginning must be the same. */
static bool
may_be_longer(const struct copy_file *f)
{
    size_t n = strlen(f->name);
    size_t m = strlen(LEDGER_SUFFIX);

    return n > m && strcmp(f->name + n - m, LEDGER_SUFFIX) == 0;
}

/* Sizes tell the most of what differs before a byte is read. */
static int
check_names(const struct copy *c, uint64_t *needed, struct err *err)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct copy_file *f = &c->files[i];
        AUTO_FREE char *partial = xasprintf("%s.partial", f->name);
        struct stat st;

        if (fstatat(c->to, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            if (!S_ISREG(st.st_mode))
                return err_set(err, OUTCOME_REFUSED, "'%s' in '%s' is not a regular file", f->name,
                               c->to_path);
            if ((uint64_t)st.st_size != f->size &&
                !(may_be_longer(f) && (uint64_t)st.st_size > f->size))
                return err_set(err, OUTCOME_REFUSED,
                               "'%s' already exists in '%s' and has %" PRIu64 " bytes instead of "
                               "%" PRIu64 "; nothing is ever overwritten",
                               f->name, c->to_path, (uint64_t)st.st_size, f->size);
            continue;
        }
        if (errno != ENOENT)
            return err_errno(err, "cannot look for '%s' in '%s'", f->name, c->to_path);
        *needed += f->size;
        if (fstatat(c->to, partial, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            *needed -= (uint64_t)st.st_size < f->size ? (uint64_t)st.st_size : f->size;
    }
    return 0;
}

static int
check_space(const struct copy *c, uint64_t needed, struct err *err)
{
    struct statvfs fs;

    if (fstatvfs(c->to, &fs) != 0)
        return err_errno(err, "cannot see how much space '%s' has", c->to_path);
    if (needed <= (uint64_t)fs.f_bavail * fs.f_frsize)
        return 0;
    return err_set(err, OUTCOME_INTERRUPTED,
                   "not enough space in '%s': %" PRIu64 " bytes are needed, %" PRIu64 " are free",
                   c->to_path, needed, (uint64_t)fs.f_bavail * fs.f_frsize);
}

int
copy_plan(struct copy *c, const struct image_location *location, const struct image_info *info,
          const char *dest, struct err *err)
{
    uint64_t needed = 0;

    c->to = -1;
    c->base = xstrdup(base_name(location->stem));
    if (list_files(c, location, info, err) != 0 || open_destination(c, dest, err) != 0 ||
        check_elsewhere(c, err) != 0 || check_names(c, &needed, err) != 0)
        return -1;
    return check_space(c, needed, err);
}

void
copy_free(struct copy *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->files[i].path);
        free(c->files[i].name);
    }
    for (size_t i = 0; i < c->n_dirs; i++) {
        (void)close(c->dirs[i]);
        free(c->dir_names[i]);
    }
    if (c->to >= 0)
        (void)close(c->to);
    free(c->dirs);
    free(c->dir_names);
    free(c->to_path);
    free(c->base);
    free(c->files);
    *c = (struct copy){.to = -1};
}
