#include "verify/damage.h"

#include "common/text.h"

/* The segment that holds or should hold that place: of one that is cut off, its tables may be gone
   and with them the length of what it held. */
static size_t
segment_of(const struct image_info *info, uint64_t media_offset)
{
    size_t before = 0;

    for (size_t i = 0; i < info->n_segments; i++) {
        const struct image_segment *s = &info->segments[i];

        if (media_offset < s->media_offset)
            continue;
        if (media_offset - s->media_offset < s->media_length)
            return i;
        before = i;
    }
    return before;
}

static void
add(struct scan_result *out, const struct damage *d)
{
    bool missing = d->state == CHUNK_MISSING;

    ranges_add(missing ? &out->missing_media : &out->damaged_media, d->media.offset,
               d->media.length);
    if (out->n_damage == SCAN_DAMAGE_MAX)
        return;
    if (!out->damage)
        out->damage = xcalloc(SCAN_DAMAGE_MAX, sizeof *out->damage);
    out->damage[out->n_damage++] = *d;
}

void
damage_gap(struct scan_result *out, const struct image_info *info, uint64_t first, uint64_t count)
{
    uint64_t end =
        first + count < info->chunk_count ? (first + count) * info->chunk_size : info->media_size;
    uint64_t at = first * info->chunk_size;

    out->missing += count;
    while (at < end) { /* each segment's part by itself, as long as they are listed */
        size_t i = segment_of(info, at);
        uint64_t to = info->segments[i].media_offset + info->segments[i].media_length;

        to = to > at && to < end && out->n_damage < SCAN_DAMAGE_MAX ? to : end;
        add(out, &(struct damage){.media = {at, to - at},
                                  .state = CHUNK_MISSING,
                                  .segment = i,
                                  .file_offset = UINT64_MAX});
        at = to;
    }
}

void
damage_chunk(struct scan_result *out, const struct image_info *info, uint64_t index,
             const struct chunk *c)
{
    uint64_t offset = index * info->chunk_size;
    bool missing = c->state == CHUNK_MISSING;

    (*(missing ? &out->missing : &out->damaged))++;
    add(out, &(struct damage){.media = {offset, c->length},
                              .state = c->state,
                              .segment = missing ? segment_of(info, offset) : c->segment,
                              .file_offset = missing ? UINT64_MAX : c->file_offset});
}

static int
by_media_offset(const void *a, const void *b)
{
    const struct damage *x = a;
    const struct damage *y = b;

    return x->media.offset < y->media.offset ? -1 : x->media.offset > y->media.offset;
}

static void
join_missing(struct scan_result *out)
{
    size_t n = 0;

    for (size_t i = 0; i < out->n_damage; i++) {
        const struct damage *d = &out->damage[i];
        struct damage *last = n > 0 ? &out->damage[n - 1] : NULL;

        if (last && d->state == CHUNK_MISSING && last->state == CHUNK_MISSING &&
            d->segment == last->segment &&
            d->media.offset == last->media.offset + last->media.length)
            last->media.length += d->media.length;
        else
            out->damage[n++] = *d;
    }
    out->n_damage = n;
}

void
damage_sort(struct scan_result *out)
{
    if (out->n_damage > 1)
        qsort(out->damage, out->n_damage, sizeof *out->damage, by_media_offset);
    join_missing(out);
}
