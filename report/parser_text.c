/*
 * Text as disks hold it, in UTF-8.
 */
#include "common/text.h"
#include "report/bytes.h"
#include "report/parser.h"

static char *
put_utf8(char *o, uint32_t c)
{
    if (c < 0x80) {
        *o++ = (char)c;
    } else if (c < 0x800) {
        *o++ = (char)(0xc0 | c >> 6);
        *o++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *o++ = (char)(0xe0 | c >> 12);
        *o++ = (char)(0x80 | (c >> 6 & 63));
        *o++ = (char)(0x80 | (c & 63));
    } else {
        *o++ = (char)(0xf0 | c >> 18);
        *o++ = (char)(0x80 | (c >> 12 & 63));
        *o++ = (char)(0x80 | (c >> 6 & 63));
        *o++ = (char)(0x80 | (c & 63));
    }
    return o;
}

/* A surrogate without its partner becomes U+FFFD, the replacement character. */
char *
utf16le_text(const uint8_t *p, size_t units)
{
    char *out = xcalloc(units + 1, 4);
    char *o = out;

    for (size_t i = 0; i < units; i++) {
        uint32_t c = (uint32_t)(p[2 * i] | p[2 * i + 1] << 8);
        uint32_t next = i + 1 < units ? (uint32_t)(p[2 * i + 2] | p[2 * i + 3] << 8) : 0;

        if (c == 0)
            break;
        if (c >= 0xd800 && c < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00);
            i++;
        } else if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
        }
        o = put_utf8(o, c);
    }
    *o = '\0';
    return out;
}
