/*
 * The manifest of a salvaged image: that of a raw image like any other (docs/manifest.md), taken
 * from a file, with a section "salvage" that says from which image and what it had lost.
 */
#include <sys/utsname.h>
#include <unistd.h>

#include "common/json.h"
#include "common/manifest.h"
#include "common/text.h"
#include "verify/salvage.h"

static const char *
header_value(const struct image_info *info, const char *name)
{
    for (size_t i = 0; i < info->n_headers; i++) {
        if (strcmp(info->headers[i].name, name) == 0)
            return info->headers[i].value;
    }
    return NULL;
}

/* As the examiner of the salvaged image stated it; or as the E01 carries it. */
static json_t *
case_json(const struct salvage_facts *f, const struct salvage_origin *origin)
{
    static const char *const fields[][2] = {
        {"case_number", "case_number"},
        {"evidence_number", "evidence_number"},
        {"description", "description"},
        {"examiner", "examiner_name"},
        {"notes", "notes"},
    };
    const struct manifest *m = origin->location->manifest;
    json_t *old = m ? json_object_get(m->root, "case") : NULL;
    json_t *o = json_is_object(old) ? json_deep_copy(old) : json_object();
    json_t *user = json_object();

    for (size_t i = 0; !json_is_object(old) && i < sizeof fields / sizeof fields[0]; i++)
        json_set_text(o, fields[i][0], header_value(f->info, fields[i][1]));
    json_set_u64(user, "uid", (uint64_t)getuid());
    json_set_text(user, "name", NULL); /* the sandbox hides who has that number */
    (void)json_object_set_new(o, "user", user);
    if (!json_is_object(json_object_get(o, "meta")))
        (void)json_object_set_new(o, "meta", json_object());
    return o;
}

/* The fields that every manifest has; of a salvaged image nobody can say more. */
static void
set_unknown(json_t *o, const char *const *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        json_set_text(o, fields[i], NULL);
}

static json_t *
source_json(const struct salvage_facts *f, const struct salvage_origin *origin)
{
    static const char *const unknown[] = {"vendor", "model", "serial", "wwn", "firmware", "bus"};
    json_t *o = json_object();
    json_t *hidden = json_object();

    json_set_text(o, "path", origin->operand);
    json_set_text(o, "kind", "file");
    json_set_u64(o, "size", f->info->media_size);
    json_set_u64(o, "offset", 0);
    json_set_u64(o, "sectors", f->info->media_size / f->info->bytes_per_sector);
    json_set_u64(o, "logical_sector_size", f->info->bytes_per_sector);
    json_set_u64(o, "physical_sector_size", f->info->bytes_per_sector);
    set_unknown(o, unknown, sizeof unknown / sizeof unknown[0]);
    json_set_text(hidden, "hpa", NULL);
    json_set_text(hidden, "dco", NULL);
    (void)json_object_set_new(o, "hidden", hidden);
    json_set_text(o, "smart", NULL);
    return o;
}

static json_t *
write_block_json(void)
{
    static const char *const counts[] = {"reads",    "writes",      "flushes",
                                         "discards", "passthrough", "refused"};

    json_t *o = json_object();
    json_t *flag = json_object();
    json_t *monitor = json_object();

    json_set_text(o, "level", "none");
    json_set_text(flag, "before", NULL);
    json_set_text(flag, "during", NULL);
    json_set_text(flag, "after", NULL);
    (void)json_object_set_new(o, "read_only_flag", flag);
    json_set_bool(monitor, "available", false);
    set_unknown(monitor, counts, sizeof counts / sizeof counts[0]);
    (void)json_object_set_new(o, "monitor", monitor);
    return o;
}

static json_t *
host_json(void)
{
    json_t *o = json_object();
    struct utsname u = {0};

    (void)uname(&u);
    json_set_text(o, "name", u.nodename);
    json_set_textf(o, "kernel", "%s %s", u.sysname, u.release);
    json_set_text(o, "machine", u.machine);
    return o;
}

static json_t *
acquisition_json(const struct salvage_facts *f, const struct salvage_origin *origin)
{
    json_t *o = json_object();
    json_t *tool = json_object();
    json_t *libraries = json_object();
    json_t *sandbox = json_object();

    json_set_text(o, "started", f->started);
    json_set_text(o, "finished", f->finished);
    json_set_text(o, "mode", "stream");
    json_set_text(o, "command_line", origin->command_line);
    (void)json_object_set_new(o, "resumed", json_array());
    json_set_u64(o, "passes", 1);
    json_set_u64(o, "retries", 0);
    json_set_bool(o, "direct_io", false);
    json_set_text(tool, "name", "Exhibit");
    json_set_text(tool, "version", EXHIBIT_VERSION);
    json_set_text(libraries, "openssl", digest_library());
    (void)json_object_set_new(tool, "libraries", libraries);
    (void)json_object_set_new(o, "tool", tool);
    (void)json_object_set_new(o, "host", host_json());
    json_set_bool(sandbox, "no_new_privs", origin->sandbox->no_new_privs);
    json_set_bool(sandbox, "seccomp", origin->sandbox->seccomp);
    json_set_u64(sandbox, "landlock_abi", (uint64_t)origin->sandbox->landlock_abi);
    json_set_u64(sandbox, "uid", (uint64_t)geteuid());
    json_set_text(sandbox, "missing", *origin->sandbox->missing ? origin->sandbox->missing : NULL);
    (void)json_object_set_new(o, "sandbox", sandbox);
    (void)json_object_set_new(o, "clock", json_object());
    json_set_text(o, "supervisor_record", NULL);
    return o;
}

