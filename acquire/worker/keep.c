#include "acquire/worker/keep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/ewf_format.h"
#include "common/text.h"

/* A segment of an E01 that another follows ends in a "next" section: a descriptor alone, that
   points at itself (EWF-E01: next). */
static bool
ends_in_next(int dir, const struct kept_segment *s)
{
    AUTO_FD int fd = openat(dir, s->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint8_t d[EWF_DESCRIPTOR_SIZE];
    struct ewf_descriptor last;

    if (fd < 0 || s->size < sizeof d ||
        pread(fd, d, sizeof d, (off_t)(s->size - sizeof d)) != (ssize_t)sizeof d)
        return false;
    ewf_decode_descriptor(d, &last);
    return last.checksum_ok && strcmp(last.type, "next") == 0 && last.next == s->size - sizeof d;
}

static bool
is_there(const struct sink_spec *spec, const struct kept_segment *s, bool e01)
{
    int dir = spec->dirs[s->dir];
    struct stat st;

    if (fstatat(dir, s->file, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size != s->size)
        return false;
    return e01 ? ends_in_next(dir, s) : s->size == s->media_length;
}

/* ".E01" and on, ".raw", ".001" and on. */
static bool
is_segment_extension(const char *ext)
{
    size_t n = strlen(ext);

    if (strcmp(ext, ".raw") == 0)
        return true;
    if (ext[0] != '.' || n < 4)
        return false;
    if (strspn(ext + 1, "0123456789") == n - 1)
        return true;
    return n == 4 && ext[1] >= 'E' && ext[1] <= 'Z' && isalnum((unsigned char)ext[2]) &&
           isalnum((unsigned char)ext[3]) && !islower((unsigned char)ext[2]) &&
           !islower((unsigned char)ext[3]);
}

/* Names grow with their numbers: .E99 comes before .EAA, .999 before .1000. */
static int
compare_names(const void *key, const void *segment)
{
    const char *file = ((const struct kept_segment *)segment)->file;
    size_t a = strlen(key);
    size_t b = strlen(file);

    return a == b ? strcmp(key, file) : a < b ? -1 : 1;
}

static bool
is_kept(const struct keep *keep, size_t dir, const char *file)
{
    const struct kept_segment *s =
        keep->n ? bsearch(file, keep->v, keep->n, sizeof *keep->v, compare_names) : NULL;

    return s && s->dir == dir;
}

static int
discard(int dir, const char *file, struct keep *keep, struct err *err)
{
    struct stat st;

    if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
        keep->discarded += (uint64_t)st.st_size;
    return unlinkat(dir, file, 0) == 0 ? 0 : err_errno(err, "cannot delete '%s'", file);
}

/* What a run left in one of its directories beyond what was promised. */
static int
clean(const struct sink_spec *spec, size_t d, const char *open_file, struct keep *keep,
      struct err *err)
{
    int fd = openat(spec->dirs[d], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    size_t n = strlen(spec->name);
    const struct dirent *e;
    int r = 0;

    if (!list) {
        if (fd >= 0)
            (void)close(fd);
        return err_errno(err, "cannot list the destination");
    }
    while (r == 0 && (e = readdir(list)) != NULL) {
        if (strncmp(e->d_name, spec->name, n) != 0 || !is_segment_extension(e->d_name + n) ||
            is_kept(keep, d, e->d_name))
            continue;
        if (d == spec->index && open_file && strcmp(e->d_name, open_file) == 0)
            continue;
        r = discard(spec->dirs[d], e->d_name, keep, err);
    }
    (void)closedir(list);
    return r;
}

int
keep_prepare(const struct sink_spec *spec, bool e01, const char *open_file, struct keep *keep,
             struct err *err)
{
    const struct kept_sink *k = &spec->resume->sinks[spec->index];

    *keep = (struct keep){.v = k->v};
    while (keep->n < k->n && is_there(spec, &k->v[keep->n], e01))
        keep->n++;
    if (keep->n > 0)
        keep->end = k->v[keep->n - 1].media_offset + k->v[keep->n - 1].media_length;
    keep->durable = open_file && keep->n == k->n && k->durable > keep->end ? k->durable : keep->end;
    for (size_t d = 0; d < spec->resume->n_dirs; d++) {
        bool ours = spec->resume->owner[d] == spec->index;

        if (ours && clean(spec, d, keep->durable > keep->end ? open_file : NULL, keep, err) != 0)
            return -1;
    }
    return 0;
}
