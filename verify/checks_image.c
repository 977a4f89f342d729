/*
 * The checks that look at the image's files: segments, structure, chunks.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "common/image.h"
#include "common/text.h"
#include "verify/checks.h"

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void
set_target(struct check *c, const char *path)
{
    if (!c->target)
        c->target = xstrdup(path);
}

/* "'EV-01.E02' at offset 1234: TEXT" */
static char *
placed_text(const struct image_finding *f)
{
    if (!f->segment)
        return xstrdup(f->text);
    if (f->file_offset == UINT64_MAX)
        return xasprintf("'%s': %s", base_name(f->segment), f->text);
    return xasprintf("'%s' at offset %" PRIu64 ": %s", base_name(f->segment), f->file_offset,
                     f->text);
}

/* Takes the findings of one kind over; remarks are gathered in *remarks. */
static void
take_findings(struct check *c, enum image_check kind, const struct image_finding *v, size_t n,
              char **remarks)
{
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *text = NULL;

        if (v[i].check != kind)
            continue;
        text = placed_text(&v[i]);
        if (v[i].remark) {
            AUTO_FREE char *before = *remarks;

            *remarks = before ? xasprintf("%s; %s", before, text) : xstrdup(text);
            continue;
        }
        if (v[i].segment)
            set_target(c, v[i].segment);
        ranges_add(&c->ranges, v[i].media.offset, v[i].media.length);
        check_place(c, v[i].segment, v[i].file_offset, v[i].media);
        check_fail(c, v[i].incomplete, "%s", text);
    }
}

/* --- segments ------------------------------------------------------------------------------- */

/* A file whose hashes are those of another segment was renamed or swapped. */
static const char *
other_with_hash(const struct manifest *m, size_t listed, const char *sha256)
{
    for (size_t i = 0; i < m->n_segments; i++) {
        if (i != listed && digest_hex_equal(m->segments[i].sha256, sha256))
            return m->segments[i].file;
    }
    return NULL;
}

/* Where in the media a changed file does harm: a raw segment anywhere in its part; in an E01 the
   chunks say it themselves. */
static void
add_segment_ranges(const struct check_input *in, const struct image_segment *s, struct check *c)
{
    const struct ranges *damaged = &in->scan->damaged_media;
    uint64_t end = s->media_offset + s->media_length;
    const struct range *r;

    if (image_info(in->image)->format == IMAGE_RAW) {
        ranges_add(&c->ranges, s->media_offset, s->media_length);
        return;
    }
    for (uint64_t at = s->media_offset; at < end; at = r->offset + r->length) {
        uint64_t from;
        uint64_t to;

        r = ranges_find(damaged, at);
        if (!r || r->offset >= end)
            return;
        from = r->offset > at ? r->offset : at;
        to = r->offset + r->length < end ? r->offset + r->length : end;
        ranges_add(&c->ranges, from, to - from);
    }
}

static void
compare_segment(const struct check_input *in, size_t i, struct check *c)
{
    const struct image_segment *s = &image_info(in->image)->segments[i];
    const struct manifest *m = in->location->manifest;
    const struct manifest_segment *want = &m->segments[s->listed];
    const struct lane_hash *md5 = scan_file_hash(in->scan, "md5", i);
    const struct lane_hash *sha256 = scan_file_hash(in->scan, "sha256", i);
    bool md5_ok = digest_hex_equal(md5->hex, want->md5);
    bool sha256_ok = digest_hex_equal(sha256->hex, want->sha256);
    const char *other;

    if (!s->present || (md5_ok && sha256_ok && s->size == want->size))
        return;
    set_target(c, s->path);
    add_segment_ranges(in, s, c);
    check_place(c, s->path, UINT64_MAX, (struct range){0}); /* a hash does not say where */
    other = other_with_hash(m, s->listed, sha256->hex);
    if (other)
        check_fail(c, false, "'%s' is not what the manifest says, but has the content of '%s'",
                   base_name(s->path), other);
    else if (s->size < want->size)
        check_fail(c, true, "'%s' is cut off: %" PRIu64 " of %" PRIu64 " bytes", base_name(s->path),
                   s->size, want->size);
    else if (s->size != want->size)
        check_fail(c, false, "'%s' has %" PRIu64 " bytes instead of %" PRIu64, base_name(s->path),
                   s->size, want->size);
    else if (*md5->hex == '\0' || *sha256->hex == '\0')
        check_fail(c, false, "'%s' cannot be read: %s", base_name(s->path),
                   md5->sys ? strerror(md5->sys) : "it became shorter");
    else
        check_fail(c, false, "'%s': %s differ%s from the manifest's", base_name(s->path),
                   !md5_ok && !sha256_ok ? "MD5 and SHA-256"
                   : !md5_ok             ? "MD5"
                                         : "SHA-256",
                   !md5_ok && !sha256_ok ? "" : "s");
}

