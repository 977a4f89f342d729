/*
 * NAME.dfxml: Digital Forensics XML 2.0.0-beta.0. The schema fixes the order of elements, and has
 * none for an acquisition or for slack: those stand in a namespace of our own, where the schema
 * lets other ones in.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "report/fields.h"
#include "report/writer.h"
#include "report/xml.h"

#define DFXML_NAMESPACE "http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML"
#define DC_NAMESPACE "http://purl.org/dc/elements/1.1/"
#define OWN_NAMESPACE "urn:exhibit:report:1"

static const char *
text_of(const struct report *r, const char *section, const char *key)
{
    const char *s = json_text_or_null(json_object_get(r->facts, section), key);

    return s && *s ? s : NULL;
}

/* --- metadata: the case and the acquisition --- */

static void
fact(FILE *f, unsigned depth, const char *key, const json_t *v)
{
    const char *name;
    json_t *item;

    if (fields_is_missing(v))
        return;
    xml_indent(f, depth);
    (void)fputs("<exhibit:fact name=\"", f);
    xml_text(f, key);
    (void)fputs("\">", f);
    if (json_is_object(v) && depth < 8) {
        (void)fputc('\n', f);
        json_object_foreach((json_t *)v, name, item) fact(f, depth + 1, name, item);
        xml_indent(f, depth);
    } else if (json_is_string(v)) {
        xml_text(f, json_string_value(v));
    } else {
        AUTO_FREE char *line = json_to_line(v);

        xml_text(f, line);
    }
    (void)fputs("</exhibit:fact>\n", f);
}

static void
metadata(FILE *f, const struct report *r)
{
    static const char *const sections[] = {"case", "source", "write_block", "acquisition",
                                           "verification"};
    const char *exhibit = text_of(r, "case", "evidence_number");

    (void)fputs("  <metadata>\n    <dc:type>Disk Image</dc:type>\n", f);
    xml_element(f, 2, "dc:title", text_of(r, "case", "description"));
    xml_element(f, 2, "dc:identifier", exhibit ? exhibit : r->name);
    xml_element(f, 2, "dc:creator", text_of(r, "case", "examiner"));
    xml_element(f, 2, "dc:date", r->created);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        const json_t *v = json_object_get(r->facts, sections[i]);

        if (json_is_object(v))
            fact(f, 2, sections[i], v);
    }
    for (size_t i = 0; i < json_array_size(r->deviations); i++)
        xml_element(f, 2, "exhibit:deviation",
                    json_text_or_null(json_array_get(r->deviations, i), "text"));
    (void)fputs("  </metadata>\n", f);
}

static void
creator(FILE *f, const struct report *r)
{
    const json_t *acquisition = json_object_get(r->facts, "acquisition");
    const json_t *libraries = json_object_get(json_object_get(acquisition, "tool"), "libraries");
    struct utsname host;
    const char *name;
    json_t *version;

    (void)fputs("  <creator>\n", f);
    xml_element(f, 2, "program", "exhibit-report");
    xml_element(f, 2, "version", EXHIBIT_VERSION);
    (void)fputs("    <execution_environment>\n", f);
    if (uname(&host) == 0) {
        xml_element(f, 3, "os_sysname", host.sysname);
        xml_element(f, 3, "os_release", host.release);
        xml_element(f, 3, "os_version", host.version);
        xml_element(f, 3, "host", host.nodename);
        xml_element(f, 3, "arch", host.machine);
    }
    xml_element(f, 3, "start_time", r->created);
    (void)fputs("    </execution_environment>\n", f);
    json_object_foreach((json_t *)libraries, name, version)
    {
        (void)fputs("    <library name=\"", f);
        xml_text(f, name);
        (void)fputs("\" version=\"", f);
        xml_text(f, json_is_string(version) ? json_string_value(version) : "");
        (void)fputs("\"/>\n", f);
    }
    (void)fputs("  </creator>\n", f);
}

