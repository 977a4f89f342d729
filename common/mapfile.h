/*
 * The GNU ddrescue mapfile ("Mapfile structure" in the ddrescue manual): a current position and
 * status, then a contiguous list of blocks, each with a status character.
 */
#ifndef EXHIBIT_MAPFILE_H
#define EXHIBIT_MAPFILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ranges.h"

enum map_status {
    MAP_NON_TRIED = '?',
    MAP_NON_TRIMMED = '*',
    MAP_NON_SCRAPED = '/',
    MAP_BAD_SECTOR = '-',
    MAP_FINISHED = '+',
};

struct map_block {
    uint64_t offset; /* bytes */
    uint64_t length;
    enum map_status status;
};

/* Blocks stand in order without gaps or overlaps. */
struct mapfile {
    uint64_t current; /* position in bytes */
    char phase;       /* ddrescue's current_status: ? * / - F G + */
    unsigned pass;    /* of that phase, from 1 */
    struct map_block *blocks;
    size_t n;
};

/* Parses text (len bytes). OUTCOME_FAILED errors name the line: bad number or status, gap,
   overlap, more than max_blocks. */
struct mapfile *mapfile_parse(const char *text, size_t len, size_t max_blocks, struct err *err);
void mapfile_free(struct mapfile *map);

/* The text of a mapfile for media of `size` bytes in which `bad` could not be read and all else
   was; ddrescuelog accepts it. The caller frees it; NULL: not enough memory. `command` goes into a
   comment line, printable. */
char *mapfile_text(uint64_t size, const struct ranges *bad, const char *command);

/* The text of a map as it stands, from which ddrescue itself could go on. Likewise. */
char *mapfile_write(const struct mapfile *map, const char *command);

/* Adds the blocks with that status to out. */
void mapfile_ranges(const struct mapfile *map, enum map_status status, struct ranges *out);

#endif
