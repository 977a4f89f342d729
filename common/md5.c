#include "common/md5.h"

#include "common/md5_steps.h"

#define NOTHING(i)

static void
blocks(uint32_t s[4], const uint8_t *p, size_t n)
{
    uint32_t a0 = s[0];
    uint32_t b0 = s[1];
    uint32_t c0 = s[2];
    uint32_t d0 = s[3];

    for (; n > 0; n--, p += MD5_BLOCK) {
        ALL_STEPS(STEP_OF_ONE, NOTHING)
        ADD_STATE(s, 0)
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
        ALL_STEPS(STEP_OF_TWO, NOTHING)
        ADD_STATE(s, 0)
        ADD_STATE(t, 1)
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
