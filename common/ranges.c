#include "common/ranges.h"

#include "common/text.h"

static uint64_t
end_of(uint64_t offset, uint64_t length)
{
    return length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
}

bool
range_join(struct range *r, const struct range *next)
{
    bool before = next->offset + next->length == r->offset;

    if (!before && r->offset + r->length != next->offset)
        return false;
    if (before)
        r->offset = next->offset;
    r->length += next->length;
    return true;
}

/* The index of the first range that ends at or after offset (or after it, with strict). */
static size_t
lower_bound(const struct ranges *set, uint64_t offset, bool strict)
{
    size_t lo = 0;
    size_t hi = set->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        uint64_t end = set->v[mid].offset + set->v[mid].length;

        if (end < offset || (strict && end == offset))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Replaces `remove` ranges from index i on by the `count` ranges at `with`. */
static void
splice(struct ranges *set, size_t i, size_t remove, const struct range *with, size_t count)
{
    size_t n = set->n - remove + count;

    if (n > set->cap) {
        set->cap = n + n / 2 + 16;
        set->v = xrealloc(set->v, set->cap, sizeof *set->v);
    }
    if (set->n > i + remove)
        memmove(set->v + i + count, set->v + i + remove, (set->n - i - remove) * sizeof *set->v);
    if (count > 0)
        memcpy(set->v + i, with, count * sizeof *with);
    set->n = n;
}

void
ranges_add(struct ranges *set, uint64_t offset, uint64_t length)
{
    uint64_t end = end_of(offset, length);
    struct range merged;
    size_t i;
    size_t j;

    if (length == 0)
        return;
    i = j = lower_bound(set, offset, false);
    while (j < set->n && set->v[j].offset <= end) {
        uint64_t e = set->v[j].offset + set->v[j].length;

        if (set->v[j].offset < offset)
            offset = set->v[j].offset;
        if (e > end)
            end = e;
        j++;
    }
    merged = (struct range){offset, end - offset};
    splice(set, i, j - i, &merged, 1);
}

void
ranges_remove(struct ranges *set, uint64_t offset, uint64_t length)
{
    uint64_t end = end_of(offset, length);
    struct range rest[2];
    size_t count = 0;
    size_t i;
    size_t j;

    if (length == 0)
        return;
    i = j = lower_bound(set, offset, true);
    while (j < set->n && set->v[j].offset < end) {
        uint64_t e = set->v[j].offset + set->v[j].length;

        if (set->v[j].offset < offset)
            rest[count++] = (struct range){set->v[j].offset, offset - set->v[j].offset};
        if (e > end)
            rest[count++] = (struct range){end, e - end};
        j++;
    }
    if (j > i)
        splice(set, i, j - i, rest, count);
}

const struct range *
ranges_find(const struct ranges *set, uint64_t offset)
{
    size_t i = lower_bound(set, offset, true);

    return i < set->n ? &set->v[i] : NULL;
}

bool
ranges_overlap(const struct ranges *set, uint64_t offset, uint64_t length)
{
    const struct range *r = ranges_find(set, offset);

    return length > 0 && r && r->offset < end_of(offset, length);
}

uint64_t
ranges_total(const struct ranges *set)
{
    uint64_t total = 0;

    for (size_t i = 0; i < set->n; i++)
        total += set->v[i].length;
    return total;
}

void
ranges_free(struct ranges *set)
{
    free(set->v);
    *set = (struct ranges){0};
}
