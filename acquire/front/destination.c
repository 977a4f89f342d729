#include "acquire/front/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "acquire/front/journal.h"
#include "acquire/job/staging.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/text.h"

#define NAME_MAX_BYTES 200 /* so that every extension still fits into a file name (255) */

/* What DEST may not end in: the image would be called EV-01.E01.E01. */
static const char *const image_extensions[] = {".E01", ".e01", ".raw", ".dd", ".001"};

#define PARTIAL_SUFFIX ".partial"

static const char *const side_files[] = {
    ".manifest.json",
    ".log",
    ".map",
    ".md5",
    ".sha256",
    ".custody.jsonl",
    PARTIAL_SUFFIX,
    ".manifest.json.p7s",
    ".manifest.json.tsr",
};

static int
check_name(const char *name, struct err *err)
{
    size_t n = strlen(name);

    if (n > NAME_MAX_BYTES)
        return err_set(err, OUTCOME_USAGE,
                       "'%s' is too long for the name of an image: at most %d "
                       "bytes",
                       name, NAME_MAX_BYTES);
    for (const char *p = name; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\')
            return err_set(err, OUTCOME_USAGE,
                           "'%s' holds a control character or a backslash, "
                           "which checksum files cannot name",
                           name);
    }
    for (size_t i = 0; i < sizeof image_extensions / sizeof image_extensions[0]; i++) {
        size_t e = strlen(image_extensions[i]);

        if (n > e && strcmp(name + n - e, image_extensions[i]) == 0)
            return err_set(err, OUTCOME_USAGE, "DEST is given without an extension: '%.*s'",
                           (int)(n - e), name);
    }
    return 0;
}

int
destination_open(struct destination *d, const char *path, struct err *err)
{
    *d = (struct destination){.path = path, .parent = -1, .dir = -1};
    d->parent = path_open_parent(path, &d->name, err);
    if (d->parent < 0)
        return -1;
    d->partial = xasprintf("%s" PARTIAL_SUFFIX, path);
    return check_name(d->name, err);
}

static int
in_the_way(const struct destination *d, struct err *err)
{
    return err_set(err, OUTCOME_REFUSED,
                   "'%s' already exists: a job is under way or was interrupted there; '--resume' "
                   "continues it",
                   d->partial);
}

