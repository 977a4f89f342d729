/*
 * Message digests: MD5 by common/md5.h, SHA-256 by OpenSSL's own function or beside an MD5 by
 * common/md5_sha256.h, all else through OpenSSL's EVP. Names are those of the command line and the
 * manifest: lower case, without punctuation ("md5", "sha1", "sha256", "sha3-256",
 * "blake2b512").
 */
#ifndef EXHIBIT_DIGEST_H
#define EXHIBIT_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define DIGEST_SIZE_MAX 64
#define DIGEST_HEX_MAX (2 * DIGEST_SIZE_MAX + 1)
#define DIGEST_NAME_MAX 32

struct digest; /* one running hash; used by one thread at a time */

/* Starts a hash. The error names the digest that OpenSSL does not have (OUTCOME_USAGE). */
struct digest *digest_new(const char *name, struct err *err);
void digest_free(struct digest *d);

void digest_update(struct digest *d, const void *data, size_t n);
/* The same for several hashes, none of them twice, at most DIGEST_TOGETHER_MAX: MD5s and SHA-256s
   go side by side where that is quicker. */
#define DIGEST_TOGETHER_MAX 8
void digest_update_all(struct digest *const *v, size_t n, const void *data, size_t len);
void digest_update_pair(struct digest *a, struct digest *b, const void *data, size_t len);

/* True where an MD5 and a SHA-256 together take no longer than the MD5 alone. */
bool digest_sha256_is_free(const struct digest *sha256);

/* Writes the lower-case hex digest and starts the hash afresh. */
void digest_final_hex(struct digest *d, char hex[DIGEST_HEX_MAX]);

/* The name in Exhibit's spelling. */
const char *digest_name(const struct digest *d);

/* Brings a name as typed ("SHA256", "sha-256", "SHA-512/256") into Exhibit's spelling; an unknown
   name or one that is too long is OUTCOME_USAGE. */
int digest_canonical(const char *typed, char name[DIGEST_NAME_MAX], struct err *err);

/* The length of the digest in hex digits, or 0 if the name is unknown. */
size_t digest_hex_length(const char *name);

/* Both over their full length, letters of either case; false if either is empty. */
bool digest_hex_equal(const char *a, const char *b);

/* The version of OpenSSL that runs. */
const char *digest_library(void);

#endif
