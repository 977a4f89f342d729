#include "common/md5.h"

static uint32_t
load(const uint8_t *p)
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
   constant); the roles are the letters that X pastes its chain's number to. */
#define FOUR(X, f, s0, s1, s2, s3, w0, k0, w1, k1, w2, k2, w3, k3)                                 \
    X(f, a, b, c, d, w0, s0, k0)                                                                   \
    X(f, d, a, b, c, w1, s1, k1)                                                                   \
    X(f, c, d, a, b, w2, s2, k2)                                                                   \
    X(f, b, c, d, a, w3, s3, k3)

/* The 64 steps: constants are floor(2^32 * abs(sin(i))), i from 1 (RFC 1321, section 3.4). */
#define ALL_STEPS(X)                                                                               \
    FOUR(X, F, 7, 12, 17, 22, 0, 0xd76aa478, 1, 0xe8c7b756, 2, 0x242070db, 3, 0xc1bdceee)          \
    FOUR(X, F, 7, 12, 17, 22, 4, 0xf57c0faf, 5, 0x4787c62a, 6, 0xa8304613, 7, 0xfd469501)          \
    FOUR(X, F, 7, 12, 17, 22, 8, 0x698098d8, 9, 0x8b44f7af, 10, 0xffff5bb1, 11, 0x895cd7be)        \
    FOUR(X, F, 7, 12, 17, 22, 12, 0x6b901122, 13, 0xfd987193, 14, 0xa679438e, 15, 0x49b40821)      \
    FOUR(X, G, 5, 9, 14, 20, 1, 0xf61e2562, 6, 0xc040b340, 11, 0x265e5a51, 0, 0xe9b6c7aa)          \
    FOUR(X, G, 5, 9, 14, 20, 5, 0xd62f105d, 10, 0x02441453, 15, 0xd8a1e681, 4, 0xe7d3fbc8)         \
    FOUR(X, G, 5, 9, 14, 20, 9, 0x21e1cde6, 14, 0xc33707d6, 3, 0xf4d50d87, 8, 0x455a14ed)          \
    FOUR(X, G, 5, 9, 14, 20, 13, 0xa9e3e905, 2, 0xfcefa3f8, 7, 0x676f02d9, 12, 0x8d2a4c8a)         \
    FOUR(X, H, 4, 11, 16, 23, 5, 0xfffa3942, 8, 0x8771f681, 11, 0x6d9d6122, 14, 0xfde5380c)        \
    FOUR(X, H, 4, 11, 16, 23, 1, 0xa4beea44, 4, 0x4bdecfa9, 7, 0xf6bb4b60, 10, 0xbebfbc70)         \
    FOUR(X, H, 4, 11, 16, 23, 13, 0x289b7ec6, 0, 0xeaa127fa, 3, 0xd4ef3085, 6, 0x04881d05)         \
    FOUR(X, H, 4, 11, 16, 23, 9, 0xd9d4d039, 12, 0xe6db99e5, 15, 0x1fa27cf8, 2, 0xc4ac5665)        \
    FOUR(X, I, 6, 10, 15, 21, 0, 0xf4292244, 7, 0x432aff97, 14, 0xab9423a7, 5, 0xfc93a039)         \
    FOUR(X, I, 6, 10, 15, 21, 12, 0x655b59c3, 3, 0x8f0ccc92, 10, 0xffeff47d, 1, 0x85845dd1)        \
    FOUR(X, I, 6, 10, 15, 21, 8, 0x6fa87e4f, 15, 0xfe2ce6e0, 6, 0xa3014314, 13, 0x4e0811a1)        \
    FOUR(X, I, 6, 10, 15, 21, 4, 0xf7537e82, 11, 0xbd3af235, 2, 0x2ad7d2bb, 9, 0xeb86d391)

#define STEP_OF_ONE(f, a, b, c, d, w, s, k)                                                        \
    STEP_##f(a##0, b##0, c##0, d##0, load(p + 4 * (w)), s, k##u)
#define STEP_OF_TWO(f, a, b, c, d, w, s, k)                                                        \
    STEP_##f(a##0, b##0, c##0, d##0, load(p + 4 * (w)), s, k##u)                                   \
        STEP_##f(a##1, b##1, c##1, d##1, load(q + 4 * (w)), s, k##u)

