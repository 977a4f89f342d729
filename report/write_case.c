/*
 * NAME.case.jsonld: CASE/UCO 1.4.0. The vocabulary has nothing for unreadable sectors and for
 * slack: an unreadable range is an object with a data range that the acquisition names as an error,
 * slack stands in the volume's description.
 */
#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/json.h"
#include "common/text.h"
#include "report/case_graph.h"
#include "report/custody.h"
#include "report/fields.h"
#include "report/writer.h"

#define RANGES_MAX 2000
#define SEGMENTS_MAX 20000

struct story { /* the objects that others speak of */
    const struct report *r;
    struct case_graph *g;
    json_t *source;
    json_t *image;
    json_t *examiner;
    json_t *tool;
    json_t *blocker;
    json_t *acquisition;
};

static const json_t *
part(const struct story *s, const char *key)
{
    return json_object_get(s->r->facts, key);
}

static uint64_t
number_of(const json_t *object, const char *key)
{
    struct err err = ERR_INIT;
    uint64_t n = 0;

    return json_get_u64(object, key, &n, &err) == 0 ? n : 0;
}

/* A field of the record under a name of the vocabulary, with its exact bytes where it has them. */
static void
copy_text(json_t *to, const char *property, const json_t *from, const char *key)
{
    AUTO_FREE char *bytes = json_get_bytes(from, key);

    case_text(to, property, bytes);
}

static void
add_hashes(struct story *s, json_t *facet, const json_t *hashes)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)hashes, name, v)
        case_hash(s->g, facet, name, json_string_value(v));
}

static void
add_source(struct story *s)
{
    const json_t *source = part(s, "source");
    const char *kind = json_text_or_null(source, "kind");
    bool file = kind && strcmp(kind, "file") == 0;
    json_t *facet;

    if (fields_is_missing(source))
        return;
    s->source = case_object(s->g, file ? "uco-observable:File" : "uco-observable:Device", "source");
    copy_text(s->source, "uco-core:name", source, "path");
    if (file) {
        facet = case_facet(s->g, s->source, "uco-observable:FileFacet");
        copy_text(facet, "uco-observable:filePath", source, "path");
        case_number(facet, "uco-observable:sizeInBytes", number_of(source, "size"));
        return;
    }
    facet = case_facet(s->g, s->source, "uco-observable:DeviceFacet");
    copy_text(facet, "uco-observable:deviceType", source, "bus");
    copy_text(facet, "uco-observable:model", source, "model");
    copy_text(facet, "uco-observable:serialNumber", source, "serial");
    facet = case_facet(s->g, s->source, "uco-observable:DiskFacet");
    case_number(facet, "uco-observable:diskSize", number_of(source, "size"));
}

static void
add_image(struct story *s)
{
    const json_t *image = part(s, "image");
    const json_t *segments = json_object_get(image, "segments");
    size_t n = json_array_size(segments);
    json_t *facet;

    s->image = case_object(s->g, "uco-observable:Image", "image");
    case_text(s->image, "uco-core:name", s->r->name);
    facet = case_facet(s->g, s->image, "uco-observable:ImageFacet");
    copy_text(facet, "uco-observable:imageType", image, "format");
    facet = case_facet(s->g, s->image, "uco-observable:ContentDataFacet");
    case_number(facet, "uco-observable:sizeInBytes", s->r->media_size);
    add_hashes(s, facet, json_object_get(part(s, "media"), "hashes"));
    for (size_t i = 0; i < n && i < SEGMENTS_MAX; i++) {
        const json_t *segment = json_array_get(segments, i);
        AUTO_FREE char *key = xasprintf("segment %zu", i);
        json_t *file = case_object(s->g, "uco-observable:File", key);

        facet = case_facet(s->g, file, "uco-observable:FileFacet");
        copy_text(facet, "uco-observable:fileName", segment, "file");
        case_number(facet, "uco-observable:sizeInBytes", number_of(segment, "size"));
        facet = case_facet(s->g, file, "uco-observable:ContentDataFacet");
        case_hash(s->g, facet, "md5", json_text_or_null(segment, "md5"));
        case_hash(s->g, facet, "sha256", json_text_or_null(segment, "sha256"));
        case_relate(s->g, s->image, "Contained_Within", file);
    }
}

static void
add_people_and_tools(struct story *s)
{
    const json_t *facts = part(s, "case");
    const json_t *tool = json_object_get(part(s, "acquisition"), "tool");
    const json_t *block = part(s, "write_block");
    const char *level = json_text_or_null(block, "level");
    const char *examiner = json_text_or_null(facts, "examiner");

    if (examiner && *examiner) {
        s->examiner = case_object(s->g, "uco-identity:Person", "examiner");
        copy_text(s->examiner, "uco-core:name", facts, "examiner");
    }
    if (!fields_is_missing(tool)) {
        s->tool = case_object(s->g, "uco-tool:Tool", "acquisition");
        copy_text(s->tool, "uco-core:name", tool, "name");
        copy_text(s->tool, "uco-tool:version", tool, "version");
        case_text(s->tool, "uco-tool:toolType", "forensic imager");
    }
    if (level && strcmp(level, "hardware") == 0) {
        json_t *facet;

        s->blocker = case_object(s->g, "uco-observable:WriteBlocker", "write block");
        facet = case_facet(s->g, s->blocker, "uco-observable:DeviceFacet");
        copy_text(facet, "uco-observable:model", block, "hardware_blocker");
    } else if (level && strcmp(level, "none") != 0) {
        s->blocker = case_object(s->g, "uco-tool:Tool", "write block");
        copy_text(s->blocker, "uco-core:name", block, "level");
        case_text(s->blocker, "uco-tool:toolType", "software write block");
    }
}

