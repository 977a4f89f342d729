#include "report/parser_image.h"

#include <string.h>

#include "common/text.h"

ssize_t
parser_image_read(struct parser_image *p, void *buf, size_t n, uint64_t offset)
{
    struct err err = ERR_INIT;
    ssize_t got;

    if (offset >= p->length)
        return 0;
    if (n > p->length - offset)
        n = p->length - offset;
    got = image_read(p->image, buf, n, p->start + offset, &err);
    if (got < 0 && p->failed_reads++ == 0) {
        p->failed_at = p->start + offset;
        (void)snprintf(p->failed_why, sizeof p->failed_why, "%s", err.text);
    }
    return got < 0 && p->fill ? (ssize_t)n : got;
}

static ssize_t
read_for_tsk(TSK_IMG_INFO *tsk, TSK_OFF_T offset, char *buf, size_t n)
{
    ssize_t got = -1;

    if (offset >= 0)
        got = parser_image_read((struct parser_image *)(void *)tsk, buf, n, (uint64_t)offset);
    if (got < 0) {
        tsk_error_reset();
        tsk_error_set_errno(TSK_ERR_IMG_READ);
        tsk_error_set_errstr("the image cannot be read at offset %" PRIdOFF, offset);
    }
    return got;
}

static void
close_for_tsk(TSK_IMG_INFO *tsk)
{
    (void)tsk; /* the image is the parser's */
}

static void
print_for_tsk(TSK_IMG_INFO *tsk, FILE *out)
{
    (void)tsk;
    (void)out;
}

struct parser_image *
parser_image_new(struct image *image, uint64_t start, uint64_t length, uint32_t sector_size,
                 struct err *err)
{
    struct parser_image *p = xcalloc(1, sizeof *p);

    p->image = image;
    p->start = start;
    p->length = length;
    if (!tsk_img_open_external(&p->tsk, (TSK_OFF_T)length, sector_size, read_for_tsk, close_for_tsk,
                               print_for_tsk)) {
        (void)err_set(err, OUTCOME_FAILED, "libtsk does not take the image: %s", tsk_error_get());
        free(p);
        return NULL;
    }
    return p;
}