/* Of what other tools wrote down: the segment that has this hash there, or NULL. */
static const char *
other_in_log(const struct check_input *in, const struct evidence *e,
             const struct evidence_file_hash *f, const char *hex)
{
    for (size_t i = 0; i < e->n_files; i++) {
        const struct evidence_file_hash *other = &e->files[i];

        if (other->segment != f->segment && strcmp(other->hash, f->hash) == 0 &&
            digest_hex_equal(other->hex, hex))
            return base_name(image_info(in->image)->segments[other->segment].path);
    }
    return NULL;
}

/* True where the log repeats what the manifest says of that segment: the comparison with the
   manifest has said all there is to say. */
static bool
repeats_manifest(const struct check_input *in, const struct evidence_file_hash *f)
{
    const struct image_segment *s = &image_info(in->image)->segments[f->segment];
    const struct manifest_segment *m =
        in->location->manifest ? &in->location->manifest->segments[s->listed] : NULL;

    return m && ((strcmp(f->hash, "md5") == 0 && digest_hex_equal(f->hex, m->md5)) ||
                 (strcmp(f->hash, "sha256") == 0 && digest_hex_equal(f->hex, m->sha256)));
}

static bool
is_cut_off(const struct image_info *info, const char *path)
{
    for (size_t i = 0; i < info->n_findings; i++) {
        const struct image_finding *f = &info->findings[i];

        if (f->incomplete && f->segment && strcmp(f->segment, path) == 0)
            return true;
    }
    return false;
}

static bool
compare_with_log(const struct check_input *in, const struct evidence *e,
                 const struct evidence_file_hash *f, struct check *c)
{
    const struct image_segment *s = &image_info(in->image)->segments[f->segment];
    const struct lane_hash *have = scan_file_hash(in->scan, f->hash, f->segment);
    const char *other;

    if (have && digest_hex_equal(have->hex, f->hex))
        return true;
    if (!s->present || repeats_manifest(in, f)) /* what is wrong is said already */
        return false;
    set_target(c, s->path);
    other = have ? other_in_log(in, e, f, have->hex) : NULL;
    if (other)
        check_fail(c, false, "'%s' is not what '%s' says, but has the content of '%s'",
                   base_name(s->path), base_name(e->path), other);
    else if (have && *have->hex == '\0')
        check_fail(c, false, "'%s' cannot be read: %s", base_name(s->path),
                   have->sys ? strerror(have->sys) : "it became shorter");
    else
        check_fail(c, is_cut_off(image_info(in->image), s->path), "'%s': %s %s '%s'",
                   base_name(s->path), f->hash,
                   have ? "differs from that in" : "cannot be computed here, to compare it with",
                   base_name(e->path));
    add_segment_ranges(in, s, c);
    return false;
}

/* All segments with a hash in the log that matches are a reference. */
static void
compare_log(const struct check_input *in, const struct evidence *e, char **matched, struct check *c)
{
    const struct image_info *info = image_info(in->image);
    AUTO_FREE bool *hashed = xcalloc(info->n_segments, sizeof *hashed);
    size_t n = 0;

    for (size_t i = 0; i < e->n_files; i++) {
        bool *seen = &hashed[e->files[i].segment];

        if (compare_with_log(in, e, &e->files[i], c) && !*seen) {
            *seen = true;
            n++;
        }
    }
    for (size_t i = 0; i < e->n_missing; i++)
        check_fail(c, true, "'%s' is missing: '%s' lists it", e->missing[i], base_name(e->path));
    if (n == 0 || c->status == STATUS_FAILED)
        return;
    c->reference = c->reference || n == info->n_segments;
    {
        AUTO_FREE char *before = *matched;

        *matched =
            xasprintf("%s, %zu of them as '%s' says", before ? before : "", n, base_name(e->path));
    }
}

