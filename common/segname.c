#include "common/segname.h"

#include "common/text.h"

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

/* --- raw images of other tools -------------------------------------------------------------- */

#define DIGITS_MAX 5
#define LETTERS_MAX 4

static char
zero_of(char c)
{
    if (c >= '0' && c <= '9')
        return '0';
    if (c >= 'a' && c <= 'z')
        return 'a';
    return c >= 'A' && c <= 'Z' ? 'A' : '\0';
}

static uint32_t
base_of(char zero)
{
    return zero == '0' ? 10 : 26;
}

/* Letters stand for a number after a dot only, or after split's 'x' at the start of the name. */
static bool
is_separator(const char *path, size_t at, char zero)
{
    char c = path[at];

    if (c == '.')
        return true;
    if (zero == '0')
        return c == '_' || c == '-';
    return zero == 'a' && c == 'x' && (at == 0 || path[at - 1] == '/');
}

bool
segname_split_parse(const char *path, struct segname_split *out)
{
    size_t n = strlen(path);
    char zero = n > 0 ? zero_of(path[n - 1]) : '\0';
    size_t most = zero == '0' ? DIGITS_MAX : LETTERS_MAX;
    size_t width = 0;
    uint32_t number = 0;

    while (zero && width < n && width <= most && zero_of(path[n - 1 - width]) == zero &&
           !(zero != '0' && is_separator(path, n - 1 - width, zero) && width >= 2))
        width++;
    if (!zero || width < (zero == '0' ? 1u : 2u) || width > most || width >= n ||
        !is_separator(path, n - 1 - width, zero))
        return false;
    for (size_t i = n - width; i < n; i++)
        number = number * base_of(zero) + (uint32_t)(path[i] - zero);
    *out = (struct segname_split){
        .path = path,
        .stem = n - width,
        .width = width,
        .zero = zero,
        .separator = path[n - 1 - width],
        .number = number,
    };
    return true;
}

static uint64_t
power(uint32_t base, size_t n)
{
    uint64_t v = 1;

    while (n-- > 0)
        v *= base;
    return v;
}

/* The number in that width or, for digits, in as many as it takes. */
static char *
plain_path(const struct segname_split *at, uint64_t number, size_t width, size_t leading)
{
    uint32_t base = base_of(at->zero);
    char text[64];
    size_t n = 0;

    while (n < width || number > 0) {
        text[sizeof text - 1 - ++n] = (char)(at->zero + (char)(number % base));
        number /= base;
    }
    while (leading-- > 0)
        text[sizeof text - 1 - ++n] = (char)(at->zero + (char)(base - 1));
    text[sizeof text - 1] = '\0';
    return xasprintf("%.*s%s", (int)at->stem, at->path, text + sizeof text - 1 - n);
}

char *
segname_split_path(const struct segname_split *at, uint32_t number, bool widened)
{
    uint32_t base = base_of(at->zero);
    uint64_t left = number;

    if (!widened && at->zero != '0' && number >= power(base, at->width))
        return NULL;
    if (!widened)
        return plain_path(at, number, at->width, 0);
    /* k times the last digit, then a number of k more digits that does not begin with it. */
    for (size_t k = 0; k < 4; k++) {
        uint64_t names = (base - 1) * power(base, at->width + k - 1);

        if (left < names)
            return plain_path(at, left, at->width + k, k);
        left -= names;
    }
    return NULL;
}
