/*
 * The sections of an E01 that hold values: media size, stored hashes, the list of read errors.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/ewf_image.h"
#include "common/text.h"

/* error2 grows with the errors; this many bytes hold 8 million of them. */
#define ERROR2_MAX ((uint64_t)64 << 20)

static bool
same_shape(const struct ewf_volume *a, const struct ewf_volume *b)
{
    return a->sectors_per_chunk == b->sectors_per_chunk &&
           a->bytes_per_sector == b->bytes_per_sector &&
           memcmp(a->guid, b->guid, sizeof a->guid) == 0;
}

/* The first volume section with a good checksum counts, or a copy of it ("data"); without any, the
   first that can be read at all. */
static int
take_volume(struct image *img, size_t segment, uint64_t offset, uint64_t n, struct ewf_volume *v)
{
    AUTO_FREE uint8_t *p = ewf_load(img, segment, offset, n, EWF_VOLUME_SIZE);
    struct ewf *ewf = img->ewf;

    if (!p)
        return -1;
    if (ewf_decode_volume(p, (size_t)n, v) != 0) {
        ewf_damage(img, segment, offset, "a volume section has %" PRIu64 " bytes", n);
        return -1;
    }
    if (!v->checksum_ok)
        ewf_damage(img, segment, offset, "a volume section has a wrong checksum");
    if (!ewf->have_volume || (!ewf->volume.checksum_ok && v->checksum_ok)) {
        ewf->volume = *v;
        ewf->have_volume = true;
    }
    return 0;
}

void
ewf_on_volume(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    struct ewf_volume v;

    (void)take_volume(img, segment, offset, n, &v);
}

/* "Data section": repeats the volume section, in each segment after the first. */
void
ewf_on_data(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    struct ewf_volume v;

    if (take_volume(img, segment, offset, n, &v) != 0 || !v.checksum_ok ||
        !img->ewf->volume.checksum_ok)
        return;
    if (!same_shape(&v, &img->ewf->volume))
        image_add_finding(img,
                          &(struct finding_spec){.check = IMAGE_CHECK_SEGMENTS,
                                                 .segment = segment,
                                                 .file_offset = offset},
                          "the segment belongs to another image");
    else if (v.sectors != img->ewf->volume.sectors)
        ewf_remark(img, segment, offset,
                   "the segment gives the media %" PRIu64 " sectors, the first one %" PRIu64,
                   v.sectors, img->ewf->volume.sectors);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0)
            return false;
    }
    return true;
}

void
ewf_store_hash(struct image *img, size_t segment, uint64_t offset, const char *name,
               const uint8_t *p, size_t n)
{
    const char *known = manifest_hash_find(&img->info.stored, name);
    char hex[DIGEST_HEX_MAX];

    if (all_zero(p, n))
        return;
    hex_encode(p, n, hex);
    if (!known)
        manifest_hash_add(&img->info.stored, name, hex);
    else if (strcmp(known, hex) != 0)
        ewf_damage(img, segment, offset, "the image stores two different %s hashes", name);
}

void
ewf_on_hash(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    AUTO_FREE uint8_t *p = ewf_load(img, segment, offset, n, EWF_DIGEST_SIZE);

    if (!p)
        return;
    if (n < EWF_HASH_SIZE) {
        ewf_damage(img, segment, offset, "a hash section has %" PRIu64 " bytes", n);
        return;
    }
    if (!ewf_checksum_follows(p, EWF_HASH_SIZE - 4))
        ewf_damage(img, segment, offset, "the hash section has a wrong checksum");
    ewf_store_hash(img, segment, offset, "md5", p, 16);
}

void
ewf_on_digest(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    AUTO_FREE uint8_t *p = ewf_load(img, segment, offset, n, 4 * EWF_DIGEST_SIZE);

    if (!p)
        return;
    if (n < EWF_DIGEST_SIZE) {
        ewf_damage(img, segment, offset, "a digest section has %" PRIu64 " bytes", n);
        return;
    }
    if (!ewf_checksum_follows(p, EWF_DIGEST_SIZE - 4))
        ewf_damage(img, segment, offset, "the digest section has a wrong checksum");
    ewf_store_hash(img, segment, offset, "md5", p, 16);
    ewf_store_hash(img, segment, offset, "sha1", p + 16, 20);
}

/* Ranges are kept in sectors here; ewf_set_sizes() turns them into bytes. */
void
ewf_on_error2(struct image *img, size_t segment, uint64_t offset, uint64_t n)
{
    AUTO_FREE uint8_t *p = ewf_load(img, segment, offset, n, ERROR2_MAX);
    const uint8_t *entries;
    uint64_t count;

    if (!p)
        return;
    count = n >= EWF_ERROR2_HEADER_SIZE ? ewf_u32(p) : UINT64_MAX;
    if (count > (n - EWF_ERROR2_HEADER_SIZE) / EWF_ERROR2_ENTRY_SIZE ||
        n - EWF_ERROR2_HEADER_SIZE < count * EWF_ERROR2_ENTRY_SIZE + 4) {
        ewf_damage(img, segment, offset, "the error2 section is too small for its entries");
        return;
    }
    entries = p + EWF_ERROR2_HEADER_SIZE;
    if (!ewf_checksum_follows(p, EWF_ERROR2_HEADER_SIZE - 4) ||
        !ewf_checksum_follows(entries, (size_t)count * EWF_ERROR2_ENTRY_SIZE))
        ewf_damage(img, segment, offset, "the error2 section has a wrong checksum");
    for (uint64_t i = 0; i < count; i++)
        ranges_add(&img->info.acquiry_errors, ewf_u32(entries + i * EWF_ERROR2_ENTRY_SIZE),
                   ewf_u32(entries + i * EWF_ERROR2_ENTRY_SIZE + 4));
}