static void
source(FILE *f, const struct report *r)
{
    const json_t *segments = json_object_get(json_object_get(r->facts, "image"), "segments");
    size_t n = json_array_size(segments);

    (void)fputs("  <source>\n", f);
    for (size_t i = 0; i < n; i++) {
        AUTO_FREE char *file = json_get_bytes(json_array_get(segments, i), "file");

        xml_element(f, 2, "image_filename", file);
    }
    (void)fputs("  </source>\n", f);
}

/* --- the image --- */

static const char *
digest_type(const char *name)
{
    static const char *const known[] = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], name) == 0)
            return name;
    }
    return "other";
}

static void
digests(FILE *f, unsigned depth, const json_t *hashes)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)hashes, name, v)
    {
        if (!json_is_string(v))
            continue;
        xml_indent(f, depth);
        (void)fprintf(f, "<hashdigest type=\"%s\">", digest_type(name));
        xml_text(f, json_string_value(v));
        (void)fputs("</hashdigest>\n", f);
    }
}

/* The media as a whole with its hashes, then what of it the source did not return. */
static void
image_runs(FILE *f, const struct report *r)
{
    const json_t *hashes = json_object_get(json_object_get(r->facts, "media"), "hashes");

    (void)fprintf(f,
                  "    <byte_runs>\n      <byte_run img_offset=\"0\" len=\"%" PRIu64
                  "\" type=\"media\">\n",
                  r->media_size);
    digests(f, 4, hashes);
    (void)fputs("      </byte_run>\n", f);
    for (size_t i = 0; i < r->unreadable.n; i++)
        (void)fprintf(f,
                      "      <byte_run img_offset=\"%" PRIu64 "\" len=\"%" PRIu64
                      "\" fill=\"0\" type=\"unreadable\"/>\n",
                      r->unreadable.v[i].offset, r->unreadable.v[i].length);
    (void)fputs("    </byte_runs>\n", f);
}

static void
run(FILE *f, unsigned depth, uint64_t offset, uint64_t length)
{
    xml_indent(f, depth);
    (void)fprintf(
        f, "<byte_runs><byte_run img_offset=\"%" PRIu64 "\" len=\"%" PRIu64 "\"/></byte_runs>\n",
        offset, length);
}

static void
tally(FILE *f, unsigned depth, const char *kind, const char *state, const struct tally *t)
{
    if (t->areas == 0 && t->bytes == 0)
        return;
    xml_indent(f, depth);
    (void)fprintf(f,
                  "<exhibit:slack kind=\"%s\" state=\"%s\" bytes=\"%" PRIu64
                  "\" examined=\"%" PRIu64 "\" nonzero=\"%" PRIu64 "\"/>\n",
                  kind, state, t->bytes, tally_examined(t), tally_nonzero(t));
}

static void
slack(FILE *f, unsigned depth, const struct volume *v)
{
    if (v->has_volume_slack)
        tally(f, depth, "volume", "", &v->volume_slack);
    for (size_t i = 0; v->has_slack && i < FILE_STATES; i++) {
        for (size_t k = SLACK_SECTOR; k <= SLACK_MFT; k++)
            tally(f, depth, slack_kind_names[k], file_state_names[i], &v->slack.of[i].kinds[k]);
    }
}

static void
positive(FILE *f, unsigned depth, const char *name, uint64_t n)
{
    if (n > 0)
        xml_number(f, depth, name, n);
}

