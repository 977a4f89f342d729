/*
 * What the pass over an image finds damaged or missing, with its place in the files. Many workers
 * find it: the caller holds a lock.
 */
#ifndef EXHIBIT_VERIFY_DAMAGE_H
#define EXHIBIT_VERIFY_DAMAGE_H

#include "verify/scan.h"

/* `count` chunks from `first` on that no file holds. */
void damage_gap(struct scan_result *out, const struct image_info *info, uint64_t first,
                uint64_t count);

/* One chunk whose state is not CHUNK_OK. */
void damage_chunk(struct scan_result *out, const struct image_info *info, uint64_t index,
                  const struct chunk *c);

/* Once all is found: in order of the media, and what is missing in a row as one. */
void damage_sort(struct scan_result *out);

#endif
