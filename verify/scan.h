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
#define SCAN_PIECES_MAX 16
#define SCAN_CONSUMERS_MAX 2

/* Pieces of the media to hash: in order, without overlap. */
struct scan_pieces {
    const char *hash;
    const struct manifest_piece *v; /* their hashes are not looked at */
    size_t n;
};

/* What else takes the blocks: its run() is the body of a thread, as that of a lane. */
struct scan_consumer {
    void (*run)(void *self, struct ring *r, const atomic_bool *stop);
    void *self;
};

struct scan_spec {
    struct image *image;
    const char *hashes[SCAN_HASHES_MAX]; /* of the whole media */
    size_t n_hashes;
    const char *file_hashes[SCAN_HASHES_MAX]; /* of each segment file */
    size_t n_file_hashes;
    struct scan_pieces pieces[SCAN_PIECES_MAX];
    size_t n_pieces;
    struct scan_consumer consumers[SCAN_CONSUMERS_MAX];
    size_t n_consumers;
    size_t threads; /* that read chunks */
    const atomic_bool *stop;
    struct progress *progress;
    uint64_t progress_before;    /* bytes of the call's images that are done */
    uint64_t progress_total;     /* bytes of all of them; 0: of this one */
    uint64_t unreadable_sectors; /* for the progress line */
};

struct scan_result {
    struct lane *media[SCAN_HASHES_MAX]; /* one a hash of the spec */
    size_t n_media;
    struct lane *pieces[SCAN_PIECES_MAX]; /* one a set of the spec */
    const struct manifest_piece *piece_sets[SCAN_PIECES_MAX];
    size_t n_pieces;
    /* Of the segment files: a lane of their own, or NULL where a lane of the media does that. */
    struct lane *files[SCAN_HASHES_MAX];
    const struct lane *file_lanes[SCAN_HASHES_MAX]; /* one a hash of the spec */
    size_t n_files;
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
bool scan_pieces_in_order(const struct manifest_piece *v, size_t n);

/* The most bytes that a block of the ring holds. */
size_t scan_block_bytes(const struct image *img);

/* What was computed, or NULL if that was not asked for: the media's hash by that name ("" if part
   of the media is missing), that of segment file i, that of piece i of the set v. */
const char *scan_media_hash(const struct scan_result *r, const char *name);
const struct lane_hash *scan_file_hash(const struct scan_result *r, const char *name, size_t i);
const struct lane_hash *scan_piece_hash(const struct scan_result *r, const struct manifest_piece *v,
                                        const char *name, size_t i);

int scan_run(const struct scan_spec *spec, struct scan_result *out, struct err *err);
void scan_result_free(struct scan_result *r);

#endif
