/*
 * What the files of the image reader share: the image behind common/image.h, the functions that a
 * format supplies, and the list of findings. Nothing outside image*.c and ewf_*.c includes it.
 */
#ifndef EXHIBIT_IMAGE_IMPL_H
#define EXHIBIT_IMAGE_IMPL_H

#include <pthread.h>

#include "common/image.h"
#include "common/image_files.h"

struct ewf; /* ewf_image.h */

/* What differs between raw and E01. */
struct image_format_ops {
    /* The second step of opening; NULL: there is none. */
    int (*load)(struct image *img, struct err *err);
    /* All n bytes at offset, which lie within the media, or -1. */
    int (*read)(struct image *img, void *buf, size_t n, uint64_t offset, struct err *err);
    void (*read_chunks)(struct image *img, struct image_scratch *scratch, uint64_t first,
                        size_t count, void *buf, struct chunk *out);
    uint64_t (*next_mapped)(const struct image *img, uint64_t index);
    void (*check_tables)(struct image *img, const atomic_bool *stop, image_finding_fn *found,
                         void *arg);
};

#define IMAGE_CACHE_SLOTS 32
#define IMAGE_CACHE_BYTES ((size_t)16 << 20) /* of media in the cache of image_read() */

struct image_cache_slot {
    uint64_t index; /* of the chunk; UINT64_MAX: empty */
    uint64_t used;  /* the cache's clock when last used */
    struct chunk chunk;
    uint8_t *data;
};

/* The chunks that image_read() saw last; every field under `lock`. */
struct image_cache {
    pthread_mutex_t lock;
    uint64_t clock;
    size_t n_slots;
    struct image_cache_slot slots[IMAGE_CACHE_SLOTS];
    struct image_scratch *spare[IMAGE_CACHE_SLOTS]; /* working memory not in use */
    size_t n_spare;
};

/* What says which files an image has. */
struct image_source {
    const char *path;                /* of the first segment, or of the manifest */
    const struct manifest *manifest; /* or NULL */
    const struct image_parts *parts; /* or NULL; with it neither of the others */
    uint32_t sector_size;            /* for raw; 0: none is asked for */
};

struct image {
    const struct image_format_ops *ops;
    struct image_source from; /* until it is loaded */
    struct image_info info;
    struct image_files files;
    struct image_segment *segments; /* info.segments, while it is being filled */
    struct image_header *headers;   /* info.headers */
    struct image_finding *findings; /* info.findings */
    struct image_cache cache;
    struct ewf *ewf; /* of an E01 */
};

/* A finding as its finder knows it; the texts are copied. */
struct finding_spec {
    enum image_check check;
    bool incomplete;
    bool remark;
    size_t segment;       /* index of the file; NO_SEGMENT: none */
    uint64_t file_offset; /* UINT64_MAX: none */
    struct range media;
};

#define NO_SEGMENT SIZE_MAX
#define NO_OFFSET UINT64_MAX

/* Appends to the image's findings; past a thousand only a last one that says so. */
void image_add_finding(struct image *img, const struct finding_spec *spec, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes info.segments show the files (path, size) in their present order; the first call gives
   each its `listed` number. */
void image_fill_segments(struct image *img);

/* The last component of a path. */
const char *image_base_name(const char *path);

/* Opens the files as the manifest lists them; those that are not there become findings. */
int image_add_manifest_files(struct image *img, const char *manifest_path, const struct manifest *m,
                             struct err *err);

/* The formats. Only the first file is open already, or, with a manifest or with parts, all are. */
int image_raw_open(struct image *img, const struct image_source *from, struct err *err);
int ewf_open(struct image *img, const struct image_source *from, struct err *err);
void ewf_free(struct ewf *ewf);

/* image_read.c: by chunks, the last of which are kept. */
int image_read_cached(struct image *img, void *buf, size_t n, uint64_t offset, struct err *err);

/* One thread's working memory (ewf_chunk.c). */
struct image_scratch *ewf_scratch_new(const struct image *img, struct err *err);
void ewf_scratch_free(struct image_scratch *s);

#endif
