/*
 * The sections that EWF-X adds: "Xheader section" and "Xhash section", zlib streams of XML. The
 * first repeats what "header2" says; the second can hold hashes that have no other place in an E01.
 */
#include "common/cleanup.h"
#include "common/ewf_image.h"
#include "common/text.h"

void
ewf_on_xheader(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    size_t size = 0;

    free(ewf_load_inflated(img, segment, offset, n, &size)); /* its checksum was looked at */
}

/* The text between <tag> and </tag>, if it is `bytes` bytes in hexadecimal. */
static bool
find_hash(const char *xml, const char *tag, size_t bytes, uint8_t *out)
{
    AUTO_FREE char *open = xasprintf("<%s>", tag);
    const char *p = strstr(xml, open);
    AUTO_FREE char *hex = NULL;

    if (!p)
        return false;
    p += strlen(open);
    hex = xstrndup(p, strcspn(p, "<"));
    return hex_decode(hex, out, bytes) == (int)bytes;
}

void
ewf_on_xhash(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    static const struct {
        const char *tag;
        const char *name;
        size_t bytes;
    } hashes[] = {{"MD5", "md5", 16}, {"SHA1", "sha1", 20}, {"SHA256", "sha256", 32}};
    size_t size = 0;
    AUTO_FREE uint8_t *data = ewf_load_inflated(img, segment, offset, n, &size);
    AUTO_FREE char *xml = data ? xstrndup((const char *)data, size) : NULL;
    uint8_t raw[DIGEST_SIZE_MAX];

    for (size_t i = 0; xml && i < sizeof hashes / sizeof hashes[0]; i++) {
        if (find_hash(xml, hashes[i].tag, hashes[i].bytes, raw))
            ewf_store_hash(img, segment, offset, hashes[i].name, raw, hashes[i].bytes);
    }
}
