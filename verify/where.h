/*
 * Which files lie in damaged or unreadable media. The parser (exhibit-parser) knows, but this
 * program can start nothing any more once it is in its sandbox: a process that is forked before
 * that starts parsers for it. It is told which of the images is meant, and numbers.
 */
#ifndef EXHIBIT_VERIFY_WHERE_H
#define EXHIBIT_VERIFY_WHERE_H

#include <jansson.h>
#include <stdatomic.h>

#include "common/err.h"
#include "common/ranges.h"

/* Of one question. */
#define WHERE_FILES_MAX 1000   /* listed */
#define WHERE_SECONDS_MAX 120u /* that the parsers get, all together */

struct where_image {
    const char *path;     /* as image_open() takes it; NULL: never asked about */
    const char *manifest; /* path, or NULL */
};

struct where_question {
    uint64_t image; /* place in the list that where_start() had */
    uint64_t sector_size;
    uint64_t media_size;
    const struct ranges *set; /* at most PARSER_RANGES_MAX of them are asked about */
};

struct where;

/* Forks; the images are copied with the process. */
struct where *where_start(const struct where_image *images, size_t n, struct err *err);
void where_end(struct where *w);

/* { "files": [ { "partition", "inode", "type", "allocated", "size", "path", "ranges" } … ],
     "unallocated_bytes", "notes": [ … ] }; a new reference, or NULL. "partition" is the row's
   number as in a report, null without a table; "path" is null where no name was found. Notes say
   what kept the list from being complete. */
json_t *where_ask(struct where *w, const struct where_question *q, const atomic_bool *stop,
                  struct err *err);

/* Those of the answer's files that lie in the set: a new array. */
json_t *where_within(const json_t *answer, const struct ranges *set);

/* where_files.c: asks the parsers; runs in the process without a sandbox. */
json_t *where_files(const struct where_image *image, const struct where_question *q);

#endif
