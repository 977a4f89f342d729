/*
 * Where an image goes: a list of sinks, each fed the blocks in order by a thread of its own. A
 * sink makes segment files in one directory, by name, without ever following a link or opening
 * what exists; it hands each finished segment to a segment_log. A sink that goes on after an
 * interruption keeps what the journal promises (keep.h), as if it had written it just now.
 */
#ifndef EXHIBIT_ACQUIRE_SINK_H
#define EXHIBIT_ACQUIRE_SINK_H

#include <stdint.h>

#include "acquire/job/resume.h"
#include "acquire/worker/ring.h"
#include "acquire/worker/segments.h"
#include "common/err.h"
#include "common/manifest.h"
#include "common/ranges.h"

struct sink;

/* What is known only when all media have passed. */
struct sink_final {
    const struct manifest_hashes *hashes; /* of the media */
    const struct ranges *unreadable;      /* bytes of the image */
};

struct sink_ops {
    /* After an error the sink must not be fed again. */
    int (*put)(struct sink *s, const struct block *b, struct err *err);
    int (*finish)(struct sink *s, const struct sink_final *final, struct err *err);
    void (*free)(struct sink *s);
};

struct sink {
    const struct sink_ops *ops;
    uint64_t from;      /* the media up to here are there already: put() skips them */
    size_t kept;        /* segments that were there before */
    uint64_t discarded; /* bytes of files thrown away, since no promise covers them */
};

struct sink_spec {
    int dir;                 /* the directory, writable; stays the caller's */
    const char *name;        /* file names are NAME and an extension */
    uint64_t media_size;     /* bytes */
    uint32_t sector_size;    /* bytes */
    uint64_t segment_size;   /* bytes a file at most; raw: 0 is one file */
    struct segment_log *log; /* takes the finished segments; stays the caller's */
    /* What is there already; NULL: nothing. Both stay the caller's. */
    const struct resume *resume;
    size_t index;    /* of this sink in it */
    const int *dirs; /* the descriptors of its directories; the sink's own is dirs[index] */
};

struct e01_spec { /* what only an E01 holds */
    uint32_t sectors_per_chunk;
    bool best;     /* compression level in the header: best, else fast or none */
    bool stored;   /* nothing is compressed */
    bool physical; /* a whole disk, not a volume or a file */
    bool removable;
    int64_t date; /* acquisition and system date, epoch */
    const char *case_number, *evidence_number, *description, *examiner, *notes;
    const char *model, *serial;
};

struct sink *sink_raw_new(const struct sink_spec *spec, struct err *err);
struct sink *sink_e01_new(const struct sink_spec *spec, const struct e01_spec *e01,
                          struct err *err);

#endif
