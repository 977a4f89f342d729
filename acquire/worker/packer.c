#include "acquire/worker/packer.h"

#include <isa-l.h>
#include <libdeflate.h>

#include "acquire/worker/packer_place.h"
#include "common/text.h"

/* libdeflate's level at which real disks stop getting smaller for the time spent. */
#define BEST_LEVEL 7

struct packer {
    enum compression compression;
    size_t chunk_size;
    struct isal_zstream *stream;        /* ISA-L's state … */
    uint8_t *level_buffer;              /* … and its working memory */
    struct libdeflate_compressor *best; /* COMPRESSION_BEST only */
    uint8_t *zero;                      /* the stream of a whole chunk of zeros … */
    struct packed_chunk zero_chunk;     /* … and the chunk that it makes */
};

/* The checksum at the end of a zlib stream is the media's Adler-32, big-endian (RFC 1950, 2.2). */
static uint32_t
stream_adler(const uint8_t *stream, size_t n)
{
    const uint8_t *p = stream + n - 4;

    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One zlib stream of at most max bytes; 0 if it would be longer. */
static size_t
deflate_fast(struct packer *p, const uint8_t *data, size_t n, uint8_t *out, size_t max)
{
    struct isal_zstream *s = p->stream;

    isal_deflate_stateless_init(s);
    s->level = 1;
    s->level_buf = p->level_buffer;
    s->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    s->gzip_flag = IGZIP_ZLIB;
    s->end_of_stream = 1;
    s->flush = NO_FLUSH;
    s->next_in = (uint8_t *)(uintptr_t)data; /* ISA-L only reads it */
    s->avail_in = (uint32_t)n;
    s->next_out = out;
    s->avail_out = (uint32_t)max;
    return isal_deflate_stateless(s) == COMP_OK ? s->total_out : 0;
}

static size_t
deflate_chunk(struct packer *p, const uint8_t *data, size_t n, uint8_t *out, size_t max)
{
    if (p->best)
        return libdeflate_zlib_compress(p->best, data, n, out, max);
    return deflate_fast(p, data, n, out, max);
}

static int
make_zero_chunk(struct packer *p)
{
    uint8_t *zeros = calloc(p->chunk_size, 1);
    size_t n = 0;

    p->zero = malloc(p->chunk_size);
    if (zeros && p->zero)
        n = deflate_fast(p, zeros, p->chunk_size, p->zero, p->chunk_size);
    free(zeros);
    if (n == 0)
        return -1;
    p->zero_chunk = (struct packed_chunk){
        .data = p->zero,
        .size = (uint32_t)n,
        .adler = stream_adler(p->zero, n),
        .media = (uint32_t)p->chunk_size,
        .compressed = true,
    };
    return 0;
}

struct packer *
packer_new(enum compression compression, size_t chunk_size, struct err *err)
{
    struct packer *p = xcalloc(1, sizeof *p);

    p->compression = compression;
    p->chunk_size = chunk_size;
    p->stream = packer_place_new(sizeof *p->stream);
    p->level_buffer = malloc(ISAL_DEF_LVL1_DEFAULT);
    if (compression == COMPRESSION_BEST)
        p->best = libdeflate_alloc_compressor(BEST_LEVEL);
    if (!p->stream || !p->level_buffer || (compression == COMPRESSION_BEST && !p->best) ||
        make_zero_chunk(p) != 0) {
        (void)err_set(err, OUTCOME_FAILED, "cannot set up the compressor");
        packer_free(p);
        return NULL;
    }
    return p;
}

void
packer_free(struct packer *p)
{
    if (!p)
        return;
    packer_place_free(p->stream, sizeof *p->stream);
    free(p->level_buffer);
    libdeflate_free_compressor(p->best);
    free(p->zero);
    free(p);
}

/* Noise, that is what is compressed or encrypted already, has all byte values alike often. Of 4096
   bytes of it the sum of the squares of these numbers is 69,616 on average with a standard
   deviation of 363 (chi-squared, 255 degrees of freedom). Below NOISE_MOST a better code for the
   bytes saves a third of a per cent; below NOISE_LEAST they are too regular for noise. */
#define NOISE_SAMPLE 4096
#define NOISE_PIECE 64
#define NOISE_LEAST 67500
#define NOISE_MOST 71500

static bool
looks_like_noise(const uint8_t *data, size_t n)
{
    uint16_t count[2][256] = {{0}}; /* two, since equal bytes in a row would wait for each other */
    size_t step = n / (NOISE_SAMPLE / NOISE_PIECE);
    uint32_t squares = 0;

    if (step < NOISE_PIECE)
        return false;
    for (size_t at = 0; at < step * (NOISE_SAMPLE / NOISE_PIECE); at += step) {
        for (size_t i = 0; i < NOISE_PIECE; i += 2) {
            count[0][data[at + i]]++;
            count[1][data[at + i + 1]]++;
        }
    }
    for (size_t i = 0; i < 256; i++) {
        uint32_t c = (uint32_t)count[0][i] + count[1][i];

        squares += c * c;
    }
    return squares >= NOISE_LEAST && squares <= NOISE_MOST;
}

/* *futile: the last chunk of this block that was tried did not get smaller. Then one that looks
   like noise is not tried; anything else, and the first of each block, is, so that no repetition
   that the sample cannot show goes unnoticed for long. The slow compressor is not the one to try
   that. Returns the stream's size, or 0 where there is none that is smaller than the chunk. */
static size_t
try_chunk(struct packer *p, const uint8_t *data, size_t n, uint8_t *out, bool *futile)
{
    bool noise = (*futile || p->best) && looks_like_noise(data, n);
    size_t size = 0;

    if (noise && *futile)
        return 0;
    if (!noise || !p->best || deflate_fast(p, data, n, out, n - 1) > 0)
        size = deflate_chunk(p, data, n, out, n - 1);
    *futile = size == 0;
    return size;
}

static struct packed_chunk
pack_chunk(struct packer *p, uint8_t *data, size_t n, uint8_t *out, bool *futile)
{
    bool empty = p->compression != COMPRESSION_NONE && isal_zero_detect(data, n) == 0;
    size_t size = 0;

    if (empty && n == p->chunk_size)
        return p->zero_chunk;
    /* A stream that is not smaller than the bytes is not worth its time on reading. */
    if (empty || p->compression >= COMPRESSION_FAST)
        size = try_chunk(p, data, n, out, futile);
    if (size > 0)
        return (struct packed_chunk){
            .data = out,
            .size = (uint32_t)size,
            .adler = stream_adler(out, size),
            .media = (uint32_t)n,
            .compressed = true,
        };
    return (struct packed_chunk){
        .data = data,
        .size = (uint32_t)n,
        .adler = isal_adler32(1, data, n),
        .media = (uint32_t)n,
    };
}

void
packer_pack(struct packer *p, struct block *b)
{
    bool futile = false;

    b->n_chunks = 0;
    for (size_t at = 0; at < b->length; at += p->chunk_size) {
        size_t n = b->length - at < p->chunk_size ? b->length - at : p->chunk_size;

        b->chunks[b->n_chunks++] = pack_chunk(p, b->data + at, n, b->packed + at, &futile);
    }
}

#define TEXT_OF(x) #x
#define VERSION_TEXT(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

const char *
packer_library_fast(void)
{
    return VERSION_TEXT(ISAL_MAJOR_VERSION, ISAL_MINOR_VERSION, ISAL_PATCH_VERSION);
}

const char *
packer_library_best(void)
{
    return LIBDEFLATE_VERSION_STRING;
}
