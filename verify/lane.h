/*
 * Lanes: what consumes the media in order, in threads of their own. A lane computes one hash:
 * of the whole media, of its pieces, or of the segment files (which it reads itself, just behind
 * the workers, while their pages are still in the page cache).
 */
#ifndef EXHIBIT_VERIFY_LANE_H
#define EXHIBIT_VERIFY_LANE_H

#include "common/digest.h"
#include "common/manifest.h"
#include "verify/ring.h"

/* A hash over something, or why there is none. */
struct lane_hash {
    char hex[DIGEST_HEX_MAX]; /* "" if it could not be computed */
    int sys;                  /* the errno that prevented it, or 0: part of it is missing */
};

struct lane;

struct lane *lane_new_media(const char *hash, struct err *err);
/* The same, and over each segment file besides: for a raw image whose segments are all there and of
   their size, so that the media is nothing but their bytes. */
struct lane *lane_new_media_raw(const char *hash, const struct image *img, struct err *err);
/* Over the n pieces, which must stand in order without overlap. */
struct lane *lane_new_pieces(const char *hash, const struct manifest_piece *pieces, size_t n,
                             struct err *err);
/* Over each segment file that is present. */
struct lane *lane_new_files(const char *hash, const struct image *img, struct err *err);
void lane_free(struct lane *l);

/* If l is an MD5 and `other` a SHA-256 over the same bytes that is free beside it (digest.h): true,
   and from now on lane_run(l) does the work of both. */
bool lane_join(struct lane *l, struct lane *other);

/* The body of the lane's thread: takes blocks until the end. `stop` is looked at where the lane
   reads files after the last block. */
void lane_run(struct lane *l, struct ring *r, const atomic_bool *stop);

/* Once it has run: the results (one for the media, one a piece, one a file), those of the files (of
   lane_new_media_raw() and lane_new_files()), and the hash's name. */
const struct lane_hash *lane_results(const struct lane *l);
const struct lane_hash *lane_file_results(const struct lane *l);
const char *lane_hash_name(const struct lane *l);

#endif
