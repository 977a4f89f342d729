/* Sizes and numbers as typed: whatever is taken is what a slower reading of the same text gives. */
#include <stdbool.h>
#include <stdint.h>

#include "common/size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Digits by hand; false where they pass 2^63 - 1. */
static bool
value_of(const char *s, uint64_t factor, uint64_t *v)
{
    *v = 0;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (*v > (INT64_MAX - (uint64_t)(*s - '0')) / 10)
            return false;
        *v = *v * 10 + (uint64_t)(*s - '0');
    }
    if (factor != 0 && *v > INT64_MAX / factor)
        return false;
    *v *= factor;
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err err = ERR_INIT;
    char text[64];
    uint64_t got;
    uint64_t wanted;

    if (n >= sizeof text)
        return 0;
    memcpy(text, data, n);
    text[n] = '\0';
    if (size_parse(text, 512, "--x", &got, &err) == 0) {
        size_t digits = strspn(text, "0123456789");

        if (digits == 0 || got > INT64_MAX)
            abort();
        if (text[digits] == 's' && (!value_of(text, 512, &wanted) || wanted != got))
            abort();
        if (text[digits] == '\0' && (!value_of(text, 1, &wanted) || wanted != got))
            abort();
    }
    if (number_parse(text, 3, 1000000, "n", &got, &err) == 0 && (got < 3 || got > 1000000))
        abort();
    return 0;
}
