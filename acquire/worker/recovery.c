#include "acquire/worker/recovery.h"

#include <string.h>

static bool
is_bad(const struct recovery *r, uint32_t sector)
{
    return (r->bad[sector / 8] >> sector % 8 & 1) != 0;
}

static void
set_bad(struct recovery *r, uint32_t sector, bool bad)
{
    uint8_t bit = (uint8_t)(1u << sector % 8);

    r->bad[sector / 8] = (uint8_t)(bad ? r->bad[sector / 8] | bit : r->bad[sector / 8] & ~bit);
}

static uint32_t
count(const struct recovery *r)
{
    return (uint32_t)((r->length + r->sector_size - 1) / r->sector_size);
}

/* From `at` on in the pass's direction: the first bad sector, if there is one. */
static bool
seek_bad(struct recovery *r)
{
    bool backward = r->pass % 2 == 1;
    uint32_t n = count(r);

    /* Backward past sector 0 the number wraps, and is no sector either. */
    while (r->at < n && !is_bad(r, r->at))
        r->at += backward ? UINT32_MAX : 1;
    return r->at < n;
}

/* The retry pass that is due; its first sector. */
static void
seek_retry(struct recovery *r)
{
    while (!seek_bad(r)) {
        if (r->pass++ == r->retries) {
            r->phase = RECOVERY_OVER;
            return;
        }
        r->at = r->pass % 2 == 1 ? count(r) - 1 : 0;
    }
}

static void
begin_retries(struct recovery *r)
{
    r->phase = r->retries > 0 ? RECOVERY_RETRY : RECOVERY_OVER;
    r->pass = 1;
    r->at = count(r) - 1;
    if (r->phase == RECOVERY_RETRY)
        seek_retry(r);
}

void
recovery_begin(struct recovery *r, uint64_t offset, uint64_t length, uint32_t sector_size,
               unsigned retries)
{
    *r = (struct recovery){
        .offset = offset, .length = length, .sector_size = sector_size, .retries = retries};
    r->high = count(r);
}

static uint32_t
next_sector(const struct recovery *r)
{
    switch (r->phase) {
    case RECOVERY_BACKWARD:
        return r->high - 1;
    case RECOVERY_RETRY:
        return r->at;
    default:
        return r->low;
    }
}

static struct range
sector_range(const struct recovery *r, uint32_t sector)
{
    uint64_t from = (uint64_t)sector * r->sector_size;
    uint64_t left = r->length - from;

    return (struct range){r->offset + from, left < r->sector_size ? left : r->sector_size};
}

bool
recovery_next(const struct recovery *r, struct range *out)
{
    if (r->phase == RECOVERY_OVER)
        return false;
    *out = sector_range(r, next_sector(r));
    return true;
}

/* The sector is behind us; a bad one turns a trim at an edge to the next thing. */
static void
advance(struct recovery *r, bool read)
{
    if (r->phase == RECOVERY_RETRY) {
        r->at += r->pass % 2 == 1 ? UINT32_MAX : 1;
        seek_retry(r);
        return;
    }
    if (r->phase == RECOVERY_BACKWARD)
        r->high--;
    else
        r->low++;
    if (!read && r->phase < RECOVERY_BETWEEN)
        r->phase++;
    if (r->low == r->high)
        begin_retries(r);
}

bool
recovery_result(struct recovery *r, bool read, struct range *bad)
{
    uint32_t sector = next_sector(r);
    bool last = r->retries == 0 || (r->phase == RECOVERY_RETRY && r->pass == r->retries);

    set_bad(r, sector, !read);
    if (!read && last)
        *bad = sector_range(r, sector);
    advance(r, read);
    return !read && last;
}
