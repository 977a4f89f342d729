/*
 * What other tools wrote down about an image, brought into relation with it: which hashes are of
 * its media, which of its segment files, which of pieces. Files beside the image are found by name
 * (NAME.txt, NAME.E01.txt, NAME.md5 …); others are given.
 */
#ifndef EXHIBIT_VERIFY_EVIDENCE_H
#define EXHIBIT_VERIFY_EVIDENCE_H

#include "common/image.h"
#include "common/image_locate.h"
#include "verify/hashlog.h"
#include "verify/scan.h"

#define EVIDENCE_LOGS_MAX 16 /* of one image */

struct evidence_file_hash {
    size_t segment;
    char hash[DIGEST_NAME_MAX];
    char *hex;
};

struct evidence_pieces {
    char hash[DIGEST_NAME_MAX];
    struct manifest_piece *v; /* without hashes: hex[i] is that of v[i] */
    char **hex;
    size_t n;
    size_t cap;
};

/* One log, as far as it speaks of this image. */
struct evidence {
    char *path;
    char *data; /* its bytes, until it is parsed */
    size_t size;
    const char *tool;
    bool given;                   /* with --hashes, not found */
    char *problem;                /* why it cannot be used as it should, or NULL */
    struct manifest_hashes media; /* of the whole media */
    char *media_name;             /* the name that was taken for the media, or NULL */
    struct evidence_file_hash *files;
    size_t n_files;
    char **missing; /* names of segments that are listed, and not there */
    size_t n_missing;
    struct evidence_pieces *pieces; /* one an algorithm; in order, within the media */
    size_t n_pieces;
};

struct evidence_set {
    struct evidence v[EVIDENCE_LOGS_MAX];
    size_t n;
};

/* Reads the bytes of the n files given, and of those beside the image. Nothing is parsed yet, so
   that this can be done before a sandbox is entered, and the parsing in it. */
void evidence_read(const char *const *given, size_t n, const struct image_location *location,
                   const struct image_info *info, struct evidence_set *out);

/* Parses what was read and relates it to the image. What was found and says nothing of the image is
   dropped; what was given and says nothing has that as its problem. */
void evidence_parse(struct evidence_set *set, const struct image_location *location,
                    const struct image_info *info);
void evidence_free(struct evidence_set *set);

/* The suffixes of the files beside an image that may hold hashes: ".txt" …; NULL at the end. */
extern const char *const evidence_suffixes[];

#endif
