/*
 * The steps of MD5 (RFC 1321, section 3.4) as macros, for the two files that weave them: with each
 * other (md5.c) and with SHA-256 (md5_sha256.c). The including function declares the words of each
 * chain's state: a0, b0, c0, d0 and, of a second, a1, b1, c1, d1; p and q are their blocks.
 */
#ifndef EXHIBIT_MD5_STEPS_H
#define EXHIBIT_MD5_STEPS_H

#include <stdint.h>

static inline uint32_t
md5_word(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))

/* The four functions of RFC 1321, section 3.4, as one step each: w is the word, k the constant of
   the step. In the second the halves never have a bit in common, so they can be added one by one,
   and only one of them waits for b. */
#define STEP_F(a, b, c, d, w, s, k)                                                                \
    a += (w) + (k) + ((d) ^ ((b) & ((c) ^ (d))));                                                  \
    a = ROTATE(a, s) + (b);
#define STEP_G(a, b, c, d, w, s, k)                                                                \
    a += (w) + (k) + ((c) & ~(d));                                                                 \
    a += (b) & (d);                                                                                \
    a = ROTATE(a, s) + (b);
#define STEP_H(a, b, c, d, w, s, k)                                                                \
    a += (w) + (k) + ((b) ^ ((c) ^ (d)));                                                          \
    a = ROTATE(a, s) + (b);
#define STEP_I(a, b, c, d, w, s, k)                                                                \
    a += (w) + (k) + ((c) ^ ((b) | ~(d)));                                                         \
    a = ROTATE(a, s) + (b);

/* Four steps turn the roles of the state's words once around. X(function, roles, word, rotation,
   constant); the roles are the letters that X pastes its chain's number to. After them Y(i) stands,
   with how many fours went before: for what shall run in their shadow. */
#define FOUR(X, Y, i, f, s0, s1, s2, s3, w0, k0, w1, k1, w2, k2, w3, k3)                           \
    X(f, a, b, c, d, w0, s0, k0)                                                                   \
    X(f, d, a, b, c, w1, s1, k1)                                                                   \
    X(f, c, d, a, b, w2, s2, k2)                                                                   \
    X(f, b, c, d, a, w3, s3, k3)                                                                   \
    Y(i)

/* The 64 steps: constants are floor(2^32 * abs(sin(i))), i from 1 (RFC 1321, section 3.4). */
#define ALL_STEPS(X, Y)                                                                            \
    FOUR(X, Y, 0, F, 7, 12, 17, 22, 0, 0xd76aa478, 1, 0xe8c7b756, 2, 0x242070db, 3, 0xc1bdceee)    \
    FOUR(X, Y, 1, F, 7, 12, 17, 22, 4, 0xf57c0faf, 5, 0x4787c62a, 6, 0xa8304613, 7, 0xfd469501)    \
    FOUR(X, Y, 2, F, 7, 12, 17, 22, 8, 0x698098d8, 9, 0x8b44f7af, 10, 0xffff5bb1, 11, 0x895cd7be)  \
    FOUR(X, Y, 3, F, 7, 12, 17, 22, 12, 0x6b901122, 13, 0xfd987193, 14, 0xa679438e, 15,            \
         0x49b40821)                                                                               \
    FOUR(X, Y, 4, G, 5, 9, 14, 20, 1, 0xf61e2562, 6, 0xc040b340, 11, 0x265e5a51, 0, 0xe9b6c7aa)    \
    FOUR(X, Y, 5, G, 5, 9, 14, 20, 5, 0xd62f105d, 10, 0x02441453, 15, 0xd8a1e681, 4, 0xe7d3fbc8)   \
    FOUR(X, Y, 6, G, 5, 9, 14, 20, 9, 0x21e1cde6, 14, 0xc33707d6, 3, 0xf4d50d87, 8, 0x455a14ed)    \
    FOUR(X, Y, 7, G, 5, 9, 14, 20, 13, 0xa9e3e905, 2, 0xfcefa3f8, 7, 0x676f02d9, 12, 0x8d2a4c8a)   \
    FOUR(X, Y, 8, H, 4, 11, 16, 23, 5, 0xfffa3942, 8, 0x8771f681, 11, 0x6d9d6122, 14, 0xfde5380c)  \
    FOUR(X, Y, 9, H, 4, 11, 16, 23, 1, 0xa4beea44, 4, 0x4bdecfa9, 7, 0xf6bb4b60, 10, 0xbebfbc70)   \
    FOUR(X, Y, 10, H, 4, 11, 16, 23, 13, 0x289b7ec6, 0, 0xeaa127fa, 3, 0xd4ef3085, 6, 0x04881d05)  \
    FOUR(X, Y, 11, H, 4, 11, 16, 23, 9, 0xd9d4d039, 12, 0xe6db99e5, 15, 0x1fa27cf8, 2, 0xc4ac5665) \
    FOUR(X, Y, 12, I, 6, 10, 15, 21, 0, 0xf4292244, 7, 0x432aff97, 14, 0xab9423a7, 5, 0xfc93a039)  \
    FOUR(X, Y, 13, I, 6, 10, 15, 21, 12, 0x655b59c3, 3, 0x8f0ccc92, 10, 0xffeff47d, 1, 0x85845dd1) \
    FOUR(X, Y, 14, I, 6, 10, 15, 21, 8, 0x6fa87e4f, 15, 0xfe2ce6e0, 6, 0xa3014314, 13, 0x4e0811a1) \
    FOUR(X, Y, 15, I, 6, 10, 15, 21, 4, 0xf7537e82, 11, 0xbd3af235, 2, 0x2ad7d2bb, 9, 0xeb86d391)

#define STEP_OF_ONE(f, a, b, c, d, w, s, k)                                                        \
    STEP_##f(a##0, b##0, c##0, d##0, md5_word(p + 4 * (w)), s, k##u)
#define STEP_OF_TWO(f, a, b, c, d, w, s, k)                                                        \
    STEP_##f(a##0, b##0, c##0, d##0, md5_word(p + 4 * (w)), s, k##u)                               \
        STEP_##f(a##1, b##1, c##1, d##1, md5_word(q + 4 * (w)), s, k##u)

/* Into the state s what the block made of it, and back. */
#define ADD_STATE(s, i)                                                                            \
    (s)[0] = a##i += (s)[0];                                                                       \
    (s)[1] = b##i += (s)[1];                                                                       \
    (s)[2] = c##i += (s)[2];                                                                       \
    (s)[3] = d##i += (s)[3];

#endif
