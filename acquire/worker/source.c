#include "acquire/worker/source.h"

#include <errno.h>

/* What the block layer returns for errors of the medium, the target and the path to it
   (include/linux/blk_types.h, blk_status_t, as errno). */
enum source_failure
source_classify(int sys)
{
    switch (sys) {
    case EIO:
    case ENODATA:   /* medium error */
    case EREMOTEIO: /* target error */
    case EILSEQ:    /* protection error */
    case ETIMEDOUT:
    case ENOLINK:
    case EBADE:
        return SOURCE_MEDIUM;
    case ENODEV:
    case ENXIO:
    case ENOMEDIUM:
        return SOURCE_GONE;
    default:
        return SOURCE_OTHER;
    }
}
