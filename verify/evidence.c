#include "verify/evidence.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/outfile.h"
#include "common/text.h"

#define MISSING_MAX 1000

const char *const evidence_suffixes[] = {
    ".txt",       ".log",       ".info",      ".md5",       ".sha1",    ".sha256",
    ".sha384",    ".sha512",    ".hash",      ".hashes",    ".hashlog", ".hlog",
    ".md5sum",    ".sha1sum",   ".sha256sum", ".sha512sum", ".md5log",  ".sha1log",
    ".sha256log", ".sha512log", ".b2",        ".b2sum",     NULL,
};

/* What a single-file copy of the media is usually called, beside the name of the image alone. */
static const char *const media_suffixes[] = {
    "", ".dd", ".raw", ".img", ".image", ".bin", ".iso", ".dmg",
};

/* Windows tools write their own separators. */
static const char *
base_name(const char *path)
{
    const char *base = path;

    for (const char *p = path; *p; p++) {
        if (*p == '/' || *p == '\\')
            base = p + 1;
    }
    return base;
}

/* --- reading -------------------------------------------------------------------------------- */

static void
read_log(const char *path, bool given, struct evidence_set *out)
{
    struct evidence *e = &out->v[out->n];
    struct err why = ERR_INIT;

    if (out->n == EVIDENCE_LOGS_MAX)
        return;
    *e = (struct evidence){.path = xstrdup(path), .given = given};
    e->data = infile_read(AT_FDCWD, path, HASHLOG_BYTES_MAX, &e->size, &why);
    if (!e->data)
        e->problem = xstrdup(why.text);
    out->n++;
}

static bool
is_read(const struct evidence_set *set, const char *path)
{
    struct stat a;
    struct stat b;

    for (size_t i = 0; i < set->n; i++) {
        if (stat(path, &a) == 0 && stat(set->v[i].path, &b) == 0 && a.st_dev == b.st_dev &&
            a.st_ino == b.st_ino)
            return true;
    }
    return false;
}

static bool
is_segment(const struct image_info *info, const char *path)
{
    for (size_t i = 0; i < info->n_segments; i++) {
        if (strcmp(info->segments[i].path, path) == 0)
            return true;
    }
    return false;
}

static void
look_beside(const char *name, const struct image_info *info, struct evidence_set *out)
{
    for (size_t i = 0; evidence_suffixes[i]; i++) {
        AUTO_FREE char *path = xasprintf("%s%s", name, evidence_suffixes[i]);
        struct stat st;

        /* Only a file of a log's size: a disk image may be called ".info" as well. */
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            (uint64_t)st.st_size <= HASHLOG_BYTES_MAX && !is_segment(info, path) &&
            !is_read(out, path))
            read_log(path, false, out);
    }
}

void
evidence_read(const char *const *given, size_t n, const struct image_location *location,
              const struct image_info *info, struct evidence_set *out)
{
    *out = (struct evidence_set){0};
    for (size_t i = 0; i < n; i++)
        read_log(given[i], true, out);
    look_beside(location->stem, info, out);
    if (info->n_segments > 0)
        look_beside(info->segments[0].path, info, out);
}

/* --- what a name in a log means ------------------------------------------------------------- */

enum meaning {
    MEANS_NOTHING,
    MEANS_MEDIA,
    MEANS_SEGMENT,
    MEANS_DEVICE,  /* the media, if the log speaks of no other device */
    MEANS_MISSING, /* a segment that is not there */
};

static bool
is_media_name(const char *base, const struct image_location *location)
{
    const char *stem = base_name(location->stem);
    size_t n = strlen(stem);

    for (size_t i = 0; i < sizeof media_suffixes / sizeof media_suffixes[0]; i++) {
        if (strncmp(base, stem, n) == 0 && strcmp(base + n, media_suffixes[i]) == 0)
            return true;
    }
    return false;
}

/* NAME.E07 beside NAME.E01, NAME.012 beside NAME.001. */
static bool
is_segment_name(const char *base, const struct image_location *location,
                const struct image_info *info)
{
    const char *stem = base_name(location->stem);
    const char *first = base_name(info->segments[0].path);
    size_t n = strlen(stem);
    bool digits = strspn(first + n + (first[n] == '.'), "0123456789") + n + 1 == strlen(first);
    const char *ext = base + n;

    if (strncmp(base, stem, n) != 0 || strncmp(first, stem, n) != 0 || *ext != '.' ||
        strlen(ext) < 4)
        return false;
    if (info->format == IMAGE_RAW)
        return digits && strspn(ext + 1, "0123456789") == strlen(ext + 1);
    return strlen(ext) == 4 &&
           text_equal_nocase((char[]){ext[1], '\0'}, (char[]){first[n + 1], '\0'});
}

