/*
 * What the one pass has to compute, given everything that there is to compare with: the manifest,
 * what the image stores, what other tools wrote down, and what is asked for.
 */
#ifndef EXHIBIT_VERIFY_REFERENCES_H
#define EXHIBIT_VERIFY_REFERENCES_H

#include "verify/evidence.h"
#include "verify/scan.h"

struct references {
    const struct image_info *info;
    const struct manifest *manifest; /* or NULL */
    const struct evidence_set *evidence;
    const char (*asked)[DIGEST_NAME_MAX]; /* hashes of the media */
    size_t n_asked;
};

/* Fills the spec's hashes, file hashes and pieces; they point into what the references point to. */
void references_choose(const struct references *refs, struct scan_spec *spec);

#endif
