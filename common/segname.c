#include "common/segname.h"

#include <stdbool.h>

#define PAIRS 676u /* two letters of 26 */

int
segname_ewf(char first, uint32_t number, char ext[SEGNAME_EXT_MAX])
{
    bool upper = first >= 'A' && first <= 'Z';
    char a = upper ? 'A' : 'a';
    char z = upper ? 'Z' : 'z';
    uint32_t n;

    if (number == 0 || first < a || first > z)
        return -1;
    if (number <= 99) {
        (void)snprintf(ext, SEGNAME_EXT_MAX, ".%c%02u", first, (unsigned)number);
        return 0;
    }
    n = number - 100;
    if (n / PAIRS > (uint32_t)(z - first))
        return -1;
    (void)snprintf(ext, SEGNAME_EXT_MAX, ".%c%c%c", (char)(first + (char)(n / PAIRS)),
                   (char)(a + (char)(n % PAIRS / 26)), (char)(a + (char)(n % 26)));
    return 0;
}

int
segname_e01(uint32_t number, char ext[SEGNAME_EXT_MAX])
{
    return segname_ewf('E', number, ext);
}

int
segname_raw_split(uint32_t number, char ext[SEGNAME_EXT_MAX])
{
    if (number == 0)
        return -1;
    (void)snprintf(ext, SEGNAME_EXT_MAX, ".%03u", (unsigned)number);
    return 0;
}
