#include "acquire/job/mend.h"

#include <errno.h>
#include <stddef.h>

bool
mend_can(int sys)
{
    static const int mendable[] = {ENOSPC, EDQUOT,  EIO,       EROFS,     ENODEV,    ENXIO,
                                   ESTALE, EFBIG,   ETIMEDOUT, ENOENT,    ENOTCONN,  EHOSTDOWN,
                                   EPIPE,  ENOLINK, EREMOTEIO, ENOMEDIUM, ECONNRESET};

    for (size_t i = 0; i < sizeof mendable / sizeof mendable[0]; i++) {
        if (sys == mendable[i])
            return true;
    }
    return false;
}