static void
blocks(uint32_t s[4], const uint8_t *p, size_t n)
{
    uint32_t a0 = s[0];
    uint32_t b0 = s[1];
    uint32_t c0 = s[2];
    uint32_t d0 = s[3];

    for (; n > 0; n--, p += MD5_BLOCK) {
        ALL_STEPS(STEP_OF_ONE)
        s[0] = a0 += s[0];
        s[1] = b0 += s[1];
        s[2] = c0 += s[2];
        s[3] = d0 += s[3];
    }
}

static void
blocks_pair(uint32_t s[4], const uint8_t *p, uint32_t t[4], const uint8_t *q, size_t n)
{
    uint32_t a0 = s[0];
    uint32_t b0 = s[1];
    uint32_t c0 = s[2];
    uint32_t d0 = s[3];
    uint32_t a1 = t[0];
    uint32_t b1 = t[1];
    uint32_t c1 = t[2];
    uint32_t d1 = t[3];

    for (; n > 0; n--, p += MD5_BLOCK, q += MD5_BLOCK) {
        ALL_STEPS(STEP_OF_TWO)
        s[0] = a0 += s[0];
        s[1] = b0 += s[1];
        s[2] = c0 += s[2];
        s[3] = d0 += s[3];
        t[0] = a1 += t[0];
        t[1] = b1 += t[1];
        t[2] = c1 += t[2];
        t[3] = d1 += t[3];
    }
}

void
md5_start(struct md5 *m)
{
    /* RFC 1321, section 3.3 */
    *m = (struct md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

/* Completes a block that was begun before; returns how many bytes that took. */
static size_t
fill_partial(struct md5 *m, const uint8_t *p, size_t n)
{
    size_t have = (size_t)(m->length % MD5_BLOCK);
    size_t part = MD5_BLOCK - have < n ? MD5_BLOCK - have : n;

    if (have == 0)
        return 0;
    memcpy(m->partial + have, p, part);
    m->length += part;
    if (have + part == MD5_BLOCK)
        blocks(m->state, m->partial, 1);
    return part;
}

void
md5_update(struct md5 *m, const void *data, size_t n)
{
    const uint8_t *p = data;
    size_t used = fill_partial(m, p, n);
    size_t whole;

    p += used;
    n -= used;
    whole = n / MD5_BLOCK;
    blocks(m->state, p, whole);
    m->length += n;
    if (n % MD5_BLOCK != 0)
        memcpy(m->partial, p + whole * MD5_BLOCK, n % MD5_BLOCK);
}

void
md5_update_pair(struct md5 *a, const void *data_a, size_t n_a, struct md5 *b, const void *data_b,
                size_t n_b)
{
    const uint8_t *p = data_a;
    const uint8_t *q = data_b;
    size_t used_a = fill_partial(a, p, n_a);
    size_t used_b = fill_partial(b, q, n_b);
    size_t both;

    p += used_a;
    n_a -= used_a;
    q += used_b;
    n_b -= used_b;
    both = (n_a < n_b ? n_a : n_b) / MD5_BLOCK;
    blocks_pair(a->state, p, b->state, q, both);
    a->length += both * MD5_BLOCK;
    b->length += both * MD5_BLOCK;
    md5_update(a, p + both * MD5_BLOCK, n_a - both * MD5_BLOCK);
    md5_update(b, q + both * MD5_BLOCK, n_b - both * MD5_BLOCK);
}

void
md5_update_beside(struct md5 *m, const void *data, size_t n,
                  void (*step)(void *arg, const uint8_t block[MD5_BLOCK]), void *arg)
{
    const uint8_t *p = data;
    size_t whole = n / MD5_BLOCK;

    for (size_t i = 0; i < whole; i++, p += MD5_BLOCK) {
        blocks(m->state, p, 1);
        step(arg, p);
    }
    m->length += whole * MD5_BLOCK;
    md5_update(m, p, n % MD5_BLOCK);
}

static void
store(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

void
md5_finish(struct md5 *m, uint8_t digest[MD5_SIZE])
{
    static const uint8_t padding[MD5_BLOCK] = {0x80};
    uint64_t bits = m->length << 3;
    size_t have = (size_t)(m->length % MD5_BLOCK);
    uint8_t length[8];

    /* RFC 1321, sections 3.1 and 3.2: a one bit, zeros, the length in bits */
    store(length, bits, sizeof length);
    md5_update(m, padding, (have < 56 ? 56 : 120) - have);
    md5_update(m, length, sizeof length);
    for (size_t i = 0; i < 4; i++)
        store(digest + 4 * i, m->state[i], 4);
}
