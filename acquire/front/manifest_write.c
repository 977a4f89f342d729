#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "acquire/front/papers.h"
#include "acquire/front/protection.h"
#include "acquire/front/source_facts.h"
#include "acquire/supervisor/record.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/outfile.h"
#include "common/text.h"

static void
set(json_t *object, const char *key, json_t *v)
{
    (void)json_object_set_new(object, key, v);
}

static void
set_time(json_t *object, const char *key, int64_t epoch)
{
    char text[CLOCK_TEXT_MAX];

    json_set_text(object, key, clock_text(epoch, text));
}

static void
set_or_null(json_t *object, const char *key, const char *s)
{
    json_set_text(object, key, s && *s ? s : NULL);
}

static json_t *
case_json(const struct acquisition *a)
{
    const struct acquire_options *o = &a->options;
    json_t *v = json_object();
    json_t *user = json_object();
    json_t *meta = json_object();

    json_set_text(v, "case_number", o->case_number);
    json_set_text(v, "evidence_number", o->evidence_number);
    json_set_text(v, "description", o->description);
    json_set_text(v, "examiner", o->examiner);
    json_set_text(v, "notes", o->notes);
    json_set_u64(user, "uid", a->requester.uid);
    json_set_text(user, "name", a->requester.name);
    if (a->requester.login_uid >= 0)
        json_set_u64(user, "login_uid", (uint64_t)a->requester.login_uid);
    set(v, "user", user);
    for (size_t i = 0; i < o->n_meta; i++) {
        const char *equals = strchr(o->meta[i], '=');
        AUTO_FREE char *key = xstrndup(o->meta[i], (size_t)(equals - o->meta[i]));
        AUTO_FREE char *safe = text_printable(key);

        json_set_text(meta, safe, equals + 1);
    }
    set(v, "meta", meta);
    return v;
}

static void
add_device(json_t *v, const struct device *d)
{
    json_set_u64(v, "physical_sector_size", d->physical_sector_size);
    set_or_null(v, "vendor", d->vendor);
    set_or_null(v, "model", d->model);
    set_or_null(v, "serial", d->serial);
    set_or_null(v, "wwn", d->wwn);
    set_or_null(v, "firmware", d->firmware);
    set_or_null(v, "bus", d->bus);
    json_set_text(v, "kernel_name", d->name);
    json_set_textf(v, "device_number", "%u:%u", major(d->number), minor(d->number));
    json_set_u64(v, "diskseq", d->diskseq);
    json_set_bool(v, "removable", d->removable);
    json_set_bool(v, "rotational", d->rotational);
    set_or_null(v, "backing_file", d->backing_file);
}

static json_t *
source_json(const struct acquisition *a)
{
    static const char *const unknown[] = {"vendor", "model", "serial", "wwn", "firmware", "bus"};
    json_t *v = json_object();

    json_set_text(v, "path", a->options.source);
    json_set_text(v, "kind", a->device ? "device" : "file");
    json_set_u64(v, "size", a->source_size);
    json_set_u64(v, "offset", a->offset);
    json_set_u64(v, "sectors", a->source_size / a->sector_size);
    json_set_u64(v, "logical_sector_size", a->sector_size);
    if (a->device) {
        add_device(v, a->device);
    } else {
        json_set_u64(v, "physical_sector_size", a->sector_size);
        for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
            json_set_text(v, unknown[i], NULL);
        set_time(v, "modified", a->file_stat.st_mtim.tv_sec);
        json_set_bool(v, "changed_during_acquisition", a->source_changed);
    }
    source_facts_add(v, a);
    return v;
}

static json_t *
host_json(const struct acquisition *a)
{
    json_t *v = json_object();
    struct utsname u;

    if (uname(&u) == 0) {
        json_set_text(v, "name", u.nodename);
        json_set_textf(v, "kernel", "%s %s", u.sysname, u.release);
        json_set_text(v, "machine", u.machine);
    }
    json_set_text(v, "sleep", a->inhibit_state);
    return v;
}

