/*
 * Reading from the medium instead of from memory.
 */
#ifndef EXHIBIT_MEDIUM_H
#define EXHIBIT_MEDIUM_H

#include <stdbool.h>
#include <stdint.h>

/* Takes a file (`size` bytes) out of the page cache, so that what is read next comes from the
   medium. True if the kernel shows that every page went (mincore): pages that another process has
   mapped, and those of a file system that lives in memory, stay. */
bool medium_drop_cache(int fd, uint64_t size);

#endif
