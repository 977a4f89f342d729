/*
 * posix_fadvise() asks for pages to be dropped; mincore(), which is Linux's, tells whether it was
 * done.
 */
#include "common/medium.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "common/cleanup.h"

#define WINDOW ((uint64_t)1 << 30) /* of a file, mapped at a time */

/* True if no page of the mapping is in memory. */
static bool
none_resident(void *map, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (n + page - 1) / page;
    AUTO_FREE unsigned char *vec = malloc(pages);

    if (!vec || mincore(map, n, vec) != 0)
        return false;
    for (size_t i = 0; i < pages; i++) {
        if (vec[i] & 1)
            return false;
    }
    return true;
}

static bool
file_is_gone(int fd, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += WINDOW) {
        size_t n = size - at < WINDOW ? (size_t)(size - at) : (size_t)WINDOW;
        void *map = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, (off_t)at);
        bool gone;

        if (map == MAP_FAILED)
            return false;
        gone = none_resident(map, n);
        (void)munmap(map, n);
        if (!gone)
            return false;
    }
    return true;
}

bool
medium_drop_cache(int fd, uint64_t size)
{
    (void)fdatasync(fd); /* dirty pages are not dropped */
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return file_is_gone(fd, size);
}
