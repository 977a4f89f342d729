/*
 * The image reader on bytes of any kind: opened from memory, its tables checked, some of its chunks
 * read, and the media read at random places. What cannot be read is said; nothing may crash, hang
 * or take memory without bounds.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/image.h"

#define CHUNKS_MAX 64 /* read of one input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
memory_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    return fd;
}

static void
ignore_finding(void *arg, const struct image_finding *f)
{
    *(size_t *)arg += strlen(f->text);
}

static void
read_chunks(struct image *img)
{
    const struct image_info *info = image_info(img);
    struct err err = ERR_INIT;
    struct image_scratch *scratch = image_scratch_new(img, &err);
    void *buf = malloc(info->chunk_size);
    uint64_t at = 0;

    if (!scratch || !buf)
        abort();
    for (size_t i = 0; i < CHUNKS_MAX; i++) {
        struct chunk c;

        at = image_next_mapped(img, at);
        if (at >= info->chunk_count)
            break;
        image_read_chunks(img, scratch, at, 1, buf, &c);
        if (c.length > info->chunk_size || c.segment >= info->n_segments)
            abort();
        at++;
    }
    free(buf);
    image_scratch_free(scratch);
}

static void
read_media(struct image *img)
{
    const struct image_info *info = image_info(img);
    struct err err = ERR_INIT;
    uint8_t buf[4096];

    for (unsigned i = 0; i < 8; i++) {
        uint64_t offset = info->media_size / 8 * i;
        ssize_t n = image_read(img, buf, sizeof buf, offset, &err);

        if (n >= 0 && (uint64_t)n > info->media_size - offset)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    int fd = memory_file(data, size);
    struct image *img;
    size_t text = 0;
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    img = image_open(path, NULL, &err);
    if (img) {
        image_check_tables(img, NULL, ignore_finding, &text);
        read_chunks(img);
        read_media(img);
    }
    image_free(img);
    (void)close(fd);
    return 0;
}
