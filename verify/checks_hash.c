/*
 * The checks that compare hashes of the media: with the manifest, with what other tools wrote down,
 * with what an E01 stores, and piece by piece.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "verify/checks.h"

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Each of the expected ones must match, over its full length. Returns their names for people if all
   do, else NULL; the caller frees it. */
static char *
compare_all(const struct check_input *in, const struct manifest_hashes *expected, const char *who,
            struct check *c)
{
    char *names = NULL;
    bool all = true;

    for (size_t i = 0; i < expected->n; i++) {
        const struct manifest_hash *want = &expected->v[i];
        const char *have = scan_media_hash(in->scan, want->name);
        char *before = names;

        names = before ? xasprintf("%s, %s", before, want->name) : xstrdup(want->name);
        free(before);
        if (have && digest_hex_equal(have, want->hex))
            continue;
        all = false;
        if (!have)
            check_fail(c, false, "%s cannot be computed here", want->name);
        else
            check_fail(c, false, "%s is %s, %s says %s", want->name, *have ? have : "not known",
                       who, want->hex);
    }
    if (all && names)
        return names;
    free(names);
    return NULL;
}

/* Text after text, in *all. */
static void
append(char **all, char *text)
{
    char *before = *all;

    *all = before ? xasprintf("%s; %s", before, text) : xstrdup(text);
    free(before);
    free(text);
}

/* --- the media as a whole ------------------------------------------------------------------- */

static void
compare_manifest(const struct check_input *in, char **matched, struct check *c)
{
    const struct manifest *m = in->location->manifest;
    AUTO_FREE char *names = NULL;

    if (in->location->problem) {
        c->target = xasprintf("%s%s", in->location->stem, MANIFEST_SUFFIX);
        check_fail(c, false, "the manifest beside the image cannot be used: %s",
                   in->location->problem);
        return;
    }
    if (!m)
        return;
    c->target = xstrdup(in->location->manifest_path);
    names = in->scan->missing > 0 ? NULL : compare_all(in, &m->media_hashes, "the manifest", c);
    if (names)
        append(matched, xasprintf("%s match%s", names, m->media_hashes.n == 1 ? "es" : ""));
}

static void
compare_log(const struct check_input *in, const struct evidence *e, char **matched, struct check *c)
{
    const char *file = base_name(image_info(in->image)->segments[0].path);
    const char *name = e->media_name ? base_name(e->media_name) : file;
    AUTO_FREE char *who = NULL;
    AUTO_FREE char *names = NULL;

    /* Where the log has another name for it, that it was taken for the media is said. */
    if (strcmp(name, file) == 0)
        who = xasprintf("'%s'", base_name(e->path));
    else
        who = xasprintf("'%s' (of '%s')", base_name(e->path), name);
    if (!c->target && (e->problem || e->media.n > 0))
        c->target = xstrdup(e->path);
    if (e->problem)
        check_fail(c, false, "'%s' cannot be used: %s", e->path, e->problem);
    if (in->scan->missing > 0)
        return;
    names = compare_all(in, &e->media, who, c);
    if (names)
        append(matched, xasprintf("%s match%s those in %s, by %s", names,
                                  e->media.n == 1 ? "es" : "", who, e->tool));
}

static bool
has_media_hash(const struct check_input *in)
{
    const struct manifest *m = in->location->manifest;

    for (size_t i = 0; i < in->evidence->n; i++) {
        if (in->evidence->v[i].media.n > 0)
            return true;
    }
    return m && m->media_hashes.n > 0;
}

void
check_media_hash(const struct check_input *in, struct check *c)
{
    AUTO_FREE char *matched = NULL;

    compare_manifest(in, &matched, c);
    for (size_t i = 0; i < in->evidence->n; i++)
        compare_log(in, &in->evidence->v[i], &matched, c);
    if (c->status == STATUS_FAILED)
        return;
    c->reference = matched != NULL;
    if (matched)
        check_pass(c, "%s", matched);
    else if (has_media_hash(in))
        check_skip(c, "part of the media is missing");
    else if (in->location->manifest)
        check_skip(c, "the manifest has no hash of the media");
    else
        check_skip(c, "there is no manifest, and no log with a hash of the media");
}