static enum meaning
meaning_of(const char *file, const struct image_location *location, const struct image_info *info,
           size_t *segment)
{
    const char *base = file ? base_name(file) : NULL;

    if (!file || strcmp(file, "-") == 0)
        return MEANS_MEDIA;
    for (size_t i = 0; i < info->n_segments; i++) {
        if (strcmp(base_name(info->segments[i].path), base) != 0)
            continue;
        *segment = i;
        return info->format == IMAGE_RAW && info->n_segments == 1 ? MEANS_MEDIA : MEANS_SEGMENT;
    }
    if (is_media_name(base, location))
        return MEANS_MEDIA;
    if (is_segment_name(base, location, info))
        return MEANS_MISSING;
    return strncmp(file, "/dev/", 5) == 0 || strncmp(file, "\\\\.\\", 4) == 0 ? MEANS_DEVICE
                                                                              : MEANS_NOTHING;
}

/* A log that speaks of one file, and of none that is known, is of this image's media all the same:
   it lies beside the image or was given for it, and the name is that of the source or an old one.
 */
static bool
speaks_of_one(const struct hashlog *log)
{
    for (size_t i = 1; i < log->n; i++) {
        const char *a = log->v[i].file;
        const char *b = log->v[0].file;

        if (!a != !b || (a && strcmp(a, b) != 0))
            return false;
    }
    return true;
}

static bool
has_one_device(const struct hashlog *log)
{
    const char *seen = NULL;

    for (size_t i = 0; i < log->n; i++) {
        const char *file = log->v[i].file;

        if (!file || strncmp(file, "/dev/", 5) != 0)
            continue;
        if (seen && strcmp(seen, file) != 0)
            return false;
        seen = file;
    }
    return true;
}

/* Of a log with several runs, those that wrote a file of this image; or else the last. */
static bool
run_counts(const struct hashlog *log, unsigned run, const struct image_location *location,
           const struct image_info *info)
{
    bool any = false;

    for (size_t i = 0; i < log->n_outputs; i++) {
        size_t segment;
        enum meaning m = meaning_of(log->outputs[i].file, location, info, &segment);

        if (m != MEANS_MEDIA && m != MEANS_SEGMENT)
            continue;
        if (log->outputs[i].run == run)
            return true;
        any = true;
    }
    return !any && run + 1 == log->runs;
}

/* --- taking over ---------------------------------------------------------------------------- */

static void
set_problem(struct evidence *e, const char *text)
{
    if (!e->problem)
        e->problem = xstrdup(text);
}

static void
add_media(struct evidence *e, const struct hashlog_entry *entry)
{
    for (size_t i = 0; i < e->media.n; i++) {
        if (strcmp(e->media.v[i].name, entry->hash) == 0 &&
            strcmp(e->media.v[i].hex, entry->hex) == 0)
            return;
    }
    if (e->media.n == SCAN_HASHES_MAX)
        set_problem(e, "it has too many hashes of the media");
    else
        manifest_hash_add(&e->media, entry->hash, entry->hex);
    if (entry->file && !e->media_name)
        e->media_name = xstrdup(entry->file);
}

static void
add_file(struct evidence *e, const struct hashlog_entry *entry, size_t segment)
{
    struct evidence_file_hash *f;

    if ((e->n_files & (e->n_files - 1)) == 0)
        e->files = xrealloc(e->files, e->n_files > 0 ? 2 * e->n_files : 1, sizeof *e->files);
    f = &e->files[e->n_files++];
    *f = (struct evidence_file_hash){.segment = segment, .hex = xstrdup(entry->hex)};
    memcpy(f->hash, entry->hash, sizeof f->hash);
}

static void
add_missing(struct evidence *e, const char *name)
{
    for (size_t i = 0; i < e->n_missing; i++) {
        if (strcmp(e->missing[i], name) == 0)
            return;
    }
    if (e->n_missing == MISSING_MAX)
        return;
    e->missing = xrealloc(e->missing, e->n_missing + 1, sizeof *e->missing);
    e->missing[e->n_missing++] = xstrdup(name);
}

static struct evidence_pieces *
find_pieces(const struct evidence *e, const char *hash)
{
    for (size_t i = 0; i < e->n_pieces; i++) {
        if (strcmp(e->pieces[i].hash, hash) == 0)
            return &e->pieces[i];
    }
    return NULL;
}

