#include "tests/lib/unit.h"

#include <libdeflate.h>

#include "acquire/worker/packer.h"
#include "common/ewf_format.h"
#include "common/text.h"

#define BLOCK ((size_t)256 << 10)

static struct block block;

static int
make_block(void **state)
{
    (void)state;
    block.data = xcalloc(BLOCK, 1);
    block.packed = xcalloc(BLOCK, 1);
    block.chunks = xcalloc(BLOCK / 512 + 1, sizeof *block.chunks);
    return 0;
}

static int
free_block(void **state)
{
    (void)state;
    free(block.data);
    free(block.packed);
    free(block.chunks);
    return 0;
}

enum kind {
    ZERO,
    RANDOM,
    TEXT,
    ALMOST_ZERO, /* one byte, the last, is not */
    KINDS,
};

static void
fill(uint8_t *p, size_t n, enum kind kind, struct rng *rng)
{
    memset(p, 0, n);
    if (kind == ALMOST_ZERO)
        p[n - 1] = 1;
    for (size_t i = 0; i < n && (kind == RANDOM || kind == TEXT); i++)
        p[i] =
            kind == RANDOM ? (uint8_t)rng_next(rng) : (uint8_t)("evidence "[i % 9] + (i / 99) % 3);
}

/* The chunk stands for exactly these bytes, however it does so. */
static void
check_chunk(const struct packed_chunk *c, const uint8_t *data, size_t n,
            struct libdeflate_decompressor *inflate)
{
    uint8_t *out = xcalloc(n, 1);

    assert_int_equal(c->media, n);
    assert_int_equal(c->adler, ewf_adler32(1, data, n));
    if (c->compressed) {
        size_t used = 0;
        size_t made = 0;

        assert_true(c->size < n);
        assert_int_equal(
            libdeflate_zlib_decompress_ex(inflate, c->data, c->size, out, n, &used, &made),
            LIBDEFLATE_SUCCESS);
        assert_int_equal(made, n);
        assert_int_equal(used, c->size); /* no bytes behind the stream */
        assert_memory_equal(out, data, n);
    } else {
        assert_int_equal(c->size, n);
        assert_memory_equal(c->data, data, n);
    }
    free(out);
}

static bool
should_compress(enum compression mode, enum kind kind)
{
    if (mode == COMPRESSION_NONE || kind == RANDOM)
        return false;
    return mode >= COMPRESSION_FAST || kind == ZERO;
}

static void
one_block(struct packer *p, enum compression mode, size_t chunk, struct rng *rng,
          struct libdeflate_decompressor *inflate)
{
    enum kind kinds[BLOCK / 512 + 1];
    size_t n = 0;

    /* Whole sectors; the last chunk of the media may be a short one. */
    block.length = (1 + rng_below(rng, BLOCK / 512)) * 512;
    for (size_t at = 0; at < block.length; at += chunk) {
        kinds[n] = (enum kind)rng_below(rng, KINDS);
        fill(block.data + at, block.length - at < chunk ? block.length - at : chunk, kinds[n++],
             rng);
    }
    packer_pack(p, &block);
    assert_int_equal(block.n_chunks, n);
    for (size_t i = 0; i < n; i++) {
        size_t at = i * chunk;
        size_t size = block.length - at < chunk ? block.length - at : chunk;

        assert_int_equal(block.chunks[i].compressed, should_compress(mode, kinds[i]));
        check_chunk(&block.chunks[i], block.data + at, size, inflate);
    }
}

static void
every_chunk_is_its_data(void **state)
{
    static const size_t chunks[] = {512, 4096, 32768, 65536, BLOCK};
    struct libdeflate_decompressor *inflate = libdeflate_alloc_decompressor();
    struct rng rng = rng_start("packer");

    (void)state;
    for (int mode = COMPRESSION_NONE; mode <= COMPRESSION_BEST; mode++) {
        for (size_t i = 0; i < COUNT(chunks); i++) {
            struct err err = ERR_INIT;
            struct packer *p = packer_new((enum compression)mode, chunks[i], &err);

            assert_non_null(p);
            for (int round = 0; round < 12; round++)
                one_block(p, (enum compression)mode, chunks[i], &rng, inflate);
            packer_free(p);
        }
    }
    libdeflate_free_decompressor(inflate);
}

