/*
 * What a sink keeps of the files that an earlier run left: the closed segments that are promised
 * and stand there as promised, from the first on without a gap, and the durable part of the raw
 * file after them. All other segment files of the image are deleted.
 */
#ifndef EXHIBIT_ACQUIRE_KEEP_H
#define EXHIBIT_ACQUIRE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acquire/worker/sink.h"

struct keep {
    const struct kept_segment *v; /* the first n of them; the resume's */
    size_t n;
    uint64_t end;       /* of their media, bytes */
    uint64_t durable;   /* raw: of the media in the file after them too; else `end` */
    uint64_t discarded; /* bytes deleted */
};

/* An E01's segment counts if it ends exactly in a valid "next" section; the one that ends the set
   is written anew. `open_file`: the name of the raw file that may be continued, in spec->dir; NULL:
   none. */
int keep_prepare(const struct sink_spec *spec, bool e01, const char *open_file, struct keep *keep,
                 struct err *err);

#endif
