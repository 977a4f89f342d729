#include "common/md5_sha256.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

#include "common/md5_steps.h"

#define BLOCK 64
#define WITH_SHA __attribute__((target("sha,ssse3,sse4.1")))

/* The first 32 bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
 */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* A chain's state as the instructions have it: A, B, E, F and C, D, G, H, the first highest. */
struct chain {
    __m128i abef;
    __m128i cdgh;
};

WITH_SHA static inline struct chain
to_chain(const uint32_t h[8])
{
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)h), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(h + 4)), 0x1b);

    return (struct chain){.abef = _mm_alignr_epi8(badc, efgh, 8),
                          .cdgh = _mm_blend_epi16(efgh, badc, 0xf0)};
}

WITH_SHA static inline void
from_chain(struct chain c, uint32_t h[8])
{
    __m128i feba = _mm_shuffle_epi32(c.abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(c.cdgh, 0xb1);

    _mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

WITH_SHA static inline struct chain
add_chains(struct chain a, struct chain b)
{
    return (struct chain){.abef = _mm_add_epi32(a.abef, b.abef),
                          .cdgh = _mm_add_epi32(a.cdgh, b.cdgh)};
}

/* The 16 words of a block, big-endian in memory. */
WITH_SHA static inline void
load_words(__m128i w[4], const uint8_t *p)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);

    for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), swap);
}

/* Words plus constants of rounds 4i … 4i + 3. */
WITH_SHA static inline __m128i
round_words(const __m128i w[4], int i)
{
    return _mm_add_epi32(w[i % 4],
                         _mm_loadu_si128((const __m128i *)(const void *)(constants + 4 * i)));
}

WITH_SHA static inline void
four_rounds(struct chain *c, __m128i words)
{
    c->cdgh = _mm_sha256rnds2_epu32(c->cdgh, c->abef, words);
    c->abef = _mm_sha256rnds2_epu32(c->abef, c->cdgh, _mm_shuffle_epi32(words, 0x0e));
}

/* The words of rounds 4i + 16 … 4i + 19 take the place of those of 4i … 4i + 3. */
WITH_SHA static inline void
next_words(__m128i w[4], int i)
{
    __m128i sum;

    if (i >= 12)
        return;
    sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]),
                        _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4));
    w[i % 4] = _mm_sha256msg2_epu32(sum, w[(i + 3) % 4]);
}

/* After each four of MD5's 64 steps, four of SHA-256's 64 rounds. */
#define ROUNDS_OF_ONE(i)                                                                           \
    four_rounds(&x, round_words(w, i));                                                            \
    next_words(w, i);
#define ROUNDS_OF_TWO(i)                                                                           \
    four_rounds(&x, round_words(w, i));                                                            \
    four_rounds(&y, round_words(w, i));                                                            \
    next_words(w, i);

WITH_SHA void
md5_sha256_blocks(struct md5_sha256 a, const uint8_t *p, size_t n)
{
    struct chain x = to_chain(a.sha256);
    uint32_t *s = a.md5;
    uint32_t a0 = s[0];
    uint32_t b0 = s[1];
    uint32_t c0 = s[2];
    uint32_t d0 = s[3];

    for (; n > 0; n--, p += BLOCK) {
        struct chain before = x;
        __m128i w[4];

        load_words(w, p);
        ALL_STEPS(STEP_OF_ONE, ROUNDS_OF_ONE)
        ADD_STATE(s, 0)
        x = add_chains(x, before);
    }
    from_chain(x, a.sha256);
}

WITH_SHA void
md5_sha256_blocks_twice(struct md5_sha256 a, struct md5_sha256 b, const uint8_t *p, size_t n)
{
    struct chain x = to_chain(a.sha256);
    struct chain y = to_chain(b.sha256);
    uint32_t *s = a.md5;
    uint32_t *t = b.md5;
    const uint8_t *q = p;
    uint32_t a0 = s[0];
    uint32_t b0 = s[1];
    uint32_t c0 = s[2];
    uint32_t d0 = s[3];
    uint32_t a1 = t[0];
    uint32_t b1 = t[1];
    uint32_t c1 = t[2];
    uint32_t d1 = t[3];

    for (; n > 0; n--, p += BLOCK, q = p) {
        struct chain x_before = x;
        struct chain y_before = y;
        __m128i w[4];

        load_words(w, p);
        ALL_STEPS(STEP_OF_TWO, ROUNDS_OF_TWO)
        ADD_STATE(s, 0)
        ADD_STATE(t, 1)
        x = add_chains(x, x_before);
        y = add_chains(y, y_before);
    }
    from_chain(x, a.sha256);
    from_chain(y, b.sha256);
}

/* CPUID: SSSE3 is leaf 1, ECX bit 9, SSE4.1 bit 19; SHA is leaf 7, EBX bit 29 (Intel's manual,
   volume 2, CPUID). */
bool
md5_sha256_possible(void)
{
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 9) || !(c & 1u << 19))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29) != 0;
}

#else

bool
md5_sha256_possible(void)
{
    return false;
}

void
md5_sha256_blocks(struct md5_sha256 a, const uint8_t *p, size_t n)
{
    (void)a, (void)p, (void)n;
    abort();
}

void
md5_sha256_blocks_twice(struct md5_sha256 a, struct md5_sha256 b, const uint8_t *p, size_t n)
{
    (void)a, (void)b, (void)p, (void)n;
    abort();
}

#endif
