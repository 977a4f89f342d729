/*
 * Three records of what could not be read must agree: the manifest's, DEST.map, and the list of
 * errors in an E01 (error2).
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/mapfile.h"
#include "common/text.h"
#include "verify/checks.h"

#define BLOCKS_MAX ((size_t)4 << 20)

/* What is in a but not in b. */
static void
subtract(const struct ranges *a, const struct ranges *b, struct ranges *out)
{
    for (size_t i = 0; i < a->n; i++)
        ranges_add(out, a->v[i].offset, a->v[i].length);
    for (size_t i = 0; i < b->n; i++)
        ranges_remove(out, b->v[i].offset, b->v[i].length);
}

static void
compare(const struct ranges *have, const struct ranges *want, const char *who, struct check *c)
{
    struct ranges more = {0};
    struct ranges less = {0};

    subtract(have, want, &more);
    subtract(want, have, &less);
    if (more.n > 0)
        check_fail(c, false, "%s calls %" PRIu64 " bytes unreadable that the manifest does not",
                   who, ranges_total(&more));
    if (less.n > 0)
        check_fail(c, false, "the manifest calls %" PRIu64 " bytes unreadable that %s does not",
                   ranges_total(&less), who);
    for (size_t i = 0; i < more.n; i++)
        ranges_add(&c->ranges, more.v[i].offset, more.v[i].length);
    for (size_t i = 0; i < less.n; i++)
        ranges_add(&c->ranges, less.v[i].offset, less.v[i].length);
    ranges_free(&more);
    ranges_free(&less);
}

/* All that was not rescued. */
static void
bad_ranges(const struct mapfile *map, struct ranges *bad)
{
    mapfile_ranges(map, MAP_BAD_SECTOR, bad);
    mapfile_ranges(map, MAP_NON_TRIED, bad);
    mapfile_ranges(map, MAP_NON_TRIMMED, bad);
    mapfile_ranges(map, MAP_NON_SCRAPED, bad);
}

static bool
covers(const struct mapfile *map, uint64_t media_size)
{
    const struct map_block *last = map->n > 0 ? &map->blocks[map->n - 1] : NULL;

    if (media_size == 0)
        return true;
    return last && map->blocks[0].offset == 0 && last->offset + last->length == media_size;
}

void
map_unreadable(const char *text, size_t n, uint64_t media_size, struct ranges *out)
{
    struct err ignored = ERR_INIT;
    struct mapfile *map = mapfile_parse(text, n, BLOCKS_MAX, &ignored);

    if (map && covers(map, media_size))
        bad_ranges(map, out);
    mapfile_free(map);
}

/* A raw image of another tool: there is nothing that the map could be compared with but the size.
   What is called ".map" need not be ddrescue's. */
static void
check_foreign(const struct check_input *in, struct check *c)
{
    struct err why = ERR_INIT;
    struct mapfile *map = in->map ? mapfile_parse(in->map, in->map_size, BLOCKS_MAX, &why) : NULL;

    if (!in->map || image_info(in->image)->format != IMAGE_RAW)
        check_skip(c, "there is no manifest to compare a map with");
    else if (!map)
        check_skip(c, "'%s' is not a map of ddrescue: %s", c->target, why.text);
    else if (!covers(map, image_info(in->image)->media_size))
        check_fail(c, false, "the map does not cover the media of %" PRIu64 " bytes",
                   image_info(in->image)->media_size);
    else
        check_pass(c, "the map covers the media; %" PRIu64 " bytes of it were not rescued",
                   ranges_total(in->unreadable));
    mapfile_free(map);
}

static void
compare_mapfile(const struct check_input *in, struct check *c)
{
    const struct manifest *m = in->location->manifest;
    struct err why = ERR_INIT;
    struct mapfile *map = mapfile_parse(in->map, in->map_size, BLOCKS_MAX, &why);
    struct ranges bad = {0};

    if (!map) {
        check_fail(c, false, "'%s': %s", c->target, why.text);
        return;
    }
    if (!covers(map, m->media_size))
        check_fail(c, false, "the map does not cover the media of %" PRIu64 " bytes",
                   m->media_size);
    bad_ranges(map, &bad);
    compare(&bad, &m->unreadable, "the map", c);
    ranges_free(&bad);
    mapfile_free(map);
}

/* error2 has 32 bits for a sector: what lies beyond is not in it. */
static void
compare_error2(const struct check_input *in, struct check *c)
{
    const struct image_info *info = image_info(in->image);
    uint64_t limit = (uint64_t)UINT32_MAX * info->bytes_per_sector;
    struct ranges have = {0};
    struct ranges want = {0};

    subtract(&info->acquiry_errors, &(struct ranges){0}, &have);
    subtract(&in->location->manifest->unreadable, &(struct ranges){0}, &want);
    ranges_remove(&have, limit, UINT64_MAX - limit);
    ranges_remove(&want, limit, UINT64_MAX - limit);
    compare(&have, &want, "the image's own list of errors", c);
    ranges_free(&have);
    ranges_free(&want);
}

void
check_map(const struct check_input *in, struct check *c)
{
    const struct manifest *m = in->location->manifest;

    c->target = xasprintf("%s.map", in->location->stem);
    if (!m) {
        check_foreign(in, c);
        return;
    }
    if (image_info(in->image)->format == IMAGE_E01)
        compare_error2(in, c);
    if (in->map_problem)
        check_fail(c, false, "%s", in->map_problem);
    else if (in->map)
        compare_mapfile(in, c);
    if (c->status == STATUS_FAILED)
        return;
    if (!in->map)
        check_skip(c, "there is no '%s'", c->target);
    else
        check_pass(c, "the map agrees with the manifest");
}