/* Data at the edge of what compression gains: whatever comes, it never grows. */
static void
nothing_grows(void **state)
{
    struct libdeflate_decompressor *inflate = libdeflate_alloc_decompressor();
    struct rng rng = rng_start("packer edge");

    (void)state;
    for (int mode = COMPRESSION_FAST; mode <= COMPRESSION_BEST; mode++) {
        struct err err = ERR_INIT;
        struct packer *p = packer_new((enum compression)mode, 4096, &err);

        assert_non_null(p);
        for (int round = 0; round < 300; round++) {
            size_t zeros = rng_below(&rng, 200); /* among 4096 random bytes */

            fill(block.data, 4096, RANDOM, &rng);
            memset(block.data + rng_below(&rng, 3896), 0, zeros);
            block.length = 4096;
            packer_pack(p, &block);
            assert_int_equal(block.n_chunks, 1);
            check_chunk(&block.chunks[0], block.data, 4096, inflate);
        }
        packer_free(p);
    }
    libdeflate_free_decompressor(inflate);
}

/* The ready-made stream is used again and again, and not copied. */
static void
zero_chunks_share_one_stream(void **state)
{
    struct err err = ERR_INIT;
    struct packer *p = packer_new(COMPRESSION_EMPTY, 32768, &err);

    (void)state;
    memset(block.data, 0, BLOCK);
    block.length = BLOCK;
    packer_pack(p, &block);
    assert_int_equal(block.n_chunks, BLOCK / 32768);
    for (size_t i = 1; i < block.n_chunks; i++)
        assert_ptr_equal(block.chunks[i].data, block.chunks[0].data);
    assert_true(block.chunks[0].size < 200);
    packer_free(p);
}

/* After a chunk that did not get smaller one that looks like noise is not tried; but everything
   else is, and in each block there is a first one. */
static void
noise_is_not_tried_again(void **state)
{
    enum { CHUNK = 32768, PERIOD = 8320 }; /* no sampled byte comes again */
    struct rng rng = rng_start("packer noise");

    (void)state;
    for (int mode = COMPRESSION_FAST; mode <= COMPRESSION_BEST; mode++) {
        struct err err = ERR_INIT;
        struct packer *p = packer_new((enum compression)mode, CHUNK, &err);

        assert_non_null(p);
        /* Noise that comes again within a chunk looks like noise, but can be compressed. */
        fill(block.data, PERIOD, RANDOM, &rng);
        for (size_t i = PERIOD; i < BLOCK; i++)
            block.data[i] = block.data[i - PERIOD];
        block.length = BLOCK;
        packer_pack(p, &block);
        for (size_t i = 0; i < block.n_chunks; i++)
            assert_true(block.chunks[i].compressed);
        fill(block.data, CHUNK, RANDOM, &rng);
        fill(block.data + (size_t)2 * CHUNK, CHUNK, TEXT, &rng);
        packer_pack(p, &block);
        assert_false(block.chunks[0].compressed);
        assert_false(block.chunks[1].compressed); /* the price */
        for (size_t i = 2; i < block.n_chunks; i++)
            assert_true(block.chunks[i].compressed);
        packer_free(p);
    }
}

/* ISA-L may keep one of 8192 places for an address of its own (packer_place.h): so the first bytes
   of many chunks come again within them, where that shows. */
static void
packers_agree_to_the_byte(void **state)
{
    enum { PACKERS = 3, CHUNK = 512, ROUNDS = 50 };
    struct packer *packers[PACKERS];
    uint8_t *first = xcalloc(BLOCK, 1);
    struct rng rng = rng_start("packers agree");

    (void)state;
    for (size_t i = 0; i < PACKERS; i++) {
        struct err err = ERR_INIT;

        packers[i] = packer_new(COMPRESSION_FAST, CHUNK, &err);
        assert_non_null(packers[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        block.length = BLOCK;
        for (uint8_t *at = block.data; at < block.data + BLOCK; at += CHUNK) {
            fill(at, CHUNK, TEXT, &rng);
            fill(at, 5, RANDOM, &rng);
            memcpy(at + 100 + rng_below(&rng, 300), at, 5);
        }
        for (size_t i = 0; i < PACKERS; i++) {
            packer_pack(packers[i], &block);
            if (i == 0)
                memcpy(first, block.packed, BLOCK);
            for (size_t c = 0; c < block.n_chunks; c++) {
                assert_true(block.chunks[c].compressed);
                assert_memory_equal(block.chunks[c].data, first + c * CHUNK, block.chunks[c].size);
            }
        }
    }
    for (size_t i = 0; i < PACKERS; i++)
        packer_free(packers[i]);
    free(first);
}

static void
versions_are_told(void **state)
{
    (void)state;
    assert_true(strlen(packer_library_fast()) >= 3);
    assert_true(strlen(packer_library_best()) >= 3);
    packer_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_is_its_data),      cmocka_unit_test(nothing_grows),
        cmocka_unit_test(zero_chunks_share_one_stream), cmocka_unit_test(noise_is_not_tried_again),
        cmocka_unit_test(packers_agree_to_the_byte),    cmocka_unit_test(versions_are_told),
    };

    return cmocka_run_group_tests(tests, make_block, free_block);
}
