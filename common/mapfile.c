#include "common/mapfile.h"

#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/text.h"

/* One line of the text at *p (not NUL-terminated), comments and blank lines passed over. */
struct cursor {
    const char *p;
    const char *end;
    size_t line;
};

#define LINE_MAX_LENGTH 256

static int
next_line(struct cursor *c, char buf[LINE_MAX_LENGTH])
{
    while (c->p < c->end) {
        const char *nl = memchr(c->p, '\n', (size_t)(c->end - c->p));
        const char *stop = nl ? nl : c->end;
        const char *hash = memchr(c->p, '#', (size_t)(stop - c->p));
        size_t n = (size_t)((hash ? hash : stop) - c->p);
        const char *start = c->p;

        c->p = nl ? nl + 1 : c->end;
        c->line++;
        while (n > 0 && strchr(" \t\r", start[n - 1]))
            n--;
        while (n > 0 && (*start == ' ' || *start == '\t')) {
            start++;
            n--;
        }
        if (n == 0)
            continue;
        if (n >= LINE_MAX_LENGTH)
            return -1;
        memcpy(buf, start, n);
        buf[n] = '\0';
        return strlen(buf) == n ? 1 : -1; /* a NUL in the middle */
    }
    return 0;
}

/* A number as ddrescue reads it: decimal, 0x or 0 octal; moves *s past it and the blanks after. */
static int
parse_number(const char **s, uint64_t *v)
{
    char *end;

    if (**s < '0' || **s > '9')
        return -1;
    errno = 0;
    *v = strtoull(*s, &end, 0);
    if (errno != 0 || *v > INT64_MAX || (*end != ' ' && *end != '\t' && *end != '\0'))
        return -1;
    while (*end == ' ' || *end == '\t')
        end++;
    *s = end;
    return 0;
}

static int
parse_header(const char *line, struct mapfile *map)
{
    uint64_t pass;

    if (parse_number(&line, &map->current) != 0 || *line == '\0' || !strchr("?*/-FG+", *line))
        return -1;
    map->phase = *line++;
    map->pass = 1;
    while (*line == ' ' || *line == '\t')
        line++;
    if (*line == '\0')
        return 0; /* files of ddrescue before 1.22 have no pass number */
    if (parse_number(&line, &pass) != 0 || *line != '\0' || pass > UINT32_MAX)
        return -1;
    map->pass = (unsigned)pass;
    return 0;
}

static int
parse_block(const char *line, uint64_t expected, struct map_block *b)
{
    if (parse_number(&line, &b->offset) != 0 || parse_number(&line, &b->length) != 0)
        return -1;
    if (*line == '\0' || !strchr("?*/-+", *line) || line[1] != '\0')
        return -1;
    b->status = (enum map_status) * line;
    return b->offset == expected && b->length > 0 && b->length <= INT64_MAX - b->offset ? 0 : -1;
}

static int
parse_blocks(struct cursor *c, struct mapfile *map, size_t max_blocks)
{
    char line[LINE_MAX_LENGTH];
    uint64_t expected = 0;
    size_t cap = 0;
    int r;

    while ((r = next_line(c, line)) == 1) {
        if (map->n == max_blocks)
            return -1;
        if (map->n == cap) {
            cap = cap * 2 + 64;
            map->blocks = xrealloc(map->blocks, cap, sizeof *map->blocks);
        }
        /* A map of part of a disk begins where that part does. */
        if (map->n == 0) {
            const char *s = line;

            if (parse_number(&s, &expected) != 0)
                return -1;
        }
        if (parse_block(line, expected, &map->blocks[map->n]) != 0)
            return -1;
        expected += map->blocks[map->n].length;
        map->n++;
    }
    return r;
}

struct mapfile *
mapfile_parse(const char *text, size_t len, size_t max_blocks, struct err *err)
{
    struct cursor c = {.p = text, .end = text + len};
    struct mapfile *map = xcalloc(1, sizeof *map);
    char line[LINE_MAX_LENGTH];

    if (next_line(&c, line) != 1 || parse_header(line, map) != 0 ||
        parse_blocks(&c, map, max_blocks) != 0) {
        (void)err_set(err, OUTCOME_FAILED, "not a valid mapfile: line %zu", c.line);
        mapfile_free(map);
        return NULL;
    }
    return map;
}

void
mapfile_free(struct mapfile *map)
{
    if (!map)
        return;
    free(map->blocks);
    free(map);
}

/* Of a stream that lacks memory glibc says so only when it is written to. */
static bool
write_blocks(FILE *f, const struct mapfile *map)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct map_block *b = &map->blocks[i];

        if (fprintf(f, "0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", b->offset, b->length,
                    (char)b->status) < 0)
            return false;
    }
    return true;
}

char *
mapfile_write(const struct mapfile *map, const char *command)
{
    AUTO_FREE char *safe = text_printable(command);
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    bool whole;

    if (!f)
        return NULL;
    whole = fprintf(f,
                    "# Mapfile. Written by Exhibit %s in the format of GNU ddrescue\n"
                    "# Command line: %s\n"
                    "# current_pos  current_status  current_pass\n"
                    "0x%08" PRIX64 "     %c               %u\n"
                    "#      pos        size  status\n",
                    EXHIBIT_VERSION, safe, map->current, map->phase, map->pass) > 0 &&
            write_blocks(f, map);
    if (fclose(f) == 0 && whole)
        return out;
    free(out);
    return NULL;
}

static void
append(struct mapfile *map, uint64_t from, uint64_t to, enum map_status status)
{
    if (to > from)
        map->blocks[map->n++] = (struct map_block){from, to - from, status};
}

char *
mapfile_text(uint64_t size, const struct ranges *bad, const char *command)
{
    struct mapfile map = {.current = size, .phase = '+', .pass = 1};
    uint64_t at = 0;
    char *text;

    map.blocks = xcalloc(bad->n * 2 + 1, sizeof *map.blocks);
    for (size_t i = 0; i < bad->n; i++) {
        uint64_t end = bad->v[i].offset + bad->v[i].length;

        append(&map, at, bad->v[i].offset, MAP_FINISHED);
        append(&map, bad->v[i].offset, end, MAP_BAD_SECTOR);
        at = end;
    }
    append(&map, at, size, MAP_FINISHED);
    text = mapfile_write(&map, command);
    free(map.blocks);
    return text;
}

void
mapfile_ranges(const struct mapfile *map, enum map_status status, struct ranges *out)
{
    for (size_t i = 0; i < map->n; i++) {
        if (map->blocks[i].status == status)
            ranges_add(out, map->blocks[i].offset, map->blocks[i].length);
    }
}
