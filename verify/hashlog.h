/*
 * Reads the hashes that other tools wrote about an image: logs of dc3dd, dcfldd, ewfacquire and
 * ewfverify, guymager's .info, FTK Imager's .txt, files of hashdeep and md5deep, and lists as
 * md5sum, sha256sum, b2sum --tag and openssl dgst print them. Bytes in, entries out: no file is
 * opened here, and nothing in the bytes is trusted.
 */
#ifndef EXHIBIT_VERIFY_HASHLOG_H
#define EXHIBIT_VERIFY_HASHLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/err.h"

#define HASHLOG_BYTES_MAX ((size_t)64 << 20)
#define HASHLOG_ENTRIES_MAX 200000

/* One hash. Without a file it is of the media; with one, of what has that name (the log's own
   spelling: a path perhaps, "-", a device). A length makes it the hash of a piece. */
struct hashlog_entry {
    char hash[DIGEST_NAME_MAX]; /* "md5", as common/digest.h spells it */
    char *hex;                  /* lower case, of the algorithm's full length */
    const char *file;           /* or NULL; owned by the log */
    uint64_t offset;            /* of the piece, bytes of the media */
    uint64_t length;            /* bytes; 0: no piece */
    unsigned run;               /* a log that was appended to holds several, counted from 0 */
};

/* A file that a run of the tool wrote. */
struct hashlog_output {
    const char *file;
    unsigned run;
};

struct hashlog {
    const char *tool; /* "dc3dd", …, "checksums" for plain lists; a constant */
    struct hashlog_entry *v;
    size_t n;
    struct hashlog_output *outputs;
    size_t n_outputs;
    unsigned runs;
    char *problem; /* the first thing that is no whole hash though it should be, or NULL */
    size_t n_problems;
    char **names; /* what owns the entries' file names */
    size_t n_names;
};

/* NULL where nothing in the data is a hash or the damaged rest of one. A plain list says which hash
   it holds by the length alone, which SHA-512 and b2sum's BLAKE2b share: the file's name tells them
   apart
   ("EV.b2", "BLAKE2SUMS"), NULL where there is none. */
struct hashlog *hashlog_parse(const char *name, const char *data, size_t n);
void hashlog_free(struct hashlog *log);

/* The algorithm whose digests have that many hex digits, as plain lists leave it to be guessed:
   MD5, SHA-1 and the SHA-2 family; NULL for any other length. */
const char *hashlog_by_length(size_t digits);

#endif