static struct evidence_pieces *
new_pieces(struct evidence *e, const char *hash)
{
    struct evidence_pieces *p;

    e->pieces = xrealloc(e->pieces, e->n_pieces + 1, sizeof *e->pieces);
    p = &e->pieces[e->n_pieces++];
    *p = (struct evidence_pieces){0};
    (void)snprintf(p->hash, sizeof p->hash, "%s", hash);
    return p;
}

/* A set of pieces is never empty. */
static void
add_piece(struct evidence *e, const struct hashlog_entry *entry, uint64_t media_size)
{
    struct evidence_pieces *p = find_pieces(e, entry->hash);
    const struct manifest_piece *last = p ? &p->v[p->n - 1] : NULL;

    if (entry->offset > media_size || entry->length > media_size - entry->offset) {
        set_problem(e, "it has hashes of pieces that lie beyond the end of the media");
        return;
    }
    if (last && entry->offset < last->offset + last->length) {
        set_problem(e, "its pieces overlap or stand out of order");
        return;
    }
    if (!p)
        p = new_pieces(e, entry->hash);
    if (!p->v || p->n == p->cap) {
        p->cap = p->cap > 0 ? 2 * p->cap : 16;
        p->v = xrealloc(p->v, p->cap, sizeof *p->v);
        p->hex = xrealloc(p->hex, p->cap, sizeof *p->hex);
    }
    p->v[p->n] = (struct manifest_piece){.offset = entry->offset, .length = entry->length};
    p->hex[p->n++] = xstrdup(entry->hex);
}

static void
take_entries(struct evidence *e, const struct hashlog *log, const struct image_location *location,
             const struct image_info *info)
{
    bool one = speaks_of_one(log);
    bool one_device = has_one_device(log);

    for (size_t i = 0; i < log->n; i++) {
        const struct hashlog_entry *entry = &log->v[i];
        size_t segment = 0;
        enum meaning m = meaning_of(entry->file, location, info, &segment);

        if (log->runs > 1 && !run_counts(log, entry->run, location, info))
            continue;
        if (m == MEANS_DEVICE)
            m = one_device ? MEANS_MEDIA : MEANS_NOTHING;
        if (m == MEANS_NOTHING && one)
            m = MEANS_MEDIA;
        if (m == MEANS_MISSING && entry->length == 0)
            add_missing(e, base_name(entry->file));
        else if (m == MEANS_SEGMENT && entry->length == 0)
            add_file(e, entry, segment);
        else if (m == MEANS_MEDIA && entry->length == 0)
            add_media(e, entry);
        else if (m == MEANS_MEDIA)
            add_piece(e, entry, info->media_size);
    }
}

static bool
says_something(const struct evidence *e)
{
    return e->media.n > 0 || e->n_files > 0 || e->n_missing > 0 || e->n_pieces > 0;
}

static void
parse_one(struct evidence *e, const struct image_location *location, const struct image_info *info)
{
    struct hashlog *log = e->data ? hashlog_parse(e->path, e->data, e->size) : NULL;
    bool any = log != NULL;

    if (log) {
        e->tool = log->tool;
        take_entries(e, log, location, info);
        if (log->problem)
            set_problem(e, log->problem);
    }
    hashlog_free(log);
    free(e->data);
    e->data = NULL;
    if (e->given && !e->problem && !says_something(e))
        set_problem(e, any ? "it has no hash of this image" : "there is no hash in it");
}

static void
free_one(struct evidence *e)
{
    for (size_t i = 0; i < e->n_files; i++)
        free(e->files[i].hex);
    for (size_t i = 0; i < e->n_pieces; i++) {
        for (size_t k = 0; k < e->pieces[i].n; k++)
            free(e->pieces[i].hex[k]);
        free(e->pieces[i].v);
        free(e->pieces[i].hex);
    }
    for (size_t i = 0; i < e->n_missing; i++)
        free(e->missing[i]);
    free(e->missing);
    free(e->files);
    free(e->pieces);
    manifest_hashes_free(&e->media);
    free(e->media_name);
    free(e->problem);
    free(e->path);
    free(e->data);
    *e = (struct evidence){0};
}

void
evidence_parse(struct evidence_set *set, const struct image_location *location,
               const struct image_info *info)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++) {
        struct evidence *e = &set->v[i];

        parse_one(e, location, info);
        if (e->problem || says_something(e)) {
            struct evidence kept = *e;

            *e = (struct evidence){0};
            set->v[n++] = kept;
        } else {
            free_one(e);
        }
    }
    set->n = n;
}

void
evidence_free(struct evidence_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free_one(&set->v[i]);
    set->n = 0;
}
