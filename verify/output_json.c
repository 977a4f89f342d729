#include <unistd.h>

#include "common/json.h"
#include "verify/output.h"

static const char *const chunk_state_names[] = {
    [CHUNK_OK] = "ok",           [CHUNK_MISSING] = "missing",
    [CHUNK_CORRUPT] = "corrupt", [CHUNK_MISMATCH] = "checksum-mismatch",
    [CHUNK_IO] = "unreadable",
};

/* The damaged chunks one by one, as far as they are listed. */
static json_t *
damage_json(const struct job *job)
{
    json_t *array = json_array();

    for (size_t i = 0; i < job->scan.n_damage; i++) {
        const struct damage *d = &job->scan.damage[i];
        json_t *o = json_object();

        json_set_u64(o, "offset", d->media.offset);
        json_set_u64(o, "length", d->media.length);
        json_set_u64(o, "chunk", d->media.offset / image_info(job->image)->chunk_size);
        json_set_text(o, "state", chunk_state_names[d->state]);
        json_set_text(o, "segment", image_info(job->image)->segments[d->segment].path);
        if (d->file_offset != UINT64_MAX)
            json_set_u64(o, "file_offset", d->file_offset);
        (void)json_array_append_new(array, o);
    }
    return array;
}

/* What the comparison with the source left out, and on whose account. */
static json_t *
not_compared_json(const struct job *job)
{
    const struct compare_result *r = compare_results(job->compare);
    json_t *o = json_object();

    (void)json_object_set_new(o, "unreadable_at_acquisition",
                              json_from_ranges(job_unreadable(job)));
    (void)json_object_set_new(o, "unreadable_now", json_from_ranges(&r->unreadable));
    (void)json_object_set_new(o, "damaged_in_image", json_from_ranges(&r->damaged));
    (void)json_object_set_new(o, "missing_in_image", json_from_ranges(&job->scan.missing_media));
    return o;
}

/* Each thing that is wrong: in which file, from which byte of it, for which media and chunks. */
static json_t *
places_json(const struct job *job, const struct check *c)
{
    const struct image_info *info = job->image ? image_info(job->image) : NULL;
    json_t *array = json_array();

    for (size_t i = 0; i < c->n_places; i++) {
        const struct check_place *p = &c->places[i];
        json_t *o = json_object();

        json_set_text(o, "segment", p->segment);
        if (p->file_offset != UINT64_MAX)
            json_set_u64(o, "file_offset", p->file_offset);
        if (p->media.length > 0) {
            json_set_u64(o, "offset", p->media.offset);
            json_set_u64(o, "length", p->media.length);
        }
        if (p->media.length > 0 && info && info->format == IMAGE_E01) {
            uint64_t last = (p->media.offset + p->media.length - 1) / info->chunk_size;

            json_set_u64(o, "chunk", p->media.offset / info->chunk_size);
            json_set_u64(o, "chunks", last - p->media.offset / info->chunk_size + 1);
        }
        (void)json_array_append_new(array, o);
    }
    return array;
}

static json_t *
check_json(const struct job *job, enum check_id id)
{
    const struct check *c = &job->checks[id];
    json_t *o = json_object();

    json_set_text(o, "name", check_name(id));
    json_set_text(o, "target", c->target);
    json_set_text(o, "status", check_status_name(c->status));
    json_set_text(o, "detail", c->detail);
    (void)json_object_set_new(o, "ranges", json_from_ranges(&c->ranges));
    if (c->n_places > 0)
        (void)json_object_set_new(o, "places", places_json(job, c));
    if (job->files && c->status == STATUS_FAILED && c->ranges.n > 0)
        (void)json_object_set_new(o, "files", where_within(job->files, &c->ranges));
    if (id == CHECK_SOURCE && job->compare)
        (void)json_object_set_new(o, "not_compared", not_compared_json(job));
    if (id == CHECK_CHUNKS && job->scan.n_damage > 0)
        (void)json_object_set_new(o, "damage", damage_json(job));
    return o;
}

static json_t *
checks_json(const struct job *job)
{
    json_t *array = json_array();

    for (int i = 0; i < CHECK_COUNT; i++)
        (void)json_array_append_new(array, check_json(job, (enum check_id)i));
    return array;
}