static json_t *
image_json(const struct salvage_facts *f)
{
    static const char *const facts[] = {"device", "serial"};
    json_t *destination = json_object();
    json_t *o = json_object();
    json_t *segments = json_array();
    json_t *s = json_object();

    json_set_text(o, "format", "raw");
    json_set_u64(o, "media_size", f->info->media_size);
    json_set_u64(o, "bytes_per_sector", f->info->bytes_per_sector);
    json_set_text(o, "sectors_per_chunk", NULL);
    json_set_text(o, "compression", "none");
    set_unknown(destination, facts, sizeof facts / sizeof facts[0]);
    (void)json_object_set_new(o, "destination", destination);
    json_set_textf(s, "file", "%s.raw", f->name);
    json_set_u64(s, "size", f->info->media_size);
    json_set_text(s, "md5", f->md5);
    json_set_text(s, "sha256", f->sha256);
    json_set_u64(s, "media_offset", 0);
    json_set_u64(s, "media_length", f->info->media_size);
    (void)json_array_append_new(segments, s);
    (void)json_object_set_new(o, "segments", segments);
    return o;
}

static json_t *
bad_json(const struct ranges *set, uint32_t sector)
{
    json_t *o = json_object();

    json_set_u64(o, "sectors", (ranges_total(set) + sector - 1) / sector);
    (void)json_object_set_new(o, "ranges", json_from_ranges(set));
    return o;
}

static json_t *
segments_json(const struct image_info *info)
{
    json_t *array = json_array();

    for (size_t i = 0; i < info->n_segments; i++) {
        const struct image_segment *s = &info->segments[i];
        json_t *o = json_object();

        json_set_text(o, "file", s->path);
        json_set_bool(o, "present", s->present);
        json_set_u64(o, "size", s->size);
        (void)json_array_append_new(array, o);
    }
    return array;
}

static json_t *
salvage_json(const struct salvage_facts *f, const struct salvage_origin *origin)
{
    const struct manifest *m = origin->location->manifest;
    json_t *o = json_object();

    json_set_text(o, "image", origin->operand);
    json_set_text(o, "format", f->info->format == IMAGE_E01 ? "e01" : "raw");
    json_set_text(o, "verdict", origin->verdict);
    json_set_text(o, "manifest", origin->location->manifest_path);
    json_set_text(o, "manifest_sha256", *origin->manifest_sha256 ? origin->manifest_sha256 : NULL);
    (void)json_object_set_new(o, "segments", segments_json(f->info));
    (void)json_object_set_new(o, "media_hashes",
                              m ? manifest_hashes_json(&m->media_hashes)
                                : manifest_hashes_json(&f->info->stored));
    (void)json_object_set(o, "source", m ? json_object_get(m->root, "source") : json_null());
    (void)json_object_set_new(o, "lost", bad_json(f->lost, f->info->bytes_per_sector));
    (void)json_object_set_new(o, "unreadable_at_acquisition",
                              bad_json(f->unreadable, f->info->bytes_per_sector));
    return o;
}

json_t *
salvage_manifest(const struct salvage_facts *f, const struct salvage_origin *origin)
{
    json_t *root = json_object();
    json_t *media = json_object();
    json_t *hashes = json_object();
    json_t *unreadable = bad_json(f->bad, f->info->bytes_per_sector);
    json_t *verification = json_object();

    json_set_text(root, "schema", MANIFEST_SCHEMA);
    (void)json_object_set_new(root, "case", case_json(f, origin));
    (void)json_object_set_new(root, "source", source_json(f, origin));
    (void)json_object_set_new(root, "write_block", write_block_json());
    (void)json_object_set_new(root, "acquisition", acquisition_json(f, origin));
    (void)json_object_set_new(root, "salvage", salvage_json(f, origin));
    (void)json_object_set_new(root, "image", image_json(f));
    json_set_text(hashes, "md5", f->md5);
    json_set_text(hashes, "sha256", f->sha256);
    (void)json_object_set_new(media, "hashes", hashes);
    (void)json_object_set_new(media, "piecewise", json_array());
    (void)json_object_set_new(root, "media", media);
    json_set_text(unreadable, "fill", "zero");
    (void)json_object_set_new(root, "unreadable", unreadable);
    json_set_text(verification, "status", "passed");
    json_set_text(verification, "finished", f->finished);
    json_set_text(verification, "read_from", "medium");
    (void)json_object_set_new(root, "verification", verification);
    return root;
}