static void
volume(FILE *f, unsigned depth, const struct report *r, const struct volume *v)
{
    const struct file_system *fs = v->fs;

    xml_indent(f, depth);
    (void)fprintf(f, "<volume offset=\"%" PRIu64 "\">\n", v->start);
    run(f, depth + 1, v->start, v->present);
    xml_number(f, depth + 1, "partition_offset", v->start);
    positive(f, depth + 1, "sector_size", r->sector_size);
    if (fs) {
        positive(f, depth + 1, "block_size", fs->block_size);
        xml_element(f, depth + 1, "ftype_str", fs->type);
        xml_number(f, depth + 1, "block_count", fs->block_count);
        xml_number(f, depth + 1, "first_block", fs->first_block * fs->block_size);
        positive(f, depth + 1, "last_block", fs->last_block * fs->block_size);
    } else {
        xml_element(f, depth + 1, "ftype_str", v->content);
    }
    if (!v->complete)
        xml_element(f, depth + 1, "error", "it could not be read to its end");
    if (fs) {
        xml_element(f, depth + 1, "exhibit:label", fs->label);
        xml_element(f, depth + 1, "exhibit:identifier", fs->id);
    }
    slack(f, depth + 1, v);
    xml_indent(f, depth);
    (void)fputs("</volume>\n", f);
}

static const struct volume *
volume_of(const struct report *r, const struct partition *p)
{
    for (size_t i = 0; i < r->n_volumes; i++) {
        if (r->volumes[i].partition == p)
            return &r->volumes[i];
    }
    return NULL;
}

static void
partition(FILE *f, const struct report *r, const struct partition *p)
{
    const struct volume *v = volume_of(r, p);

    (void)fputs("      <partitionobject>\n", f);
    xml_element(f, 4, "exhibit:guid", p->guid);
    xml_element(f, 4, "exhibit:type_guid", p->type_guid);
    xml_element(f, 4, "exhibit:name", p->label);
    xml_element(f, 4, "exhibit:flags", p->flags);
    run(f, 4, p->start * r->table.sector_size, p->length * r->table.sector_size);
    xml_number(f, 4, "partition_index", p->index);
    xml_element(f, 4, "ptype_str", p->type_name ? p->type_name : p->description);
    if (v)
        volume(f, 4, r, v);
    (void)fputs("      </partitionobject>\n", f);
}

static void
partition_system(FILE *f, const struct report *r)
{
    (void)fputs("    <partitionsystemobject>\n", f);
    xml_element(f, 3, "pstype_str", r->table.type);
    for (size_t i = 0; i < r->table.n_parts; i++) {
        if (r->table.parts[i].state == PART_ALLOCATED)
            partition(f, r, &r->table.parts[i]);
    }
    (void)fputs("    </partitionsystemobject>\n", f);
}

/* All findings as one text: the schema has room for a single error. */
static void
findings(FILE *f, const struct report *r)
{
    if (r->n_findings == 0)
        return;
    (void)fputs("    <error>", f);
    for (size_t i = 0; i < r->n_findings; i++) {
        const struct finding *x = &r->findings[i];

        (void)fputs(i > 0 ? "\n" : "", f);
        xml_text(f, x->subject ? x->subject : "image");
        (void)fputs(": ", f);
        xml_text(f, x->text);
    }
    (void)fputs("</error>\n", f);
}

char *
write_dfxml(const struct report *r, const struct paper *p, size_t *n, struct err *err)
{
    char *text;
    FILE *f = writer_open(&text, n);

    (void)p;
    if (!f)
        return writer_close(f, &text, err);
    (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<dfxml xmlns=\"" DFXML_NAMESPACE
                "\"\n    xmlns:dc=\"" DC_NAMESPACE "\"\n    xmlns:exhibit=\"" OWN_NAMESPACE
                "\"\n    version=\"2.0.0-beta.0\">\n",
                f);
    metadata(f, r);
    creator(f, r);
    source(f, r);
    (void)fputs("  <diskimageobject>\n", f);
    image_runs(f, r);
    positive(f, 2, "sector_size", r->sector_size);
    if (r->table.found)
        partition_system(f, r);
    for (size_t i = 0; i < r->n_volumes; i++) {
        if (!r->volumes[i].partition)
            volume(f, 2, r, &r->volumes[i]);
    }
    findings(f, r);
    (void)fputs("  </diskimageobject>\n</dfxml>\n", f);
    return writer_close(f, &text, err);
}
