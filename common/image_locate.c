#include "common/image_locate.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/text.h"

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s);
    size_t m = strlen(end);

    return n > m && strcmp(s + n - m, end) == 0;
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The path without the extension of its last component. */
static char *
without_extension(const char *path)
{
    const char *dot = strrchr(base_name(path), '.');

    return dot && dot != base_name(path) ? xstrndup(path, (size_t)(dot - path)) : xstrdup(path);
}

static bool
exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* A manifest that cannot be used may be what was tampered with: the image of its name is looked at
   without it, and the problem stands. */
static int
locate_without(struct image_location *out, const struct err *why)
{
    static const char *const first[] = {".E01", ".001", ".raw"};

    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        char *path = xasprintf("%s%s", out->stem, first[i]);

        if (exists(path)) {
            out->path = path;
            out->problem = xstrdup(why->text);
            return 0;
        }
        free(path);
    }
    return -1;
}

char *
image_stem(const char *path)
{
    if (ends_with(base_name(path), MANIFEST_SUFFIX))
        return xstrndup(path, strlen(path) - strlen(MANIFEST_SUFFIX));
    return without_extension(path);
}

static int
locate_manifest(const char *path, struct image_location *out, struct err *err)
{
    out->stem = image_stem(path);
    out->manifest = manifest_load(path, err);
    if (!out->manifest)
        return exists(path) ? locate_without(out, err) : -1;
    out->path = xstrdup(path);
    out->manifest_path = xstrdup(path);
    return 0;
}

/* A manifest beside the segment counts if it is of this file. One that cannot be used is never
   passed over in silence: it may be damaged itself. */
static void
look_beside(const char *path, struct image_location *out)
{
    AUTO_FREE char *beside = xasprintf("%s%s", out->stem, MANIFEST_SUFFIX);
    struct err why = ERR_INIT;

    if (!exists(beside))
        return;
    out->manifest = manifest_load(beside, &why);
    if (!out->manifest) {
        out->problem = xstrdup(why.text);
        return;
    }
    if (strcmp(out->manifest->segments[0].file, base_name(path)) != 0) {
        out->problem = xasprintf("'%s' is not the manifest of '%s': its first segment is '%s'",
                                 beside, path, out->manifest->segments[0].file);
        manifest_free(out->manifest);
        out->manifest = NULL;
        out->of_other = true;
        return;
    }
    out->manifest_path = xstrdup(beside);
    out->found_beside = true;
    free(out->path);
    out->path = xstrdup(beside);
}

int
image_locate(const char *operand, struct image_location *out, struct err *err)
{
    *out = (struct image_location){0};
    if (ends_with(operand, ".json")) {
        if (locate_manifest(operand, out, err) == 0)
            return 0;
        image_location_free(out);
        return -1;
    }
    out->path = xstrdup(operand);
    out->stem = image_stem(operand);
    if (exists(operand))
        look_beside(operand, out);
    return 0;
}

void
image_location_free(struct image_location *location)
{
    free(location->path);
    free(location->manifest_path);
    free(location->problem);
    free(location->stem);
    manifest_free(location->manifest);
    *location = (struct image_location){0};
}
