/*
 * What is being imaged, as an interface: the production tree holds one implementation, on a
 * descriptor that somebody else opened (source_fd_linux.c); the tests bring sources with scripted
 * faults.
 */
#ifndef EXHIBIT_ACQUIRE_SOURCE_H
#define EXHIBIT_ACQUIRE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct source;

struct source_ops {
    /* Reads up to n bytes at offset. Returns the count, 0 at the end, or -1 with errno: EIO and the
       like mean that these bytes cannot be read, ENODEV and ENXIO that the source is gone. buf is
       aligned to SOURCE_ALIGNMENT, offset and n are multiples of the sector size. */
    ssize_t (*pread)(struct source *s, void *buf, size_t n, uint64_t offset);
    void (*close)(struct source *s);
};

struct source {
    const struct source_ops *ops;
};

#define SOURCE_ALIGNMENT 4096u

/* Takes over the descriptor. Reads past the page cache (O_DIRECT) where the file system and the
   alignment of `start` (the first byte that will be read) allow it; *direct says which. */
struct source *source_from_fd(int fd, uint64_t start, bool *direct, struct err *err);

enum source_failure {
    SOURCE_MEDIUM, /* these bytes cannot be read; others may be */
    SOURCE_GONE,   /* no device any more */
    SOURCE_OTHER,  /* nothing that reading on could help */
};

/* What the errno of a failed read means. */
enum source_failure source_classify(int sys);

static inline ssize_t
source_pread(struct source *s, void *buf, size_t n, uint64_t offset)
{
    return s->ops->pread(s, buf, n, offset);
}

static inline void
source_close(struct source *s)
{
    if (s)
        s->ops->close(s);
}

#endif
