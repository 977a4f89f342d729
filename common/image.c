#include "common/image.h"

#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/image_impl.h"
#include "common/segname.h"
#include "common/text.h"

#define FINDINGS_MAX 1000
#define SNIFF 4096 /* bytes of the first file that tell what it is */

const char *
image_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static struct image_finding *
append_finding(struct image *img)
{
    img->findings = xrealloc(img->findings, img->info.n_findings + 1, sizeof *img->findings);
    img->info.findings = img->findings;
    return &img->findings[img->info.n_findings++];
}

void
image_add_finding(struct image *img, const struct finding_spec *spec, const char *fmt, ...)
{
    size_t n = img->info.n_findings;
    struct image_finding *f;
    char *text = NULL;
    va_list ap;

    if (n > FINDINGS_MAX)
        return;
    f = append_finding(img);
    *f = (struct image_finding){
        .check = spec->check,
        .incomplete = spec->incomplete,
        .remark = spec->remark,
        .file_offset = spec->file_offset,
        .media = spec->media,
    };
    if (n == FINDINGS_MAX) {
        f->remark = false;
        f->media = (struct range){0};
        f->text = xstrdup("more was found, which is not listed");
        return;
    }
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    f->text = text ? text : xstrdup(fmt);
    f->segment = spec->segment == NO_SEGMENT ? NULL : xstrdup(img->files.v[spec->segment].path);
}

void
image_fill_segments(struct image *img)
{
    bool fresh = !img->segments;

    if (fresh)
        img->segments = xcalloc(img->files.n, sizeof *img->segments);
    for (size_t i = 0; i < img->files.n; i++) {
        if (fresh)
            img->segments[i].listed = i;
        img->segments[i].path = img->files.v[i].path;
        img->segments[i].size = img->files.v[i].size;
        img->segments[i].present = img->files.v[i].present;
    }
    img->info.segments = img->segments;
    img->info.n_segments = img->files.n;
}

static char *
manifest_segment_path(const char *manifest_path, const struct manifest_segment *s)
{
    const char *slash = strrchr(manifest_path, '/');
    char *beside =
        xasprintf("%.*s%s", slash ? (int)(slash - manifest_path) + 1 : 0, manifest_path, s->file);
    struct stat st;

    /* What was written into another directory may have been brought together since: a copy has all
       files beside its manifest, and must not be checked by the original's. */
    if (!s->directory || lstat(beside, &st) == 0)
        return beside;
    free(beside);
    return xasprintf("%s/%s", s->directory, s->file);
}

int
image_add_manifest_files(struct image *img, const char *manifest_path, const struct manifest *m,
                         struct err *err)
{
    for (size_t i = 0; i < m->n_segments; i++) {
        const struct manifest_segment *s = &m->segments[i];
        AUTO_FREE char *path = manifest_segment_path(manifest_path, s);
        struct err why = ERR_INIT;

        if (image_files_add(&img->files, path, &why) == 0)
            continue;
        image_files_add_missing(&img->files, path);
        image_add_finding(img,
                          &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                                 .incomplete = true,
                                                 .segment = i,
                                                 .file_offset = NO_OFFSET,
                                                 .media = {s->media_offset, s->media_length}},
                          "the segment is missing: %s", why.text);
    }
    (void)err;
    return 0;
}

/* Text without a single control character that text files do not hold. */
static bool
looks_like_text(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == 0x7f || (p[i] < 0x20 && !strchr("\t\n\v\f\r\x1b", p[i])) || p[i] == 0)
            return false;
    }
    return true;
}

static bool
has_extension(const char *path, const char *const *list, size_t n)
{
    const char *dot = strrchr(image_base_name(path), '.');

    for (size_t i = 0; dot && i < n; i++) {
        if (text_equal_nocase(dot + 1, list[i]))
            return true;
    }
    return false;
}

