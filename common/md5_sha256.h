/*
 * MD5 and SHA-256 (FIPS 180-4) over the same blocks, woven into one thread. Each step of MD5 waits
 * for the one before, and a core idles; the SHA instructions of an x86-64 fit into that time, so
 * that SHA-256 costs next to nothing beside an MD5, and two chains of each little more than one.
 * Chains are 64-byte blocks on from any state; beginnings and ends are the caller's
 * (common/digest.c, which also checks this against OpenSSL whenever it is used).
 */
#ifndef EXHIBIT_MD5_SHA256_H
#define EXHIBIT_MD5_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The states of one MD5 and one SHA-256: A … D (RFC 1321, 3.3), H0 … H7 (FIPS 180-4, 6.2). */
struct md5_sha256 {
    uint32_t *md5;
    uint32_t *sha256;
};

/* False on a machine without these instructions: then the functions below must not be called. */
bool md5_sha256_possible(void);

/* n blocks at p into a; into a and b, which are different. */
void md5_sha256_blocks(struct md5_sha256 a, const uint8_t *p, size_t n);
void md5_sha256_blocks_twice(struct md5_sha256 a, struct md5_sha256 b, const uint8_t *p, size_t n);

#endif