static json_t *
media_json(const struct job *job)
{
    json_t *o = json_object();
    json_t *hashes = json_object();

    for (size_t i = 0; i < job->scan.n_media; i++) {
        const char *hex = lane_results(job->scan.media[i])->hex;

        if (*hex && job->scan.missing == 0)
            json_set_text(hashes, lane_hash_name(job->scan.media[i]), hex);
    }
    json_set_u64(o, "size", job->image ? image_info(job->image)->media_size : 0);
    (void)json_object_set_new(o, "hashes", hashes);
    return o;
}

static json_t *
unreadable_json(const struct job *job)
{
    static const struct ranges none = {0};
    json_t *o = json_object();

    json_set_u64(o, "sectors", job->image ? job_unreadable_sectors(job) : 0);
    (void)json_object_set_new(o, "ranges",
                              json_from_ranges(job->image ? job_unreadable(job) : &none));
    if (job->files && job_unreadable(job)->n > 0)
        (void)json_object_set_new(o, "files", where_within(job->files, job_unreadable(job)));
    return o;
}

/* How complete the lists of files are. */
static json_t *
lookup_json(const struct job *job)
{
    json_t *o = json_object();

    json_set_text(o, "problem", job->files_problem);
    if (job->files) {
        (void)json_object_set(o, "unallocated_bytes",
                              json_object_get(job->files, "unallocated_bytes"));
        (void)json_object_set(o, "notes", json_object_get(job->files, "notes"));
    }
    return o;
}

static json_t *
sandbox_json(const struct sandbox_state *s)
{
    json_t *o = json_object();

    json_set_bool(o, "no_new_privs", s->no_new_privs);
    json_set_bool(o, "seccomp", s->seccomp);
    json_set_u64(o, "landlock_abi", (uint64_t)s->landlock_abi);
    json_set_u64(o, "uid", (uint64_t)geteuid());
    json_set_text(o, "missing", s->missing);
    return o;
}

static json_t *
against_json(const struct against *a)
{
    json_t *o = json_object();

    json_set_text(o, "path", a->path);
    json_set_text(o, "kind", a->is_device ? "device" : "file");
    json_set_u64(o, "size", a->size);
    json_set_text(o, "write_block", a->write_block);
    if (a->is_device) {
        json_set_text(o, "serial", a->serial && *a->serial ? a->serial : NULL);
        json_set_bool(o, "rotational", !a->solid_state);
        json_set_text(o, "supervisor_record", a->record && *a->record ? a->record : NULL);
        json_set_u64(o, "read_only_flag_lost", a->flag_lost);
    }
    return o;
}

static json_t *
salvage_json(const struct job *job)
{
    json_t *o = json_object();

    json_set_text(o, "manifest", job->salvaged);
    json_set_u64(o, "lost_bytes", job->lost);
    if (!job->salvaged)
        json_set_text(o, "error", job->salvage.text);
    return o;
}

static json_t *
logs_json(const struct evidence_set *set)
{
    json_t *array = json_array();

    for (size_t i = 0; i < set->n; i++) {
        json_t *o = json_object();

        json_set_text(o, "path", set->v[i].path);
        json_set_text(o, "tool", set->v[i].tool);
        json_set_bool(o, "given", set->v[i].given);
        (void)json_array_append_new(array, o);
    }
    return array;
}

static void
add_result(json_t *o, const struct job *job)
{
    json_set_text(o, "verdict", verdict_name(job->verdict));
    (void)json_object_set_new(o, "checks", checks_json(job));
    (void)json_object_set_new(o, "media", media_json(job));
    (void)json_object_set_new(o, "unreadable", unreadable_json(job));
}

json_t *
output_json(const struct job *job, const struct job_options *options,
            const struct sandbox_state *sandbox)
{
    json_t *o = json_object();

    json_set_text(o, "image", job->operand);
    if (job->state == JOB_ERROR) {
        json_set_text(o, "error", job->err.text);
        return o;
    }
    if (job->image)
        json_set_text(o, "format", image_info(job->image)->format == IMAGE_E01 ? "e01" : "raw");
    if (job->location.manifest_path)
        json_set_text(o, "manifest", job->location.manifest_path);
    if (options->from_medium)
        json_set_text(o, "read_from", job->dropped ? "medium" : "page-cache");
    (void)json_object_set_new(o, "sandbox", sandbox_json(sandbox));
    (void)json_object_set_new(o, "hash_files", logs_json(&job->evidence));
    if (options->against)
        (void)json_object_set_new(o, "against", against_json(options->against));
    if (options->salvage)
        (void)json_object_set_new(o, "salvage", salvage_json(job));
    if (job->files || job->files_problem)
        (void)json_object_set_new(o, "file_lookup", lookup_json(job));
    add_result(o, job);
    return o;
}