void
check_segments(const struct check_input *in, struct check *c)
{
    const struct image_info *info = image_info(in->image);
    AUTO_FREE char *remarks = NULL;
    AUTO_FREE char *logs = NULL;
    const char *files = info->n_segments == 1 ? "file" : "files";

    take_findings(c, IMAGE_CHECK_SEGMENTS, info->findings, info->n_findings, &remarks);
    for (size_t i = 0; in->location->manifest && i < info->n_segments; i++)
        compare_segment(in, i, c);
    for (size_t i = 0; i < in->evidence->n; i++)
        compare_log(in, &in->evidence->v[i], &logs, c);
    set_target(c, info->segments[0].path);
    if (c->status == STATUS_FAILED)
        return;
    c->reference = c->reference || in->location->manifest;
    if (in->location->manifest)
        check_pass(c, "%zu %s, with the sizes, MD5 and SHA-256 of the manifest%s", info->n_segments,
                   files, logs ? logs : "");
    else if (logs)
        check_pass(c, "%zu %s%s", info->n_segments, files, logs);
    else if (info->format == IMAGE_E01)
        check_pass(c, "%zu %s, the set is complete; no manifest, so no hashes of the files",
                   info->n_segments, files);
    else
        check_skip(c, "%zu %s; no manifest says how many there should be, or of what size",
                   info->n_segments, files);
}

/* --- structure ------------------------------------------------------------------------------ */

void
check_structure(const struct check_input *in, struct check *c)
{
    const struct image_info *info = image_info(in->image);
    AUTO_FREE char *remarks = NULL;

    if (info->format == IMAGE_RAW) {
        check_skip(c, "a raw image has no structure of its own");
        return;
    }
    take_findings(c, IMAGE_CHECK_STRUCTURE, info->findings, info->n_findings, &remarks);
    take_findings(c, IMAGE_CHECK_STRUCTURE, in->scan->findings, in->scan->n_findings, &remarks);
    set_target(c, info->segments[0].path);
    if (c->status != STATUS_FAILED)
        check_pass(c, "all sections and tables are sound%s%s", remarks ? "; noted: " : "",
                   remarks ? remarks : "");
}

/* --- chunks --------------------------------------------------------------------------------- */

static void
name_damage(const struct check_input *in, const struct damage *d, struct check *c)
{
    static const char *const what[] = {
        [CHUNK_MISSING] = "is missing",
        [CHUNK_CORRUPT] = "does not inflate to its size",
        [CHUNK_MISMATCH] = "does not match its checksum",
        [CHUNK_IO] = "cannot be read",
    };
    const struct image_info *info = image_info(in->image);
    const struct image_segment *s = &info->segments[d->segment];
    uint64_t index = d->media.offset / info->chunk_size;
    bool incomplete = d->state == CHUNK_MISSING;

    set_target(c, s->path);
    check_place(c, s->path, d->file_offset, d->media);
    if (d->media.length > info->chunk_size)
        check_fail(c, incomplete, "the media from %" PRIu64 " to %" PRIu64 ", in '%s', is missing",
                   d->media.offset, d->media.offset + d->media.length, base_name(s->path));
    else if (d->file_offset == UINT64_MAX)
        check_fail(c, incomplete, "chunk %" PRIu64 " (media offset %" PRIu64 ") %s", index,
                   d->media.offset, what[d->state]);
    else
        check_fail(c, incomplete,
                   "chunk %" PRIu64 " (media offset %" PRIu64 ", '%s' at offset %" PRIu64 ") %s",
                   index, d->media.offset, base_name(s->path), d->file_offset, what[d->state]);
}

static void
add_all(struct ranges *to, const struct ranges *from)
{
    for (size_t i = 0; i < from->n; i++)
        ranges_add(to, from->v[i].offset, from->v[i].length);
}

void
check_chunks(const struct check_input *in, struct check *c)
{
    const struct image_info *info = image_info(in->image);
    const struct scan_result *scan = in->scan;

    for (size_t i = 0; i < scan->n_damage; i++)
        name_damage(in, &scan->damage[i], c);
    add_all(&c->ranges, &scan->damaged_media);
    add_all(&c->ranges, &scan->missing_media);
    set_target(c, info->segments[0].path);
    if (c->status == STATUS_FAILED)
        c->incomplete = scan->damaged == 0; /* also of what is not listed one by one */
    else if (info->format == IMAGE_RAW)
        check_skip(c, "a raw image has no chunks with checksums");
    else
        check_pass(c, "all %" PRIu64 " chunks inflate and match their checksums",
                   info->chunk_count);
}
