/*
 * DEST.manifest.json, schema "exhibit.manifest/1" (docs/manifest.md): what an acquisition did.
 * This module knows the parts that programs act on; the whole document stays reachable as `root`
 * for those that only show it. A manifest is a file that anyone may have written: every number
 * and name is checked on reading.
 */
#ifndef EXHIBIT_MANIFEST_H
#define EXHIBIT_MANIFEST_H

#include <jansson.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/err.h"
#include "common/ranges.h"

#define MANIFEST_SCHEMA "exhibit.manifest/1"
#define MANIFEST_SUFFIX ".manifest.json"

struct manifest_hash {
    char name[DIGEST_NAME_MAX]; /* "md5" */
    char hex[DIGEST_HEX_MAX];   /* lower case */
};

struct manifest_hashes {
    struct manifest_hash *v;
    size_t n;
};

struct manifest_segment {
    char *file;            /* a plain file name, no directory part */
    char *directory;       /* absolute, or NULL: beside the manifest */
    uint64_t size;         /* bytes of the file */
    uint64_t media_offset; /* the media range that the file holds, in bytes */
    uint64_t media_length;
    char md5[DIGEST_HEX_MAX];
    char sha256[DIGEST_HEX_MAX];
};

struct manifest_piece {
    uint64_t offset; /* bytes of the media */
    uint64_t length;
    struct manifest_hashes hashes;
};

struct manifest {
    json_t *root;
    char *format; /* "e01" or "raw" */
    uint64_t media_size;
    uint32_t bytes_per_sector;
    uint32_t sectors_per_chunk; /* 0 for raw */
    struct manifest_segment *segments;
    size_t n_segments;
    struct manifest_hashes media_hashes;
    struct manifest_piece *pieces;
    size_t n_pieces;
    struct ranges unreadable; /* bytes of the media */
};

/* Reads and checks the file. Errors: OUTCOME_FAILED, naming the field. */
struct manifest *manifest_load(const char *path, struct err *err);
/* The same from a document in memory; takes over the reference, also on failure. */
struct manifest *manifest_from_json(json_t *root, struct err *err);
void manifest_free(struct manifest *m);

/* The hex digest by that name, or NULL. */
const char *manifest_hash_find(const struct manifest_hashes *hashes, const char *name);

/* Appends; name and hex are copied and cut to the struct's size. */
void manifest_hash_add(struct manifest_hashes *hashes, const char *name, const char *hex);
void manifest_hashes_free(struct manifest_hashes *hashes);
/* { "md5": …, … }; a new reference. */
json_t *manifest_hashes_json(const struct manifest_hashes *hashes);

#endif