static json_t *
clock_json(void)
{
    struct timex t = {0};
    int state = adjtimex(&t);
    json_t *v = json_object();

    json_set_text(v, "source", "CLOCK_REALTIME");
    json_set_bool(v, "synchronized", state >= 0 && state != TIME_ERROR);
    if (state >= 0)
        json_set_u64(v, "max_error_us", (uint64_t)t.maxerror);
    return v;
}

static json_t *
sandbox_json(const struct acquisition *a)
{
    const struct result *r = &a->result;
    json_t *v = json_object();

    json_set_bool(v, "no_new_privs", r->no_new_privs);
    json_set_bool(v, "seccomp", r->seccomp);
    json_set_u64(v, "landlock_abi", r->landlock_abi);
    json_set_u64(v, "uid", r->uid);
    set_or_null(v, "missing", r->sandbox_missing);
    return v;
}

static json_t *
pauses_json(const struct watch *w)
{
    json_t *array = json_array();

    for (size_t i = 0; i < w->n_pauses && i < WATCH_PAUSES_MAX; i++) {
        const struct watch_pause *p = &w->pauses[i];
        json_t *v = json_object();

        set_time(v, "paused", p->paused);
        if (p->continued)
            set_time(v, "continued", p->continued);
        else
            set(v, "continued", json_null());
        json_set_u64(v, "at", p->at);
        json_set_text(v, "reason", p->by_heat ? "temperature" : "signal");
        (void)json_array_append_new(array, v);
    }
    return array;
}

/* Thousandths of a degree, as the kernel counts. */
static json_t *
temperature_json(const struct watch *w)
{
    json_t *v;

    if (!w->measured)
        return json_null();
    v = json_object();
    set(v, "begin", json_real(w->first / 1000.0));
    set(v, "end", json_real(w->last / 1000.0));
    set(v, "highest", json_real(w->highest / 1000.0));
    set(v, "limit", w->limit > 0 ? json_real(w->limit / 1000.0) : json_null());
    return v;
}

static json_t *
timeouts_json(const struct acquisition *a)
{
    json_t *v = json_object();

    json_set_u64(v, "read_s", a->options.read_timeout);
    if (a->timeouts.known) {
        json_set_u64(v, "scsi_command_s", a->timeouts.command);
        json_set_u64(v, "scsi_handler_s", a->timeouts.handler);
    } else {
        set(v, "scsi_command_s", json_null());
        set(v, "scsi_handler_s", json_null());
    }
    set(v, "scsi_set_s",
        a->options.scsi_timeout ? json_integer(a->options.scsi_timeout) : json_null());
    return v;
}

/* null in stream mode. */
static json_t *
rescue_json(const struct acquisition *a)
{
    json_t *v;
    json_t *from;

    if (!a->options.rescue)
        return json_null();
    v = json_object();
    set(v, "passes", a->history.passes ? json_deep_copy(a->history.passes) : json_array());
    if (!a->options.rescue_map) {
        set(v, "taken_over", json_null());
        return v;
    }
    from = json_object();
    json_set_text(from, "image", a->options.rescue_image);
    json_set_text(from, "map", a->options.rescue_map);
    json_set_u64(from, "bytes", a->result.rescue.found);
    json_set_u64(from, "samples", a->result.rescue.samples);
    json_set_u64(from, "samples_unreadable", a->result.rescue.samples_lost);
    set(v, "taken_over", from);
    return v;
}

