/*
 * What the kernel is told about the segment files of an image.
 */
#include <fcntl.h>
#include <unistd.h>

#include "common/image_impl.h"
#include "common/medium.h"

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
        all = medium_drop_cache(fd, img->files.v[i].size) && all;
        if (own >= 0)
            (void)close(own);
    }
    return all;
}