void
check_stored_hash(const struct check_input *in, struct check *c)
{
    const struct image_info *info = image_info(in->image);

    AUTO_FREE char *names = NULL;

    c->target = xstrdup(info->segments[info->n_segments - 1].path);
    if (info->format == IMAGE_RAW)
        check_skip(c, "a raw image stores no hash");
    else if (info->stored.n == 0)
        check_skip(c, "the image stores no hash");
    else if (in->scan->missing > 0)
        check_skip(c, "part of the media is missing");
    else
        names = compare_all(in, &info->stored, "the image", c);
    if (!names)
        return;
    c->reference = true;
    check_pass(c, "%s match%s", names, info->stored.n == 1 ? "es" : "");
}

/* --- pieces --------------------------------------------------------------------------------- */

/* Piece i of the set v should have that hash; false if it does not. */
static bool
compare_piece(const struct check_input *in, const struct manifest_piece *v, size_t i,
              const char *name, const char *hex, struct check *c)
{
    const struct lane_hash *have = scan_piece_hash(in->scan, v, name, i);
    const struct manifest_piece *p = &v[i];

    if (have && digest_hex_equal(have->hex, hex))
        return true;
    ranges_add(&c->ranges, p->offset, p->length);
    if (have && *have->hex == '\0')
        check_fail(c, true, "the piece from %" PRIu64 " to %" PRIu64 " is not all there", p->offset,
                   p->offset + p->length);
    else
        check_fail(c, false, "%s of the piece from %" PRIu64 " to %" PRIu64 " differs", name,
                   p->offset, p->offset + p->length);
    return false;
}

static void
compare_manifest_pieces(const struct check_input *in, char **matched, struct check *c)
{
    const struct manifest *m = in->location->manifest;
    uint64_t covered = 0;

    if (!m || m->n_pieces == 0)
        return;
    c->target = xstrdup(in->location->manifest_path);
    if (!scan_pieces_in_order(m->pieces, m->n_pieces)) {
        check_fail(c, false, "the manifest's pieces overlap or stand out of order");
        return;
    }
    for (size_t i = 0; i < m->n_pieces; i++) {
        const struct manifest_hashes *want = &m->pieces[i].hashes;
        bool ok = true;

        covered += m->pieces[i].length;
        if (want->n == 0)
            check_fail(c, false, "piece %zu in the manifest has no hash", i);
        for (size_t k = 0; ok && k < want->n; k++)
            ok = compare_piece(in, m->pieces, i, want->v[k].name, want->v[k].hex, c);
    }
    if (c->status == STATUS_FAILED)
        return;
    c->reference = covered == m->media_size;
    append(matched, xasprintf("%zu pieces match", m->n_pieces));
}

static void
compare_log_pieces(const struct check_input *in, const struct evidence *e, char **matched,
                   struct check *c)
{
    uint64_t size = image_info(in->image)->media_size;

    for (size_t i = 0; i < e->n_pieces; i++) {
        const struct evidence_pieces *set = &e->pieces[i];
        uint64_t covered = 0;
        size_t good = 0;

        if (!c->target)
            c->target = xstrdup(e->path);
        for (size_t k = 0; k < set->n; k++) {
            covered += set->v[k].length;
            good += compare_piece(in, set->v, k, set->hash, set->hex[k], c) ? 1 : 0;
        }
        if (good < set->n)
            continue;
        c->reference = c->reference || covered == size;
        append(matched, xasprintf("%zu pieces match the %s of '%s' (%s)", set->n, set->hash,
                                  base_name(e->path), e->tool));
    }
}

void
check_piecewise(const struct check_input *in, struct check *c)
{
    AUTO_FREE char *matched = NULL;

    compare_manifest_pieces(in, &matched, c);
    for (size_t i = 0; i < in->evidence->n; i++)
        compare_log_pieces(in, &in->evidence->v[i], &matched, c);
    if (c->status == STATUS_FAILED)
        return;
    if (matched)
        check_pass(c, "%s", matched);
    else if (in->location->manifest)
        check_skip(c, "the manifest has no hashes of pieces");
    else
        check_skip(c, "there is no manifest, and no log with hashes of pieces");
}
