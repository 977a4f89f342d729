/*
 * A stretch of an image as libtsk sees an image: reads go to Exhibit's own reader (common/image.h),
 * so libtsk opens no file and libewf takes no part. Nothing outside the stretch can be read.
 */
#ifndef EXHIBIT_REPORT_PARSER_IMAGE_H
#define EXHIBIT_REPORT_PARSER_IMAGE_H

#include <stdint.h>
#include <tsk/libtsk.h>

#include "common/err.h"
#include "common/image.h"
#include "common/ranges.h"

struct parser_image {
    TSK_IMG_INFO tsk; /* first: libtsk hands back a pointer to it */
    struct image *image;
    uint64_t start;        /* bytes of the media */
    uint64_t length;       /* bytes */
    uint64_t examine_max;  /* bytes of an area that are looked at */
    struct ranges wanted;  /* bytes of the media, for parser_files() */
    bool fill;             /* damaged media reads as what can be had of it, not as an error */
    uint64_t failed_reads; /* reads that the image could not answer */
    uint64_t failed_at;    /* media offset of the first of them */
    char failed_why[256];
};

/* Wraps length bytes at start; sector_size in bytes. The result is never freed: the process ends
   with it. `image` must stay open. */
struct parser_image *parser_image_new(struct image *image, uint64_t start, uint64_t length,
                                      uint32_t sector_size, struct err *err);

/* Reads up to n bytes at offset of the stretch; short at its end, -1 where the image is damaged
   (counted), unless `fill` is set. */
ssize_t parser_image_read(struct parser_image *p, void *buf, size_t n, uint64_t offset);

#endif
