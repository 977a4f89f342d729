/*
 * image_read(): the media as a file would give it, over a small cache of the chunks seen last.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "common/cleanup.h"
#include "common/image_impl.h"

/* The slot that holds the chunk, or NULL. The lock is held. */
static struct image_cache_slot *
cache_find(struct image_cache *c, uint64_t index)
{
    for (size_t i = 0; i < c->n_slots; i++) {
        if (c->slots[i].index == index) {
            c->slots[i].used = ++c->clock;
            return &c->slots[i];
        }
    }
    return NULL;
}

/* Puts data in the place of what was not used for longest; what was there before is returned, for
   the caller to free. The lock is held. */
static uint8_t *
cache_put(struct image_cache *c, uint64_t index, const struct chunk *chunk, uint8_t *data)
{
    struct image_cache_slot *slot = &c->slots[0];
    uint8_t *old;

    if (cache_find(c, index))
        return data; /* another thread was faster */
    for (size_t i = 1; i < c->n_slots; i++) {
        if (c->slots[i].used < slot->used)
            slot = &c->slots[i];
    }
    old = slot->data;
    *slot = (struct image_cache_slot){
        .index = index, .used = ++c->clock, .chunk = *chunk, .data = data};
    return old;
}

static struct image_scratch *
take_scratch(struct image *img, struct err *err)
{
    struct image_scratch *s = NULL;

    (void)pthread_mutex_lock(&img->cache.lock);
    if (img->cache.n_spare > 0)
        s = img->cache.spare[--img->cache.n_spare];
    (void)pthread_mutex_unlock(&img->cache.lock);
    return s ? s : image_scratch_new(img, err);
}

static void
return_scratch(struct image *img, struct image_scratch *s)
{
    (void)pthread_mutex_lock(&img->cache.lock);
    if (s && img->cache.n_spare < IMAGE_CACHE_SLOTS) {
        img->cache.spare[img->cache.n_spare++] = s;
        s = NULL;
    }
    (void)pthread_mutex_unlock(&img->cache.lock);
    image_scratch_free(s);
}

static int
chunk_error(const struct image *img, uint64_t index, const struct chunk *c, struct err *err)
{
    static const char *const what[] = {
        [CHUNK_MISSING] = "is missing",
        [CHUNK_CORRUPT] = "does not inflate",
        [CHUNK_MISMATCH] = "does not match its checksum",
        [CHUNK_IO] = "cannot be read",
    };

    if (c->state == CHUNK_MISSING && c->file_length == 0)
        (void)err_set(err, OUTCOME_FAILED,
                      "the image cannot be read at media offset %" PRIu64 ": chunk %" PRIu64
                      " is in no segment that is there",
                      index * img->info.chunk_size, index);
    else
        (void)err_set(err, OUTCOME_FAILED,
                      "the image cannot be read at media offset %" PRIu64 ": chunk %" PRIu64
                      " ('%s', offset %" PRIu64 ") %s",
                      index * img->info.chunk_size, index, img->info.segments[c->segment].path,
                      c->file_offset, what[c->state]);
    err->sys = c->state == CHUNK_MISSING ? ENODATA : EIO;
    return -1;
}

/* Reads the chunk that is not in the cache, and puts it there. Damaged ones, too: they stay as they
   are; but a file that could not be read may be readable the next time. */
static int
read_into_cache(struct image *img, uint64_t index, size_t inside, void *buf, size_t n,
                struct chunk *chunk, struct err *err)
{
    struct image_scratch *scratch = take_scratch(img, err);
    uint8_t *data = malloc(img->info.chunk_size);

    if (!scratch || !data) {
        return_scratch(img, scratch);
        free(data);
        return err_set(err, OUTCOME_FAILED, "not enough memory for a chunk");
    }
    image_read_chunks(img, scratch, index, 1, data, chunk);
    return_scratch(img, scratch);
    memcpy(buf, data + inside, n);
    if (chunk->state != CHUNK_IO) {
        (void)pthread_mutex_lock(&img->cache.lock);
        data = cache_put(&img->cache, index, chunk, data);
        (void)pthread_mutex_unlock(&img->cache.lock);
    }
    free(data);
    return 0;
}

/* Copies n bytes from inside chunk `index`, which come from the cache or are read. */
static int
copy_from_chunk(struct image *img, uint64_t index, size_t inside, void *buf, size_t n,
                struct err *err)
{
    struct image_cache_slot *slot;
    struct chunk chunk = {.state = CHUNK_OK};
    bool cached;

    (void)pthread_mutex_lock(&img->cache.lock);
    slot = cache_find(&img->cache, index);
    cached = slot != NULL;
    if (slot) {
        memcpy(buf, slot->data + inside, n);
        chunk = slot->chunk;
    }
    (void)pthread_mutex_unlock(&img->cache.lock);
    if (!cached && read_into_cache(img, index, inside, buf, n, &chunk, err) != 0) {
        memset(buf, 0, n);
        return -1;
    }
    return chunk.state == CHUNK_OK ? 0 : chunk_error(img, index, &chunk, err);
}

int
image_read_cached(struct image *img, void *buf, size_t n, uint64_t offset, struct err *err)
{
    const struct image_info *info = &img->info;
    struct err ignored = ERR_INIT;
    size_t done = 0;
    int r = 0;

    while (done < n) {
        uint64_t index = (offset + done) / info->chunk_size;
        size_t inside = (size_t)((offset + done) % info->chunk_size);
        size_t part = info->chunk_size - inside;

        if (part > n - done)
            part = n - done;
        if (copy_from_chunk(img, index, inside, (char *)buf + done, part, r ? &ignored : err) != 0)
            r = -1; /* the first problem is the one that is told */
        done += part;
    }
    return r;
}

ssize_t
image_read(struct image *img, void *buf, size_t n, uint64_t offset, struct err *err)
{
    const struct image_info *info = &img->info;

    if (offset >= info->media_size)
        return 0;
    if (n > info->media_size - offset)
        n = (size_t)(info->media_size - offset);
    if (n > SSIZE_MAX)
        n = SSIZE_MAX;
    return img->ops->read(img, buf, n, offset, err) == 0 ? (ssize_t)n : -1;
}
