#include "acquire/recovery.h"

static void
push(struct recovery *r, uint64_t offset, uint64_t length)
{
    if (length > 0)
        r->waiting[r->n++] = (struct range){offset, length};
    r->attempts = 0;
}

/* The upper half goes below the lower one on the stack, so that reads ascend. */
static void
push_halves(struct recovery *r, uint64_t offset, uint64_t length)
{
    uint64_t sectors = (length + r->sector_size - 1) / r->sector_size;
    uint64_t low = sectors / 2 * r->sector_size;

    push(r, offset + low, length - low);
    push(r, offset, low);
}

void
recovery_begin(struct recovery *r, uint64_t offset, uint64_t length, uint32_t sector_size,
               unsigned retries)
{
    r->sector_size = sector_size;
    r->retries = retries;
    r->n = 0;
    /* The failed read was the first attempt, at the whole. */
    if (length > sector_size) {
        push_halves(r, offset, length);
    } else {
        push(r, offset, length);
        r->attempts = 1;
    }
}

bool
recovery_next(const struct recovery *r, struct range *out)
{
    if (r->n == 0)
        return false;
    *out = r->waiting[r->n - 1];
    return true;
}

bool
recovery_result(struct recovery *r, uint64_t got, struct range *bad)
{
    struct range top = r->waiting[r->n - 1];

    got -= got % r->sector_size == 0 || got >= top.length ? 0 : got % r->sector_size;
    if (got >= top.length) {
        r->n--;
        r->attempts = 0;
        return false;
    }
    if (got > 0) { /* a short read: go on behind what came */
        r->waiting[r->n - 1] = (struct range){top.offset + got, top.length - got};
        r->attempts = 0;
        return false;
    }
    if (top.length > r->sector_size) {
        r->n--;
        push_halves(r, top.offset, top.length);
        return false;
    }
    if (r->attempts++ < r->retries)
        return false;
    r->n--;
    r->attempts = 0;
    *bad = top;
    return true;
}