static void
add_ranges(struct story *s)
{
    const struct ranges *set = &s->r->unreadable;

    for (size_t i = 0; i < set->n && i < RANGES_MAX; i++) {
        AUTO_FREE char *key = xasprintf("unreadable %" PRIu64, set->v[i].offset);
        json_t *v = case_object(s->g, "uco-observable:ObservableObject", key);
        json_t *facet = case_facet(s->g, v, "uco-observable:DataRangeFacet");

        case_text(v, "uco-core:name", "unreadable range");
        case_text(v, "uco-core:description",
                  "the source did not return it; zeros stand in its place");
        case_number(facet, "uco-observable:rangeOffset", set->v[i].offset);
        case_number(facet, "uco-observable:rangeSize", set->v[i].length);
        case_text(facet, "uco-observable:rangeOffsetType", "byte of the image's media");
        case_link(s->acquisition, "uco-action:error", v);
    }
    if (set->n > RANGES_MAX)
        case_text(s->acquisition, "uco-core:tag",
                  "further unreadable ranges are in the JSON report");
}

static void
add_acquisition(struct story *s)
{
    const json_t *facts = part(s, "acquisition");
    json_t *v = case_object(s->g, "case-investigation:InvestigativeAction", "acquisition");

    s->acquisition = v;
    case_text(v, "uco-core:name", "acquisition");
    copy_text(v, "uco-core:description", facts, "command_line");
    case_time(v, "uco-action:startTime", json_text_or_null(facts, "started"));
    case_time(v, "uco-action:endTime", json_text_or_null(facts, "finished"));
    case_link(v, "uco-action:performer", s->examiner);
    case_link(v, "uco-action:instrument", s->tool);
    case_link(v, "uco-action:instrument", s->blocker);
    case_link(v, "uco-action:object", s->source);
    case_link(v, "uco-action:result", s->image);
    add_ranges(s);
}

static void
add_verification(struct story *s)
{
    const json_t *facts = part(s, "verification");
    const char *status = json_text_or_null(facts, "status");
    json_t *v;

    if (!status || strcmp(status, "not-run") == 0)
        return;
    v = case_object(s->g, "case-investigation:InvestigativeAction", "verification");
    case_text(v, "uco-core:name", "verification");
    case_time(v, "uco-action:endTime", json_text_or_null(facts, "finished"));
    case_text(v, "uco-action:actionStatus",
              strcmp(status, "passed") == 0   ? "Success"
              : strcmp(status, "failed") == 0 ? "Fail"
                                              : "Unknown");
    case_link(v, "uco-action:instrument", s->tool);
    case_link(v, "uco-action:object", s->image);
    case_link(v, "case-investigation:wasInformedBy", s->acquisition);
}

static void
add_provenance(struct story *s)
{
    const json_t *facts = part(s, "case");
    json_t *v = case_object(s->g, "case-investigation:ProvenanceRecord", "exhibit");
    json_t *investigation;

    copy_text(v, "case-investigation:exhibitNumber", facts, "evidence_number");
    copy_text(v, "uco-core:description", facts, "description");
    case_link(v, "uco-core:object", s->image);
    case_link(v, "uco-core:object", s->source);
    case_link(s->acquisition, "uco-action:result", v);
    investigation = case_object(s->g, "case-investigation:Investigation", "case");
    copy_text(investigation, "uco-core:name", facts, "case_number");
    copy_text(investigation, "uco-core:description", facts, "notes");
    case_link(investigation, "uco-core:object", v);
    case_link(investigation, "uco-core:object", s->acquisition);
}

static char *
slack_text(const struct volume *v)
{
    struct tally allocated;
    struct tally deleted;

    if (!v->has_slack)
        return NULL;
    report_file_slack(&v->slack.of[FILE_ALLOCATED], &allocated);
    report_file_slack(&v->slack.of[FILE_DELETED], &deleted);
    return xasprintf("file slack of allocated files %" PRIu64 " bytes (%" PRIu64
                     " not zero), of deleted files %" PRIu64 " (%" PRIu64 "); volume slack %" PRIu64
                     " (%" PRIu64 ")",
                     allocated.bytes, tally_nonzero(&allocated), deleted.bytes,
                     tally_nonzero(&deleted), v->volume_slack.bytes,
                     tally_nonzero(&v->volume_slack));
}

