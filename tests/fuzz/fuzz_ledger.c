/* A ledger of any bytes is read without harm, and what is taken as a line keeps its promises. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/json.h"
#include "common/ledger.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    static char name[32];
    struct err err = ERR_INIT;
    struct ledger l;

    if (fd < 0) {
        fd = memfd_create("ledger", 0);
        (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
        abort();
    if (ledger_read(AT_FDCWD, name, &l, &err) != 0)
        return 0;
    for (size_t i = 0; i < l.n; i++) {
        if (l.v[i].offset + l.v[i].signed_length > n || !json_text_or_null(l.v[i].event, "action"))
            abort();
    }
    ledger_clear(&l);
    return 0;
}
