/* A mapfile that is taken has blocks in order without gaps, and survives being written again. */
#include <stdint.h>

#include "common/cleanup.h"
#include "common/mapfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_blocks(const struct mapfile *map)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct map_block *b = &map->blocks[i];

        if (b->length == 0 || b->length > INT64_MAX - b->offset)
            abort();
        if (i > 0 && b->offset != b[-1].offset + b[-1].length)
            abort();
    }
}

static void
check_rewritten(const struct mapfile *map)
{
    const struct map_block *last = &map->blocks[map->n - 1];
    struct ranges bad = {0};
    struct ranges again = {0};
    struct err err = ERR_INIT;
    struct mapfile *back;

    mapfile_ranges(map, MAP_BAD_SECTOR, &bad);
    AUTO_FREE char *text = mapfile_text(last->offset + last->length, &bad, "fuzz");
    back = mapfile_parse(text, strlen(text), 3000, &err);
    if (!back)
        abort();
    mapfile_ranges(back, MAP_BAD_SECTOR, &again);
    if (again.n != bad.n || (bad.n && memcmp(again.v, bad.v, bad.n * sizeof *bad.v) != 0))
        abort();
    mapfile_free(back);
    ranges_free(&bad);
    ranges_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err err = ERR_INIT;
    struct mapfile *map = mapfile_parse((const char *)data, n, 1000, &err);

    if (!map)
        return 0;
    if (map->n > 1000)
        abort();
    check_blocks(map);
    if (map->n > 0)
        check_rewritten(map);
    mapfile_free(map);
    return 0;
}