static void
add_volume(struct story *s, const struct volume *v, const json_t *within)
{
    AUTO_FREE char *key = xasprintf("volume %s", v->name);
    AUTO_FREE char *slack = slack_text(v);
    json_t *o = case_object(s->g, "uco-observable:Volume", key);
    json_t *facet = case_facet(s->g, o, "uco-observable:VolumeFacet");

    case_text(o, "uco-core:name", v->fs && v->fs->label ? v->fs->label : v->name);
    case_text(o, "uco-core:description", slack);
    case_number(facet, "uco-observable:sectorSize", s->r->sector_size);
    case_text(facet, "uco-observable:volumeID", v->fs ? v->fs->id : NULL);
    facet = case_facet(s->g, o, "uco-observable:DataRangeFacet");
    case_number(facet, "uco-observable:rangeOffset", v->start);
    case_number(facet, "uco-observable:rangeSize", v->length);
    if (v->fs) {
        facet = case_facet(s->g, o, "uco-observable:FileSystemFacet");
        case_text(facet, "uco-observable:fileSystemType", v->fs->type);
        case_number(facet, "uco-observable:clusterSize", v->fs->cluster_size);
    }
    if (v->content || v->encrypted) {
        facet = case_facet(s->g, o, "uco-observable:ContentDataFacet");
        case_bool(facet, "uco-observable:isEncrypted", v->encrypted);
        case_text(facet, "uco-observable:mimeClass", v->content);
    }
    case_relate(s->g, o, "Contained_Within", within);
}

static json_t *
add_partition(struct story *s, const struct partition *p)
{
    AUTO_FREE char *key = xasprintf("partition %" PRIu64, p->index);
    AUTO_FREE char *index = xasprintf("%" PRIu64, p->index);
    json_t *o = case_object(s->g, "uco-observable:DiskPartition", key);
    json_t *facet = case_facet(s->g, o, "uco-observable:DiskPartitionFacet");

    case_text(o, "uco-core:name", p->label ? p->label : p->description);
    case_text(facet, "uco-observable:partitionID", p->guid ? p->guid : index);
    case_text(facet, "uco-observable:diskPartitionType",
              p->type_name   ? p->type_name
              : p->type_guid ? p->type_guid
                             : p->description);
    case_number(facet, "uco-observable:partitionOffset", p->start * s->r->table.sector_size);
    case_number(facet, "uco-observable:partitionLength", p->length * s->r->table.sector_size);
    case_relate(s->g, o, "Contained_Within", s->image);
    return o;
}

static void
add_disk(struct story *s)
{
    for (size_t i = 0; i < s->r->n_volumes; i++) {
        const struct volume *v = &s->r->volumes[i];

        add_volume(s, v, v->partition ? add_partition(s, v->partition) : s->image);
    }
    for (size_t i = 0; i < s->r->n_findings; i++) {
        const struct finding *x = &s->r->findings[i];
        AUTO_FREE char *key = xasprintf("finding %zu", i);
        json_t *v = case_object(s->g, "uco-core:Annotation", key);

        case_text(v, "uco-core:name", x->code);
        case_text(v, "uco-core:description", x->subject);
        case_text(v, "uco-core:statement", x->text);
        case_link(v, "uco-core:object", s->image);
    }
}

static void
add_custody(struct story *s)
{
    size_t n = json_array_size(s->r->custody);

    for (size_t i = 0; i < n; i++) {
        struct custody_event e;
        AUTO_FREE char *key = xasprintf("custody %zu", i);
        AUTO_FREE char *line = json_to_line(json_array_get(s->r->custody, i));
        json_t *v = case_object(s->g, "case-investigation:InvestigativeAction", key);

        custody_event_of(json_array_get(s->r->custody, i), &e);
        case_text(v, "uco-core:name",
                  json_is_string(e.action) ? json_string_value(e.action) : "custody");
        case_text(v, "uco-core:description", line);
        case_time(v, "uco-action:startTime", json_string_value(e.when));
        case_link(v, "uco-action:object", s->image);
    }
}

/* What tells this image from others: the record where there is one, else name, size and hashes. */
static char *
seed_of(const struct report *r)
{
    AUTO_FREE char *facts = json_dumps(r->facts, JSON_COMPACT | JSON_SORT_KEYS);

    return xasprintf("%s\n%" PRIu64 "\n%s", r->name, r->media_size, facts ? facts : "");
}

char *
write_case(const struct report *r, const struct paper *p, size_t *n, struct err *err)
{
    AUTO_FREE char *seed = seed_of(r);
    struct story s = {.r = r, .g = case_graph_new(seed)};
    json_t *document;
    char *text;

    (void)p;
    (void)err;
    add_source(&s);
    add_image(&s);
    add_people_and_tools(&s);
    add_acquisition(&s);
    add_verification(&s);
    add_provenance(&s);
    add_disk(&s);
    add_custody(&s);
    document = case_graph_finish(s.g, r->name, r->created);
    text = json_to_text(document);
    json_decref(document);
    *n = strlen(text);
    return text;
}
