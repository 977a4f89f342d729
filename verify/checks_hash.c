/*
 * The checks that compare hashes of the media: with the manifest, with what an E01 stores, and
 * piece by piece.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "verify/checks.h"

/* The hash of the media by that name, or NULL. */
static const char *
computed(const struct scan_result *scan, const char *name)
{
    for (size_t i = 0; i < scan->n_media; i++) {
        if (strcmp(lane_hash_name(scan->media[i]), name) == 0)
            return lane_results(scan->media[i])->hex;
    }
    return NULL;
}

/* Each of the expected ones must match, over its full length. */
static void
compare_all(const struct check_input *in, const struct manifest_hashes *expected, const char *who,
            struct check *c)
{
    AUTO_FREE char *names = NULL;

    for (size_t i = 0; i < expected->n; i++) {
        const struct manifest_hash *want = &expected->v[i];
        const char *have = computed(in->scan, want->name);
        AUTO_FREE char *before = names;

        names = before ? xasprintf("%s, %s", before, want->name) : xstrdup(want->name);
        if (!have)
            check_fail(c, false, "%s cannot be computed here", want->name);
        else if (!digest_hex_equal(have, want->hex))
            check_fail(c, false, "%s is %s, %s says %s", want->name, have, who, want->hex);
    }
    if (c->status == STATUS_FAILED)
        return;
    c->reference = true;
    check_pass(c, "%s match%s", names, expected->n == 1 ? "es" : "");
}

void
check_media_hash(const struct check_input *in, struct check *c)
{
    const struct manifest *m = in->location->manifest;

    if (in->location->problem) {
        c->target = xasprintf("%s%s", in->location->stem, MANIFEST_SUFFIX);
        check_fail(c, false, "the manifest beside the image cannot be used: %s",
                   in->location->problem);
        return;
    }
    if (!m) {
        check_skip(c, "there is no manifest");
        return;
    }
    c->target = xstrdup(in->location->manifest_path);
    if (m->media_hashes.n == 0)
        check_skip(c, "the manifest has no hash of the media");
    else if (in->scan->missing > 0)
        check_skip(c, "part of the media is missing");
    else
        compare_all(in, &m->media_hashes, "the manifest", c);
}

void
check_stored_hash(const struct check_input *in, struct check *c)
{
    const struct image_info *info = image_info(in->image);

    c->target = xstrdup(info->segments[info->n_segments - 1].path);
    if (info->format == IMAGE_RAW)
        check_skip(c, "a raw image stores no hash");
    else if (info->stored.n == 0)
        check_skip(c, "the image stores no hash");
    else if (in->scan->missing > 0)
        check_skip(c, "part of the media is missing");
    else
        compare_all(in, &info->stored, "the image", c);
}

/* The lane's result for the piece, or NULL if the algorithm has no lane. */
static const struct lane_hash *
piece_result(const struct scan_result *scan, const char *name, size_t piece)
{
    for (size_t i = 0; i < scan->n_pieces; i++) {
        if (strcmp(lane_hash_name(scan->pieces[i]), name) == 0)
            return &lane_results(scan->pieces[i])[piece];
    }
    return NULL;
}

static void
check_piece(const struct check_input *in, size_t i, struct check *c)
{
    const struct manifest_piece *p = &in->location->manifest->pieces[i];

    for (size_t k = 0; k < p->hashes.n; k++) {
        const struct lane_hash *have = piece_result(in->scan, p->hashes.v[k].name, i);

        if (have && digest_hex_equal(have->hex, p->hashes.v[k].hex))
            continue;
        ranges_add(&c->ranges, p->offset, p->length);
        if (have && *have->hex == '\0')
            check_fail(c, true, "the piece from %" PRIu64 " to %" PRIu64 " is not all there",
                       p->offset, p->offset + p->length);
        else
            check_fail(c, false, "%s of the piece from %" PRIu64 " to %" PRIu64 " differs",
                       p->hashes.v[k].name, p->offset, p->offset + p->length);
        return;
    }
}

void
check_piecewise(const struct check_input *in, struct check *c)
{
    const struct manifest *m = in->location->manifest;
    uint64_t covered = 0;
    bool all_hashed = true;

    if (!m || m->n_pieces == 0) {
        check_skip(c, m ? "the manifest has no hashes of pieces" : "there is no manifest");
        return;
    }
    c->target = xstrdup(in->location->manifest_path);
    if (!scan_pieces_in_order(m)) {
        check_fail(c, false, "the manifest's pieces overlap or stand out of order");
        return;
    }
    for (size_t i = 0; i < m->n_pieces; i++) {
        check_piece(in, i, c);
        covered += m->pieces[i].length;
        all_hashed = all_hashed && m->pieces[i].hashes.n > 0;
    }
    if (c->status == STATUS_FAILED)
        return;
    if (!all_hashed) {
        check_fail(c, false, "a piece in the manifest has no hash");
        return;
    }
    c->reference = covered == m->media_size;
    check_pass(c, "%zu pieces match", m->n_pieces);
}
