/* A configuration that is taken is within its bounds, and nothing of it can be taken for an operand
   of exhibit-acquire. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/daemon/config.h"
#include "acquire/device/device_evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_marks(const struct config_list *list)
{
    struct err err = ERR_INIT;

    if (list->n > CONFIG_MARKS_MAX || list->v[list->n])
        abort();
    for (size_t i = 0; i < list->n; i++) {
        if (device_mark_check(list->v[i], &err) != 0)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err err = ERR_INIT;
    struct config c;

    if (config_parse((const char *)data, n, "fuzz", &c, &err) == 0) {
        if (c.parallel < 1 || c.parallel > CONFIG_PARALLEL_MAX ||
            c.defaults.n > CONFIG_DEFAULTS_MAX || c.defaults.v[c.defaults.n])
            abort();
        for (size_t i = 0; i < c.defaults.n; i++) {
            if (strncmp(c.defaults.v[i], "--", 2) != 0 || strlen(c.defaults.v[i]) < 3)
                abort();
        }
        check_marks(&c.evidence);
        check_marks(&c.spare);
    }
    config_free(&c);
    return 0;
}
