#include "report/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/image.h"
#include "common/image_locate.h"
#include "common/json.h"
#include "common/ledger.h"
#include "common/manifest.h"
#include "common/text.h"
#include "report/custody.h"
#include "report/deviations.h"
#include "report/proof.h"

static const char *
base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *
facts_name(const char *path)
{
    AUTO_FREE char *stem = image_stem(path);

    return xstrdup(base_of(stem));
}

/* An E01's header values under the names that the manifest has for them. */
static const struct {
    const char *header;
    const char *section;
    const char *key;
} header_fields[] = {
    {"case_number", "case", "case_number"},
    {"evidence_number", "case", "evidence_number"},
    {"description", "case", "description"},
    {"examiner_name", "case", "examiner"},
    {"notes", "case", "notes"},
    {"model", "source", "model"},
    {"serial_number", "source", "serial"},
    {"device_label", "source", "label"},
    {"acquiry_date", "acquisition", "started"},
    {"system_date", "acquisition", "system_date"},
    {"acquiry_operating_system", "acquisition", "operating_system"},
    {"acquiry_software_version", "acquisition", "software_version"},
    {"acquiry_software", "acquisition", "software"},
};

static json_t *
section(json_t *facts, const char *name)
{
    json_t *v = json_object_get(facts, name);

    if (!v) {
        v = json_object();
        (void)json_object_set_new(facts, name, v);
    }
    return v;
}

/* Dates stand in an E01 as seconds since the epoch. */
static void
set_header(json_t *facts, const char *name, const char *key, const char *value)
{
    char date[CLOCK_TEXT_MAX];
    char *end;
    long long epoch;

    if (*value == '\0')
        return;
    errno = 0;
    epoch = strtoll(value, &end, 10);
    if ((strcmp(key, "started") == 0 || strcmp(key, "system_date") == 0) && *end == '\0' &&
        errno == 0 && epoch > 0 && epoch < INT64_C(253402300800))
        value = clock_text(epoch, date);
    json_set_text(section(facts, name), key, value);
}

static void
add_headers(json_t *facts, const struct image_info *info)
{
    for (size_t i = 0; i < info->n_headers; i++) {
        for (size_t k = 0; k < sizeof header_fields / sizeof header_fields[0]; k++) {
            if (strcmp(info->headers[i].name, header_fields[k].header) == 0)
                set_header(facts, header_fields[k].section, header_fields[k].key,
                           info->headers[i].value);
        }
    }
}

static json_t *
image_facts(const struct image_info *info)
{
    json_t *image = json_object();
    json_t *segments = json_array();

    json_set_text(image, "format", info->format == IMAGE_E01 ? "e01" : "raw");
    json_set_u64(image, "media_size", info->media_size);
    json_set_u64(image, "bytes_per_sector", info->bytes_per_sector);
    if (info->format == IMAGE_E01)
        json_set_u64(image, "chunk_size", info->chunk_size);
    for (size_t i = 0; i < info->n_segments; i++) {
        const struct image_segment *s = &info->segments[i];
        json_t *v = json_object();

        json_set_text(v, "file", base_of(s->path));
        json_set_u64(v, "size", s->size);
        json_set_u64(v, "media_offset", s->media_offset);
        json_set_u64(v, "media_length", s->media_length);
        (void)json_array_append_new(segments, v);
    }
    (void)json_object_set_new(image, "segments", segments);
    return image;
}

/* What an image without a manifest says of itself. */
static json_t *
facts_from_image(const struct image_info *info)
{
    json_t *facts = json_object();
    json_t *unreadable;

    (void)section(facts, "case");
    add_headers(facts, info);
    (void)json_object_set_new(facts, "image", image_facts(info));
    if (info->stored.n > 0)
        (void)json_object_set_new(section(facts, "media"), "hashes",
                                  manifest_hashes_json(&info->stored));
    unreadable = section(facts, "unreadable");
    json_set_u64(unreadable, "sectors",
                 ranges_total(&info->acquiry_errors) /
                     (info->bytes_per_sector ? info->bytes_per_sector : 512));
    (void)json_object_set_new(unreadable, "ranges", json_from_ranges(&info->acquiry_errors));
    return facts;
}

