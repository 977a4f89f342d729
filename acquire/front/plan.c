#include "acquire/front/plan.h"

#include <inttypes.h>

#include "common/segname.h"

#define MIB (UINT64_C(1) << 20)

/* 32 KiB is what every reader of E01 expects; past 256 KiB some give up, and libewf, which most of
   them are built on, reads at most 134,217,727 chunks and needs memory for each. So chunks grow to
   keep below half of that, then up to the whole, and only then past 256 KiB. */
#define CHUNK_MIN ((uint64_t)32 << 10)
#define CHUNK_EVERY_READER ((uint64_t)256 << 10)
#define CHUNK_MAX (UINT64_C(1) << 20)
#define CHUNKS_COMFORTABLE (UINT64_C(1) << 26)
#define CHUNKS_MAX UINT64_C(134217727)

/* What each file holds besides chunks and table entries: a header, the volume's data and section
   descriptors. */
#define SEGMENT_OVERHEAD 2048u

#define E01_SEGMENT_DEFAULT ((uint64_t)2 << 30)
#define E01_SEGMENT_MIN MIB
#define E01_SEGMENTS_COMFORTABLE 14000u
#define RAW_SEGMENTS_MAX 100000u
/* Each piece is some 200 bytes of manifest, and more in memory while that is written. */
#define PIECES_MAX 100000u

static uint64_t
divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

static int
choose_chunk(const struct plan_request *r, struct plan *p, struct err *err)
{
    uint64_t chunk = CHUNK_MIN > r->sector_size ? CHUNK_MIN : r->sector_size;

    while (divide_up(r->media_size, chunk) > CHUNKS_COMFORTABLE && chunk < CHUNK_EVERY_READER)
        chunk *= 2;
    while (divide_up(r->media_size, chunk) > CHUNKS_MAX && chunk < CHUNK_MAX)
        chunk *= 2;
    if (divide_up(r->media_size, chunk) > CHUNKS_MAX)
        return err_set(err, OUTCOME_USAGE, "the media is too large for an E01; use '--format raw'");
    p->sectors_per_chunk = (uint32_t)(chunk / r->sector_size);
    return 0;
}

/* Media that do not compress, the checksum of each chunk, its entry in table and table2, and the
   sections around them. */
static uint64_t
e01_worst(const struct plan_request *r, const struct plan *p)
{
    uint64_t chunks = divide_up(r->media_size, (uint64_t)p->sectors_per_chunk * r->sector_size);

    return r->media_size + chunks * 16 + 2 * MIB;
}

/* Each file holds less than its limit: what the last one needs for its end is left free
   (acquire/worker/sink_e01.c), and a chunk that would pass what remains goes into the next. */
static uint64_t
e01_segments(const struct plan_request *r, const struct plan *p, uint64_t segment_size)
{
    uint64_t end = segment_size / 16 < MIB ? segment_size / 16 : MIB;
    uint64_t chunk = (uint64_t)p->sectors_per_chunk * r->sector_size;

    return divide_up(p->worst_size, segment_size - end - SEGMENT_OVERHEAD - chunk);
}

static int
plan_e01(const struct plan_request *r, struct plan *p, struct err *err)
{
    uint64_t least;

    if (r->media_size % r->sector_size != 0)
        return err_set(err, OUTCOME_USAGE,
                       "the media (%" PRIu64 " bytes) is no multiple of the sector size (%" PRIu32
                       "), which an E01 cannot hold; use '--format raw'",
                       r->media_size, r->sector_size);
    if (choose_chunk(r, p, err) != 0)
        return -1;
    p->segment_size = r->segment_size ? r->segment_size : E01_SEGMENT_DEFAULT;
    if (p->segment_size < E01_SEGMENT_MIN)
        return err_set(err, OUTCOME_USAGE,
                       "segment size %" PRIu64 " is too small for an E01: at least 1M",
                       p->segment_size);
    p->worst_size = e01_worst(r, p);
    least = divide_up(divide_up(p->worst_size, E01_SEGMENTS_COMFORTABLE), MIB) * MIB;
    while (e01_segments(r, p, least) > SEGNAME_E01_MAX)
        least += MIB;
    p->segment_size_grown = p->segment_size < least;
    if (p->segment_size_grown)
        p->segment_size = least;
    p->max_segments = e01_segments(r, p, p->segment_size);
    p->worst_size += p->max_segments * SEGMENT_OVERHEAD;
    return 0;
}

static int
plan_raw(const struct plan_request *r, struct plan *p, struct err *err)
{
    p->worst_size = r->media_size;
    p->max_segments = 1;
    if (r->segment_size == 0)
        return 0;
    p->segment_size = r->segment_size - r->segment_size % r->sector_size;
    if (p->segment_size == 0)
        return err_set(err, OUTCOME_USAGE,
                       "segment size %" PRIu64 " is less than a sector (%" PRIu32 ")",
                       r->segment_size, r->sector_size);
    p->max_segments = divide_up(r->media_size, p->segment_size);
    if (p->max_segments > RAW_SEGMENTS_MAX)
        return err_set(err, OUTCOME_USAGE,
                       "segment size %" PRIu64 " would make %" PRIu64 " files: at most %u",
                       r->segment_size, p->max_segments, RAW_SEGMENTS_MAX);
    return 0;
}

int
plan_make(const struct plan_request *request, struct plan *plan, struct err *err)
{
    *plan = (struct plan){0};
    if (request->piecewise != 0 && divide_up(request->media_size, request->piecewise) > PIECES_MAX)
        return err_set(err, OUTCOME_USAGE,
                       "pieces of %" PRIu64 " bytes would be more than %u; %" PRIu64
                       " is the smallest size for this source",
                       request->piecewise, PIECES_MAX, divide_up(request->media_size, PIECES_MAX));
    return request->e01 ? plan_e01(request, plan, err) : plan_raw(request, plan, err);
}

int
plan_extension(const struct plan_request *request, const struct plan *plan, uint32_t number,
               char ext[SEGNAME_EXT_MAX])
{
    if (request->e01)
        return segname_e01(number, ext);
    if (plan->segment_size != 0)
        return segname_raw_split(number, ext);
    (void)snprintf(ext, SEGNAME_EXT_MAX, ".raw");
    return number == 1 ? 0 : -1;
}
