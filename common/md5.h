/*
 * MD5 (RFC 1321), one chain or two side by side. The algorithm is bound by latency: each of its 64
 * steps waits for the one before, and a core idles. Two independent chains interleaved in one
 * thread cost little more than one, which is what hashes over the same media (whole and per
 * segment) need. Everything else is hashed by OpenSSL (common/digest.h, which also checks this
 * implementation against OpenSSL's whenever it is used).
 */
#ifndef EXHIBIT_MD5_H
#define EXHIBIT_MD5_H

#include <stddef.h>
#include <stdint.h>

#define MD5_SIZE 16
#define MD5_BLOCK 64

struct md5 {
    uint32_t state[4];
    uint64_t length;            /* bytes so far */
    uint8_t partial[MD5_BLOCK]; /* the length % MD5_BLOCK bytes that make no block yet */
};

void md5_start(struct md5 *m);
void md5_update(struct md5 *m, const void *data, size_t n);
/* As one md5_update() for each, but side by side. a and b are different. */
void md5_update_pair(struct md5 *a, const void *data_a, size_t n_a, struct md5 *b,
                     const void *data_b, size_t n_b);
void md5_finish(struct md5 *m, uint8_t digest[MD5_SIZE]);

#endif