static json_t *
acquisition_json(const struct acquisition *a)
{
    AUTO_FREE char *command = papers_command_line(a);
    json_t *v = json_object();
    json_t *tool = json_object();

    set_time(v, "started", a->started);
    set_time(v, "finished", a->finished);
    json_set_text(v, "mode", a->options.rescue ? "rescue" : "stream");
    json_set_text(v, "command_line", command);
    set(v, "resumed", a->history.resumed ? json_deep_copy(a->history.resumed) : json_array());
    json_set_u64(v, "passes", a->options.rescue ? json_array_size(a->history.passes) : 1);
    set(v, "rescue", rescue_json(a));
    json_set_bool(v, "rescue_advised", a->watch.advised);
    json_set_u64(v, "retries", a->options.retries);
    json_set_bool(v, "direct_io", a->result.direct);
    set(v, "rate", rate_json(&a->rate));
    set(v, "pauses", pauses_json(&a->watch));
    set(v, "temperature", temperature_json(&a->watch));
    set(v, "timeouts", timeouts_json(a));
    json_set_text(tool, "name", "Exhibit");
    json_set_text(tool, "version", EXHIBIT_VERSION);
    set(tool, "libraries", a->result.libraries ? json_incref(a->result.libraries) : json_object());
    set(v, "tool", tool);
    set(v, "host", host_json(a));
    set(v, "clock", clock_json());
    set(v, "sandbox", sandbox_json(a));
    set_or_null(v, "supervisor_record", a->record);
    return v;
}

/* The medium that the image lies on: evidence of its own, for an exhibit drive. */
static json_t *
destination_json(const struct destination *d)
{
    AUTO_FREE struct device *on = xcalloc(1, sizeof *on);
    struct err ignored = ERR_INIT;
    json_t *v = json_object();
    struct statfs fs;
    struct stat st;

    json_set_text(v, "path", d->path);
    if (fstatfs(d->dir, &fs) == 0)
        json_set_textf(v, "filesystem_magic", "0x%lx", (unsigned long)fs.f_type);
    if (fstat(d->dir, &st) == 0 && device_read(st.st_dev, on, &ignored) == 0) {
        json_set_text(v, "device", on->name);
        set_or_null(v, "vendor", on->vendor);
        set_or_null(v, "model", on->model);
        set_or_null(v, "serial", on->serial);
    }
    return v;
}

static json_t *
segments_json(const struct acquisition *a, const struct sink_result *s)
{
    json_t *array = json_array();

    for (size_t i = 0; i < s->n_segments; i++) {
        const struct manifest_segment *seg = &s->segments[i];
        json_t *v = json_object();

        json_set_text(v, "file", seg->file);
        if (seg->directory && a->publishing)
            json_set_text(v, "directory", seg->directory);
        else if (seg->directory) /* where it lies until then */
            json_set_textf(v, "directory", "%s/%s.partial", seg->directory, s->name);
        json_set_u64(v, "size", seg->size);
        json_set_text(v, "md5", seg->md5);
        json_set_text(v, "sha256", seg->sha256);
        json_set_u64(v, "media_offset", seg->media_offset);
        json_set_u64(v, "media_length", seg->media_length);
        (void)json_array_append_new(array, v);
    }
    return array;
}

/* The other destinations of the same pass, and how they fared. */
static json_t *
copies_json(const struct acquisition *a, size_t self)
{
    json_t *array = json_array();

    for (size_t i = 0; i < a->n_dest; i++) {
        json_t *v;

        if (i == self)
            continue;
        v = json_object();
        json_set_text(v, "path", a->dest[i].path);
        json_set_text(v, "status", a->result.sinks[i].failed ? "failed" : "written");
        if (a->result.sinks[i].failed)
            json_set_text(v, "error", a->result.sinks[i].error);
        (void)json_array_append_new(array, v);
    }
    return array;
}

static json_t *
image_json(const struct acquisition *a, size_t i)
{
    json_t *v = json_object();

    json_set_text(v, "format", a->options.e01 ? "e01" : "raw");
    json_set_u64(v, "media_size", a->length);
    json_set_u64(v, "bytes_per_sector", a->sector_size);
    if (a->options.e01)
        json_set_u64(v, "sectors_per_chunk", a->plan.sectors_per_chunk);
    else
        set(v, "sectors_per_chunk", json_null());
    json_set_text(v, "compression",
                  a->options.compression_name ? a->options.compression_name
                  : a->options.e01            ? "fast"
                                              : "none");
    json_set_u64(v, "segment_size", a->plan.segment_size);
    set(v, "destination", destination_json(&a->dest[i]));
    set(v, "copies", copies_json(a, i));
    set(v, "segments", segments_json(a, &a->result.sinks[i]));
    return v;
}

