#include "common/size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

static const struct {
    const char *suffix;
    uint64_t factor;
} units[] = {
    {"", 1},
    {"K", UINT64_C(1) << 10},
    {"M", UINT64_C(1) << 20},
    {"G", UINT64_C(1) << 30},
    {"T", UINT64_C(1) << 40},
    {"KB", UINT64_C(1000)},
    {"MB", UINT64_C(1000000)},
    {"GB", UINT64_C(1000000000)},
    {"TB", UINT64_C(1000000000000)},
};

static bool
unit_factor(const char *suffix, uint32_t sector_size, uint64_t *factor)
{
    if (strcmp(suffix, "s") == 0) {
        *factor = sector_size;
        return sector_size != 0;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(suffix, units[i].suffix) == 0) {
            *factor = units[i].factor;
            return true;
        }
    }
    return false;
}

int
size_parse(const char *s, uint32_t sector_size, const char *what, uint64_t *out, struct err *err)
{
    unsigned long long v;
    uint64_t factor;
    char *end;

    /* strtoull takes blanks and signs, which a size has none of. */
    if (*s < '0' || *s > '9')
        return err_set(err, OUTCOME_USAGE, "invalid size '%s' for %s", s, what);
    errno = 0;
    v = strtoull(s, &end, 10);
    if (!unit_factor(end, sector_size, &factor))
        return err_set(err, OUTCOME_USAGE,
                       "invalid size '%s' for %s: the suffix is one of K M G T KB MB GB TB s", s,
                       what);
    if (errno == ERANGE || v > INT64_MAX / factor)
        return err_set(err, OUTCOME_USAGE, "size '%s' for %s is too large", s, what);
    *out = v * factor;
    return 0;
}

int
number_parse(const char *s, uint64_t min, uint64_t max, const char *what, uint64_t *out,
             struct err *err)
{
    unsigned long long v;
    char *end;

    errno = 0;
    v = *s >= '0' && *s <= '9' ? strtoull(s, &end, 10) : 0;
    if (*s < '0' || *s > '9' || *end != '\0' || errno == ERANGE || v < min || v > max)
        return err_set(err, OUTCOME_USAGE,
                       "invalid number '%s' for %s: from %" PRIu64 " to %" PRIu64, s, what, min,
                       max);
    *out = v;
    return 0;
}

char *
size_human(uint64_t bytes, char *buf)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = (double)bytes;
    size_t i = 0;

    while (v >= 1024 && i + 1 < sizeof names / sizeof names[0]) {
        v /= 1024;
        i++;
    }
    (void)snprintf(buf, SIZE_TEXT_MAX, i == 0 ? "%.0f %s" : "%.1f %s", v, names[i]);
    return buf;
}
