/*
 * --salvage: writes what can be read of an image into a new raw image, as one more consumer of the
 * one pass. What cannot be had is zero, and is in the mapfile and the manifest. Everything appears
 * in DEST.partial first, and beside DEST when it is whole.
 */
#ifndef EXHIBIT_VERIFY_SALVAGE_H
#define EXHIBIT_VERIFY_SALVAGE_H

#include <jansson.h>
#include <stdatomic.h>

#include "common/image_locate.h"
#include "common/sandbox.h"
#include "verify/ring.h"

struct salvage;

/* What the papers say of where the salvaged image comes from. */
struct salvage_origin {
    const char *operand; /* the image, as named */
    const struct image_location *location;
    const char *manifest_sha256; /* of its manifest, or "" */
    const char *verdict;         /* of the check in the same pass */
    const char *command_line;
    const struct sandbox_state *sandbox;
};

/* Checks that none of DEST's names is taken (OUTCOME_REFUSED), makes DEST.partial and DEST.raw in
   it. `dest` must outlive the salvage. */
struct salvage *salvage_open(const char *dest, struct err *err);

/* Descriptors of the directories that must stay writable. */
size_t salvage_directories(const struct salvage *s, int out[2]);

/* The image, and what could not be read when it was made. */
void salvage_begin(struct salvage *s, struct image *img, const struct ranges *unreadable);

/* The body of its thread (a struct salvage *). */
void salvage_run(void *salvage, struct ring *r, const atomic_bool *stop);

/* After the pass: reads the new image back, writes the papers and moves everything to its names. */
int salvage_finish(struct salvage *s, const struct salvage_origin *origin, struct err *err);

/* DEST, as given. */
const char *salvage_dest(const struct salvage *s);

/* What was lost: unreadable in the image now, though it had been read from the source. */
const struct ranges *salvage_lost(const struct salvage *s);

/* Without salvage_finish() before it, takes everything away again. */
void salvage_free(struct salvage *s);

/* --- for salvage_papers.c --- */

struct salvage_facts {
    const char *name; /* DEST's last component */
    const char *path; /* DEST */
    const struct image_info *info;
    const struct ranges *bad;        /* all that is zero because it could not be had */
    const struct ranges *lost;       /* of that, what the image has lost */
    const struct ranges *unreadable; /* of that, what was unreadable when it was made */
    const char *md5;                 /* of the media, and of the one file */
    const char *sha256;
    const char *started; /* RFC 3339 */
    const char *finished;
};

/* The manifest of the salvaged image; a new reference. */
json_t *salvage_manifest(const struct salvage_facts *f, const struct salvage_origin *origin);

#endif
