/*
 * Taking an image out of the page cache. posix_fadvise() asks for it; mincore(), which is Linux's,
 * tells whether it was done: pages that are dirty, mapped by another process or of a file system
 * that lives in memory stay.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "common/cleanup.h"
#include "common/image_impl.h"

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

void
image_expect_sequential(const struct image *img)
{
    for (size_t i = 0; i < img->files.n; i++) {
        if (img->files.v[i].fd >= 0)
            (void)posix_fadvise(img->files.v[i].fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
}

bool
image_drop_cache(const struct image *img)
{
    bool all = true;

    for (size_t i = 0; i < img->files.n; i++) {
        int own;
        int fd = img->files.v[i].present ? image_files_fd(&img->files, i, &own) : -1;

        if (!img->files.v[i].present)
            continue;
        if (fd < 0) {
            all = false;
            continue;
        }
        (void)fdatasync(fd); /* dirty pages are not dropped */
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        all = file_is_gone(fd, img->files.v[i].size) && all;
        if (own >= 0)
            (void)close(own);
    }
    return all;
}
