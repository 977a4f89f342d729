/*
 * Where rescue mode collects what it reads: NAME.rescue.img in DEST.partial, a raw image with holes
 * for what has not been read, and NAME.rescue.map, a mapfile of GNU ddrescue that never says more
 * than is durable in the image. ddrescue itself could go on with the two. The front makes them, the
 * worker fills them; they go when the image has come to its place.
 */
#ifndef EXHIBIT_ACQUIRE_STAGING_H
#define EXHIBIT_ACQUIRE_STAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/mapfile.h"

#define STAGING_IMAGE_SUFFIX ".rescue.img"
#define STAGING_MAP_SUFFIX ".rescue.map"
#define STAGING_MAP_MAX ((size_t)256 << 20)  /* bytes of the map's text */
#define STAGING_BLOCKS_MAX ((size_t)8 << 20) /* of a map: damaged areas, and what lies between */

struct staging;

/* Makes both for `length` bytes, the map saying that nothing was tried. The space is reserved where
   the file system can. dir stays the caller's and must outlive it. */
struct staging *staging_create(int dir, const char *name, uint64_t length, struct err *err);
/* Opens those that are there (OUTCOME_FAILED with err->sys ENOENT: there are none). */
struct staging *staging_open(int dir, const char *name, uint64_t length, struct err *err);
void staging_free(struct staging *s);

/* Offsets are bytes of the image. */
int staging_write(struct staging *s, const void *buf, size_t n, uint64_t at, struct err *err);
ssize_t staging_read(struct staging *s, void *buf, size_t n, uint64_t at);

/* Makes what was written durable, and then the map. */
int staging_save(struct staging *s, const struct mapfile *map, struct err *err);
/* The map as it was saved last. */
struct mapfile *staging_map(struct staging *s, struct err *err);

/* Whether the file is one of the two of image `name`. */
bool staging_owns(const char *name, const char *file);
/* The bytes that the image takes up by now; 0: there is none. */
uint64_t staging_allocated(int dir, const char *name);
void staging_remove(int dir, const char *name);

#endif