static json_t *
media_json(const struct acquisition *a)
{
    json_t *v = json_object();
    json_t *pieces = json_array();

    set(v, "hashes", manifest_hashes_json(&a->result.hashes));
    for (size_t i = 0; i < a->result.n_pieces; i++) {
        const struct manifest_piece *p = &a->result.pieces[i];
        json_t *piece = manifest_hashes_json(&p->hashes);

        json_set_u64(piece, "offset", p->offset);
        json_set_u64(piece, "length", p->length);
        (void)json_array_append_new(pieces, piece);
    }
    set(v, "piecewise", pieces);
    return v;
}

static json_t *
unreadable_json(const struct acquisition *a)
{
    json_t *v = json_object();

    json_set_u64(v, "sectors", acquisition_unreadable_sectors(a));
    set(v, "ranges", json_from_ranges(&a->result.unreadable));
    json_set_text(v, "fill", "zero");
    return v;
}

/* The checks that ran. They ran in DEST.partial, which will be gone: files are named without it. */
static json_t *
checks_json(const json_t *checks)
{
    json_t *array = json_array();
    const json_t *check;
    size_t i;

    json_array_foreach(checks, i, check)
    {
        const char *target = json_text_or_null(check, "target");
        const char *slash = target ? strrchr(target, '/') : NULL;
        const char *status = json_text_or_null(check, "status");
        json_t *v;

        if (status && strcmp(status, "not-run") == 0)
            continue;
        v = json_copy((json_t *)(uintptr_t)check); /* json_copy only reads it */
        if (slash)
            json_set_text(v, "target", slash + 1);
        (void)json_array_append_new(array, v);
    }
    return array;
}

static json_t *
verification_json(const struct acquisition *a, size_t i)
{
    const json_t *document = a->verification[i];
    const char *verdict = json_text_or_null(document, "verdict");
    json_t *v = json_object();

    if (!document) {
        json_set_text(v, "status", "not-run");
        set(v, "finished", json_null());
        if (a->verification_error[i])
            json_set_text(v, "error", a->verification_error[i]);
        return v;
    }
    json_set_text(v, "status", verdict && strcmp(verdict, "passed") == 0 ? "passed" : "failed");
    set_time(v, "finished", clock_now());
    json_set_text(v, "verdict", verdict);
    set(v, "read_from", json_incref(json_object_get(document, "read_from")));
    set(v, "checks", checks_json(json_object_get(document, "checks")));
    return v;
}

json_t *
papers_manifest(const struct acquisition *a, size_t i)
{
    json_t *root = json_object();

    json_set_text(root, "schema", MANIFEST_SCHEMA);
    set(root, "case", case_json(a));
    set(root, "source", source_json(a));
    set(root, "write_block", protection_json(a));
    set(root, "acquisition", acquisition_json(a));
    set(root, "image", image_json(a, i));
    set(root, "media", media_json(a));
    set(root, "unreadable", unreadable_json(a));
    set(root, "verification", verification_json(a, i));
    return root;
}

int
papers_write_manifest(const struct acquisition *a, size_t i, char *sha256, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s%s", a->dest[i].name, MANIFEST_SUFFIX);
    json_t *root = papers_manifest(a, i);
    AUTO_FREE char *text = json_to_text(root);
    struct digest *d = digest_new("sha256", err);

    json_decref(root);
    if (!d)
        return -1;
    digest_update(d, text, strlen(text));
    digest_final_hex(d, sha256);
    digest_free(d);
    return outfile_write(a->dest[i].dir, name, text, strlen(text), true, err);
}
