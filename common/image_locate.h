/*
 * From what a person names to an image: a manifest, or the first segment of an image, beside which
 * a manifest may lie (EV-01.manifest.json beside EV-01.E01).
 */
#ifndef EXHIBIT_IMAGE_LOCATE_H
#define EXHIBIT_IMAGE_LOCATE_H

#include "common/err.h"
#include "common/manifest.h"

struct image_location {
    char *path;                /* for image_open(): the manifest's if there is one, else as given */
    struct manifest *manifest; /* for image_options, or NULL */
    char *manifest_path;       /* or NULL */
    bool found_beside;         /* the manifest was not named, but lies beside the segment */
    bool of_other;             /* the problem: it is sound, but of another image */
    char *problem;             /* there is a manifest, but it cannot be used: why */
    char *stem;                /* DEST: what the names of the files beside the image begin with */
};

/* Errors: a manifest that was named itself cannot be used, and no image bears its name. Whether
   there is an image at all is for image_open() to say. */
int image_locate(const char *operand, struct image_location *out, struct err *err);
void image_location_free(struct image_location *location);

/* The stem alone, without a look at the files; the caller frees it. */
char *image_stem(const char *path);

#endif