static bool
has_raw_name(const char *path)
{
    static const char *const list[] = {"raw", "dd", "img", "image", "bin", "iso", "dmg", "vol"};
    const char *dot = strrchr(image_base_name(path), '.');
    struct segname_split at;

    if (has_extension(path, list, sizeof list / sizeof list[0]))
        return true;
    if (segname_split_parse(path, &at) && at.zero != '0' && at.number == 0)
        return true; /* .aa */
    return dot && dot[1] != '\0' && strspn(dot + 1, "0123456789") == strlen(dot + 1);
}

/* Any bytes can be a raw image; a name or a size that images have must speak for it, so that a
   report or a log given by mistake is not "verified". */
static int
judge_raw(const char *path, const uint8_t *head, size_t n, uint64_t size, struct err *err)
{
    static const char *const ewf[] = {"e01", "s01", "l01", "ex01", "lx01"};

    if (has_extension(path, ewf, sizeof ewf / sizeof ewf[0]))
        return err_set(err, OUTCOME_FAILED,
                       "'%s' is not an E01 image: it does not begin with an E01's signature", path);
    if (has_raw_name(path))
        return 0;
    if (looks_like_text(head, n))
        return err_set(err, OUTCOME_FAILED,
                       "'%s' is not an image: it is text; if it is raw media, name it '.raw'",
                       path);
    if (size % 512 != 0)
        return err_set(err, OUTCOME_FAILED,
                       "'%s' is not an image: no E01, and no whole number of sectors; if it is raw "
                       "media, name it '.raw'",
                       path);
    return 0;
}

/* Signatures: EWF specification, "File header" of version 1, of EWF-L01 and of version 2. */
static int
judge(const char *path, const uint8_t *head, size_t n, uint64_t size, bool *e01, struct err *err)
{
    *e01 = n >= 8 && memcmp(head, "EVF\x09\x0d\x0a\xff\x00", 8) == 0;
    if (*e01)
        return 0;
    if (size == 0)
        return err_set(err, OUTCOME_FAILED, "'%s' is not an image: it is empty", path);
    if (n >= 8 && memcmp(head, "LVF\x09\x0d\x0a\xff\x00", 8) == 0)
        return err_set(err, OUTCOME_FAILED,
                       "'%s' holds logical evidence (L01), not the image of a medium", path);
    if (n >= 8 && (memcmp(head, "EVF2", 4) == 0 || memcmp(head, "LEF2", 4) == 0))
        return err_set(err, OUTCOME_FAILED,
                       "'%s' is of EWF version 2 (Ex01, Lx01), which is not supported", path);
    return judge_raw(path, head, n, size, err);
}

/* Opens the first file; what it begins with tells the format. */
static int
add_first_file(struct image *img, const char *path, bool *e01, struct err *err)
{
    uint8_t head[SNIFF];
    ssize_t n;

    if (image_files_add(&img->files, path, err) != 0)
        return -1;
    n = image_files_read(&img->files, 0, head, sizeof head, 0);
    if (n < 0)
        return err_errno(err, "cannot read '%s'", path);
    return judge(path, head, (size_t)n, img->files.v[0].size, e01, err);
}

static int
add_parts(struct image *img, const struct image_parts *parts, struct err *err)
{
    if (parts->n == 0)
        return err_set(err, OUTCOME_FAILED, "an image without a file cannot be opened");
    for (size_t i = 0; i < parts->n; i++) {
        if (image_files_add_at(&img->files, parts->v[i].dir, parts->v[i].name, err) != 0)
            return -1;
    }
    return 0;
}

static int
open_format(struct image *img, const struct image_source *from, struct err *err)
{
    bool e01;

    if (from->parts) {
        if (add_parts(img, from->parts, err) != 0)
            return -1;
        e01 = from->parts->format == IMAGE_E01;
    } else if (from->manifest) {
        if (image_add_manifest_files(img, from->path, from->manifest, err) != 0)
            return -1;
        e01 = strcmp(from->manifest->format, "e01") == 0;
    } else if (add_first_file(img, from->path, &e01, err) != 0) {
        return -1;
    }
    return e01 ? ewf_open(img, from, err) : image_raw_open(img, from, err);
}