static int
check_free(const struct destination *d, const char *extension, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s%s", d->name, extension);
    struct stat st;

    if (fstatat(d->parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        strcmp(extension, PARTIAL_SUFFIX) == 0)
        return in_the_way(d, err);
    if (fstatat(d->parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(err, OUTCOME_REFUSED, "'%s%s' already exists; nothing is ever overwritten",
                       d->path, extension);
    if (errno != ENOENT)
        return err_errno(err, "cannot look for '%s%s'", d->path, extension);
    return 0;
}

int
destination_check_names(const struct destination *d, const struct plan_request *request,
                        const struct plan *plan, bool resumed, struct err *err)
{
    char ext[SEGNAME_EXT_MAX];

    for (size_t i = 0; i < sizeof side_files / sizeof side_files[0]; i++) {
        if (resumed && strcmp(side_files[i], PARTIAL_SUFFIX) == 0)
            continue;
        if (check_free(d, side_files[i], err) != 0)
            return -1;
    }
    /* One past the last: readers take a leftover there for a part of the set. */
    for (uint64_t i = 1; i <= plan->max_segments + 1; i++) {
        if (plan_extension(request, plan, (uint32_t)i, ext) != 0)
            break;
        if (check_free(d, ext, err) != 0)
            return -1;
    }
    return 0;
}

int
destination_space(const struct destination *d, uint64_t *free_bytes, uint64_t *fs_id,
                  struct err *err)
{
    struct statvfs fs;
    struct stat st;

    if (fstatvfs(d->parent, &fs) != 0 || fstat(d->parent, &st) != 0)
        return err_errno(err, "cannot see how much space '%s' has", d->path);
    *free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    *fs_id = (uint64_t)st.st_dev;
    return 0;
}

static int
open_partial(struct destination *d, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s" PARTIAL_SUFFIX, d->name);

    d->dir = openat(d->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return d->dir < 0 ? err_errno(err, "cannot open '%s'", d->partial) : 0;
}

int
destination_make(struct destination *d, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s" PARTIAL_SUFFIX, d->name);

    if (mkdirat(d->parent, name, 0700) != 0)
        return errno == EEXIST ? in_the_way(d, err)
                               : err_errno(err, "cannot create '%s'", d->partial);
    return open_partial(d, err);
}

int
destination_reopen(struct destination *d, struct err *err)
{
    return open_partial(d, err);
}

struct names {
    char **v;
    size_t n;
};

static void
names_free(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->v[i]);
    free(names->v);
}

/* What the job could go on from is the last to go, when all else has its name. */
static bool
is_of_the_job(const struct destination *d, const char *file)
{
    size_t n = strlen(d->name);

    return (strncmp(file, d->name, n) == 0 && strcmp(file + n, JOURNAL_SUFFIX) == 0) ||
           staging_owns(d->name, file);
}

static int
list_files(const struct destination *d, const char *last, struct names *out, struct err *err)
{
    /* Opened anew: a file system in user space may have read it once and for all when it was
     * opened.
     */
    int fd = openat(d->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;

    if (!dir)
        return err_errno(err, "cannot list '%s'", d->partial);
    while ((e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            (last && strcmp(e->d_name, last) == 0) || is_of_the_job(d, e->d_name))
            continue;
        out->v = xrealloc(out->v, out->n + 2, sizeof *out->v);
        out->v[out->n++] = xstrdup(e->d_name);
    }
    if (last) {
        out->v = xrealloc(out->v, out->n + 1, sizeof *out->v);
        out->v[out->n++] = xstrdup(last);
    }
    return 0;
}

static void
take_back(const struct destination *d, const struct names *names, size_t moved)
{
    struct err ignored = ERR_INIT;

    while (moved-- > 0)
        (void)outfile_move(d->parent, names->v[moved], d->dir, names->v[moved], &ignored);
}

/* The last one, which says that all of them are there, may not be so before them. */
static int
move_all(const struct destination *d, const struct names *names, struct err *err)
{
    for (size_t i = 0; i < names->n; i++) {
        if ((i + 1 == names->n && outfile_sync_dir(d->parent, err) != 0) ||
            outfile_move(d->dir, names->v[i], d->parent, names->v[i], err) != 0) {
            take_back(d, names, i);
            return -1;
        }
    }
    return 0;
}

/* Whatever a file system shows of a directory: the manifest alone is no image. */
static int
check_emptied(const struct destination *d, struct err *err)
{
    struct names left = {0};
    int r = list_files(d, NULL, &left, err);

    if (r == 0 && left.n > 0)
        r = err_set(err, OUTCOME_FAILED, "'%s' was not listed with its '%s'", d->partial,
                    left.v[0]);
    names_free(&left);
    return r;
}

int
destination_publish(struct destination *d, const char *last, struct err *err)
{
    struct names names = {0};
    int r = list_files(d, last, &names, err);

    if (r == 0)
        r = move_all(d, &names, err);
    if (r == 0 && (check_emptied(d, err) != 0 || outfile_sync_dir(d->parent, err) != 0)) {
        take_back(d, &names, names.n);
        r = -1;
    }
    names_free(&names);
    if (r != 0)
        return err_context(err, "cannot publish '%s'", d->path);
    (void)destination_remove_empty(d);
    return 0;
}

/* --- a job that was interrupted --- */

json_t *
destination_list(const struct destination *d)
{
    struct names names = {0};
    struct err ignored = ERR_INIT;
    json_t *array = json_array();

    (void)list_files(d, NULL, &names, &ignored);
    for (size_t i = 0; i < names.n; i++) {
        struct stat st;
        json_t *v;

        if (fstatat(d->dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        v = json_object();
        json_set_text(v, "file", names.v[i]);
        json_set_u64(v, "size", (uint64_t)st.st_size);
        (void)json_array_append_new(array, v);
    }
    names_free(&names);
    return array;
}

static bool
is_there(int dir, const char *file, struct stat *st)
{
    return fstatat(dir, file, st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
destination_is_published(const struct destination *d, const char *suffix)
{
    AUTO_FREE char *name = xasprintf("%s%s", d->name, suffix);
    struct stat st;

    return is_there(d->parent, name, &st) && !is_there(d->dir, name, &st);
}

/* The log may have got a line more between its listing and its move. */
static bool
is_as_listed(const struct destination *d, const char *file, const struct stat *st, uint64_t size)
{
    size_t n = strlen(d->name);
    bool log = strncmp(file, d->name, n) == 0 && strcmp(file + n, ".log") == 0;

    return S_ISREG(st->st_mode) &&
           (log ? (uint64_t)st->st_size >= size : (uint64_t)st->st_size == size);
}

int
destination_check_back(const struct destination *d, const char *file, uint64_t size,
                       struct err *err)
{
    struct stat st;

    if (is_there(d->dir, file, &st) || !is_there(d->parent, file, &st) ||
        is_as_listed(d, file, &st, size))
        return 0;
    return err_set(err, OUTCOME_REFUSED,
                   "cannot resume '%s': its '%s' has its place already, and was changed since",
                   d->path, file);
}

int
destination_take_back(const struct destination *d, const char *file, uint64_t size, struct err *err)
{
    struct stat st;

    if (is_there(d->dir, file, &st) || !is_there(d->parent, file, &st) ||
        !is_as_listed(d, file, &st, size))
        return 0;
    return outfile_move(d->parent, file, d->dir, file, err);
}

void
destination_remove_temporary(const struct destination *d)
{
    AUTO_FREE char *begin = xasprintf(".%s.", d->name);
    struct names names = {0};
    struct err ignored = ERR_INIT;

    (void)list_files(d, NULL, &names, &ignored);
    for (size_t i = 0; i < names.n; i++) {
        if (strncmp(names.v[i], begin, strlen(begin)) == 0)
            (void)unlinkat(d->dir, names.v[i], 0);
    }
    names_free(&names);
}

bool
destination_remove_empty(struct destination *d)
{
    AUTO_FREE char *name = xasprintf("%s" PARTIAL_SUFFIX, d->name);

    return unlinkat(d->parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

void
destination_close(struct destination *d)
{
    if (d->dir >= 0)
        (void)close(d->dir);
    if (d->parent >= 0)
        (void)close(d->parent);
    free(d->partial);
    *d = (struct destination){.parent = -1, .dir = -1};
}
