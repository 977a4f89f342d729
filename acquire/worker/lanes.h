/*
 * The set of hash lanes that a job needs: of the media, of raw segments (whose bytes are the
 * media's), of pieces. What covers the same bytes is hashed once.
 */
#ifndef EXHIBIT_ACQUIRE_LANES_H
#define EXHIBIT_ACQUIRE_LANES_H

#include "acquire/job/job.h"
#include "acquire/worker/lane.h"
#include "common/manifest.h"

struct lanes;

struct lanes *lanes_new(const struct job *job, struct err *err);
void lanes_free(struct lanes *l);

/* The lanes to feed, each by a thread of its own: the pipeline's; stays the set's. */
struct lane **lanes_list(struct lanes *l, size_t *n);

/* After the lanes have ended. */
void lanes_media_hashes(const struct lanes *l, struct manifest_hashes *out);
/* Any thread: how many raw segments are hashed. */
size_t lanes_segments_done(const struct lanes *l);
/* Of raw segment i, from 0; "" until it is hashed. */
void lanes_segment_hashes(const struct lanes *l, size_t i, char md5[DIGEST_HEX_MAX],
                          char sha256[DIGEST_HEX_MAX]);
/* Of piece i, from 0: MD5 and SHA-256. */
void lanes_piece_hashes(const struct lanes *l, size_t i, struct manifest_hashes *out);

#endif
