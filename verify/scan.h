/*
 * The one pass over an image: workers read and check its chunks, lanes hash what they deliver and
 * the segment files beside it, and another thread checks the tables. What it finds is data.
 */
#ifndef EXHIBIT_VERIFY_SCAN_H
#define EXHIBIT_VERIFY_SCAN_H

#include "common/image.h"
#include "common/progress.h"
#include "verify/lane.h"

/* One damaged chunk. */
struct damage {
    struct range media;
    enum chunk_state state;
    size_t segment;
    uint64_t file_offset;
};

#define SCAN_DAMAGE_MAX 1000 /* listed one by one; the ranges hold them all */
#define SCAN_HASHES_MAX 16

struct scan_spec {
    struct image *image;
    const struct manifest *manifest; /* or NULL: no segment files, no pieces */
    const char *hashes[SCAN_HASHES_MAX];
    size_t n_hashes;
    size_t threads; /* that read chunks */
    const atomic_bool *stop;
    struct progress *progress;
    uint64_t unreadable_sectors; /* for the progress line */
};

struct scan_result {
    struct lane *media[SCAN_HASHES_MAX]; /* one a hash of the spec */
    size_t n_media;
    struct lane *pieces[SCAN_HASHES_MAX]; /* one a hash that the manifest's pieces have */
    size_t n_pieces;
    struct lane *files[2]; /* over the segment files, where no lane of the media does that */
    const struct lane_hash *file_md5; /* one a segment file, owned by a lane; NULL without a … */
    const struct lane_hash *file_sha256; /* … manifest */
    struct damage *damage;
    size_t n_damage;
    uint64_t damaged; /* chunks that are there, but wrong or unreadable */
    uint64_t missing; /* chunks that are not there */
    struct ranges damaged_media;
    struct ranges missing_media;
    struct image_finding *findings; /* of the tables */
    size_t n_findings;
    bool stopped; /* nothing in here counts */
};

/* True where the pieces stand in order without overlap, as the lanes need them. */
bool scan_pieces_in_order(const struct manifest *m);

int scan_run(const struct scan_spec *spec, struct scan_result *out, struct err *err);
void scan_result_free(struct scan_result *r);

#endif