static void
copy_ranges(const struct ranges *from, struct ranges *to)
{
    for (size_t i = 0; i < from->n; i++)
        ranges_add(to, from->v[i].offset, from->v[i].length);
}

/* The image may be another than the manifest tells of. Of that only is said what costs no reading:
   the sizes of its files, and the hashes of the media that an E01 carries. */
static void
compare_with_manifest(struct report *r, const struct image_info *info, const struct manifest *m)
{
    for (size_t i = 0; i < info->n_segments; i++) {
        const struct image_segment *s = &info->segments[i];

        if (s->present && s->listed < m->n_segments && s->size != m->segments[s->listed].size)
            report_finding(r, "image-mismatch", base_of(s->path),
                           "the file has %" PRIu64 " bytes, the manifest says %" PRIu64, s->size,
                           m->segments[s->listed].size);
    }
    for (size_t i = 0; info->n_segments > 0 && i < info->stored.n; i++) {
        const struct manifest_hash *stored = &info->stored.v[i];
        const char *recorded = manifest_hash_find(&m->media_hashes, stored->name);

        if (recorded && strcmp(recorded, stored->hex) != 0)
            report_finding(r, "image-mismatch", base_of(info->segments[0].path),
                           "the %s of the media that the image carries is %s, the manifest says %s",
                           stored->name, stored->hex, recorded);
    }
}

static void
take_info(struct report *r, const struct image_info *info, const struct manifest *m)
{
    r->media_size = info->media_size;
    r->sector_size = info->bytes_per_sector ? info->bytes_per_sector : 512;
    r->sector_size_known = m || info->format == IMAGE_E01;
    copy_ranges(m ? &m->unreadable : &info->acquiry_errors, &r->unreadable);
    r->facts = m ? json_incref(m->root) : facts_from_image(info);
    for (size_t i = 0; i < info->n_findings; i++) {
        const struct image_finding *f = &info->findings[i];

        report_finding(r, f->incomplete ? "image-incomplete" : "image-damage",
                       f->segment ? base_of(f->segment) : NULL, "%s", f->text);
    }
    if (m)
        compare_with_manifest(r, info, m);
    else
        report_note(r, "there is no manifest: the facts are what the image says of itself");
}

static int
check_kind(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return err_errno(err, "cannot open '%s'", path);
    if (S_ISDIR(st.st_mode))
        return err_set(err, OUTCOME_FAILED,
                       "'%s' is a directory, not an image; name the manifest or the first segment",
                       path);
    return 0;
}

/* What proves an image lies beside the manifest, or the image, under the same name. */
static void
read_proof(struct report *r, const char *stem, const struct trust *trust)
{
    AUTO_FREE char *ledger = xasprintf("%s%s", stem, LEDGER_SUFFIX);

    custody_read(r, ledger);
    proof_judge(r, stem, trust);
}

/* With a manifest that cannot be used the image is still to be reported on. */
static void
note_problem(struct report *r, const struct image_location *at)
{
    if (at->of_other)
        report_note(r, "the manifest beside the image was not used: %s", at->problem);
    else if (at->problem)
        report_finding(r, "manifest", base_of(at->path), "%s", at->problem);
    if (at->problem) { /* where the manifest was named, the image that goes by its name */
        free(r->image_path);
        r->image_path = xstrdup(at->path);
    }
}

struct report *
facts_gather(const char *path, const struct trust *trust, struct err *err)
{
    struct report *r = xcalloc(1, sizeof *r);
    struct image_location at = {0};
    struct image *image = NULL;
    char now[CLOCK_TEXT_MAX];

    r->name = facts_name(path);
    r->image_path = xstrdup(path);
    r->created = xstrdup(clock_text(clock_now(), now));
    if (check_kind(path, err) != 0 || image_locate(path, &at, err) != 0)
        goto fail;
    note_problem(r, &at);
    r->manifest_path = at.manifest_path ? xstrdup(at.manifest_path) : NULL;
    image = image_open(at.path, &(struct image_options){.manifest = at.manifest}, err);
    if (!image)
        goto fail;
    take_info(r, image_info(image), at.manifest);
    read_proof(r, at.stem, trust);
    deviations_find(r);
    image_free(image);
    image_location_free(&at);
    return r;
fail:
    image_location_free(&at);
    report_free(r);
    return NULL;
}