static void
cache_init(struct image *img)
{
    struct image_cache *c = &img->cache;
    size_t fit = IMAGE_CACHE_BYTES / img->info.chunk_size;

    c->n_slots = fit < 2 ? 2 : fit > IMAGE_CACHE_SLOTS ? IMAGE_CACHE_SLOTS : fit;
    for (size_t i = 0; i < c->n_slots; i++)
        c->slots[i].index = UINT64_MAX;
}

int
image_load(struct image *img, struct err *err)
{
    if (img->ops->load && img->ops->load(img, err) != 0)
        return -1;
    img->from = (struct image_source){0};
    cache_init(img);
    return 0;
}

static struct image *
open_source(const struct image_source *from, bool open_only, struct err *err)
{
    struct image *img = xcalloc(1, sizeof *img);

    img->from = *from;
    (void)pthread_mutex_init(&img->cache.lock, NULL);
    image_files_init(&img->files);
    if (open_format(img, from, err) == 0 && (open_only || image_load(img, err) == 0))
        return img;
    image_free(img);
    return NULL;
}

struct image *
image_open(const char *path, const struct image_options *options, struct err *err)
{
    struct image_source from = {.path = path};

    if (options) {
        from.manifest = options->manifest;
        from.sector_size = options->sector_size;
    }
    return open_source(&from, options && options->open_only, err);
}

struct image *
image_open_parts(const struct image_parts *parts, struct err *err)
{
    return open_source(&(struct image_source){.parts = parts, .sector_size = parts->sector_size},
                       false, err);
}

void
image_free(struct image *img)
{
    if (!img)
        return;
    for (size_t i = 0; i < img->cache.n_slots; i++)
        free(img->cache.slots[i].data);
    for (size_t i = 0; i < img->cache.n_spare; i++)
        image_scratch_free(img->cache.spare[i]);
    (void)pthread_mutex_destroy(&img->cache.lock);
    for (size_t i = 0; i < img->info.n_findings; i++) {
        free(img->findings[i].segment);
        free(img->findings[i].text);
    }
    for (size_t i = 0; i < img->info.n_headers; i++) {
        free(img->headers[i].name);
        free(img->headers[i].value);
    }
    manifest_hashes_free(&img->info.stored);
    ranges_free(&img->info.acquiry_errors);
    ewf_free(img->ewf);
    image_files_free(&img->files);
    free(img->findings);
    free(img->headers);
    free(img->segments);
    free(img);
}

const struct image_info *
image_info(const struct image *img)
{
    return &img->info;
}

struct image_scratch *
image_scratch_new(const struct image *img, struct err *err)
{
    return ewf_scratch_new(img, err);
}

void
image_scratch_free(struct image_scratch *s)
{
    ewf_scratch_free(s);
}

void
image_read_chunks(struct image *img, struct image_scratch *scratch, uint64_t first, size_t count,
                  void *buf, struct chunk *out)
{
    img->ops->read_chunks(img, scratch, first, count, buf, out);
}

uint64_t
image_next_mapped(const struct image *img, uint64_t index)
{
    return img->ops->next_mapped(img, index);
}

void
image_check_tables(struct image *img, const atomic_bool *stop, image_finding_fn *found, void *arg)
{
    img->ops->check_tables(img, stop, found, arg);
}

size_t
image_directories(const struct image *img, const int **fds)
{
    *fds = img->files.dirs;
    return img->files.n_dirs;
}

ssize_t
image_segment_read(const struct image *img, size_t segment, void *buf, size_t n, uint64_t offset)
{
    return image_files_read(&img->files, segment, buf, n, offset);
}
