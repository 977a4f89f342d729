/*
 * NAME.report.json: the manifest's facts at the top level, as they stand there, and beside them
 * what was found on the disk.
 */
#include "common/json.h"
#include "report/writer.h"

static json_t *
tally_json(const struct tally *t, uint64_t whole)
{
    json_t *v = json_object();

    json_set_u64(v, "areas", t->areas);
    json_set_u64(v, "bytes", t->bytes);
    json_set_u64(v, "examined", tally_examined(t));
    json_set_u64(v, "nonzero", tally_nonzero(t));
    (void)json_object_set_new(v, "entropy", json_real(tally_entropy(t)));
    (void)json_object_set_new(v, "share",
                              json_real(whole > 0 ? (double)t->bytes / (double)whole : 0));
    return v;
}

static void
set_tally(json_t *v, const char *key, const struct tally *t, uint64_t whole)
{
    (void)json_object_set_new(v, key, tally_json(t, whole));
}

static json_t *
file_slack_json(const struct file_slack *f, uint64_t whole)
{
    json_t *v = json_object();
    struct tally file;

    report_file_slack(f, &file);
    json_set_u64(v, "files", f->files);
    json_set_u64(v, "streams", f->streams);
    json_set_u64(v, "resident", f->resident);
    json_set_u64(v, "compressed", f->compressed);
    json_set_u64(v, "shared", f->shared);
    json_set_u64(v, "reused", f->reused);
    json_set_u64(v, "unreadable", f->unreadable);
    set_tally(v, "file", &file, whole);
    for (size_t k = SLACK_SECTOR; k <= SLACK_MFT; k++)
        set_tally(v, slack_kind_names[k], &f->kinds[k], whole);
    return v;
}

/* Areas that hold old data as well, but are not slack. */
static json_t *
beside_json(const struct slack *s, uint64_t whole)
{
    json_t *v = json_object();

    for (size_t i = 0; i < FILE_STATES; i++) {
        json_t *of = json_object();

        for (size_t k = SLACK_BEYOND; k < SLACK_KINDS; k++)
            set_tally(of, slack_kind_names[k], &s->of[i].kinds[k], whole);
        (void)json_object_set_new(v, file_state_names[i], of);
    }
    return v;
}

static json_t *
slack_document(const struct slack *s, const struct tally *volume, const struct unallocated *u,
               uint64_t whole)
{
    json_t *v = json_object();
    json_t *beside = beside_json(s, whole);

    set_tally(v, "volume", volume, whole);
    for (size_t i = 0; i < FILE_STATES; i++)
        (void)json_object_set_new(v, file_state_names[i], file_slack_json(&s->of[i], whole));
    json_set_bool(v, "deleted_by_name", s->deleted_by_name);
    json_set_bool(v, "incomplete", s->incomplete);
    if (u) {
        json_t *unallocated = tally_json(&u->content, whole);

        json_set_u64(unallocated, "blocks", u->blocks);
        (void)json_object_set_new(beside, "unallocated_blocks", unallocated);
    }
    (void)json_object_set_new(v, "not_slack", beside);
    return v;
}

static json_t *
partition_json(const struct partition *p)
{
    json_t *v = json_object();
    const char *type = p->state == PART_ALLOCATED ? (p->type_name   ? p->type_name
                                                     : p->type_guid ? p->type_guid
                                                                    : p->description)
                                                  : part_state_names[p->state];

    json_set_u64(v, "index", p->index);
    json_set_text(v, "slot", p->slot);
    json_set_u64(v, "start", p->start);
    json_set_u64(v, "length", p->length);
    json_set_text(v, "type", type);
    json_set_text(v, "type_code", p->type_code);
    json_set_text(v, "name", p->description);
    json_set_text(v, "label", p->label);
    json_set_text(v, "flags", p->flags);
    json_set_text(v, "description", p->description);
    json_set_bool(v, "allocated", p->state == PART_ALLOCATED);
    json_set_text(v, "state", part_state_names[p->state]);
    if (p->type_guid) {
        json_set_text(v, "type_guid", p->type_guid);
        json_set_text(v, "guid", p->guid);
        json_set_textf(v, "attributes", "0x%016jx", (uintmax_t)p->attributes);
    }
    return v;
}

static json_t *
gpt_header_json(const struct gpt_header *h)
{
    json_t *v = json_object();
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"lba", h->lba},
        {"my_lba", h->my_lba},
        {"alternate_lba", h->alternate_lba},
        {"first_usable_lba", h->first_usable},
        {"last_usable_lba", h->last_usable},
        {"entries_lba", h->entries_lba},
        {"entry_count", h->entry_count},
        {"entry_size", h->entry_size},
    };

    json_set_bool(v, "present", h->present);
    if (!h->present)
        return v;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_set_u64(v, numbers[i].key, numbers[i].value);
    json_set_text(v, "disk_guid", h->disk_guid);
    json_set_textf(v, "header_crc", "0x%08jx", (uintmax_t)h->header_crc);
    json_set_textf(v, "header_crc_computed", "0x%08jx", (uintmax_t)h->header_crc_is);
    json_set_bool(v, "header_crc_ok", h->header_crc_ok);
    json_set_textf(v, "entries_crc", "0x%08jx", (uintmax_t)h->entries_crc);
    json_set_textf(v, "entries_crc_computed", "0x%08jx", (uintmax_t)h->entries_crc_is);
    json_set_bool(v, "entries_crc_ok", h->entries_crc_ok);
    return v;
}

/* Both copies, or null where there is no sign of a GPT. */
static json_t *
gpt_json(const struct table *t)
{
    json_t *v;

    if (!t->gpt[GPT_PRIMARY].present && !t->gpt[GPT_BACKUP].present)
        return json_null();
    v = json_object();
    for (size_t i = 0; i < GPT_COPIES; i++)
        (void)json_object_set_new(v, gpt_copy_names[i], gpt_header_json(&t->gpt[i]));
    return v;
}

static json_t *
table_json(const struct report *r)
{
    json_t *v = json_object();

    json_set_bool(v, "found", r->table.found);
    if (!r->table.found)
        return v;
    json_set_text(v, "type", r->table.type);
    json_set_text(v, "description", r->table.description);
    json_set_u64(v, "sector_size", r->table.sector_size);
    json_set_bool(v, "backup", r->table.backup);
    (void)json_object_set_new(v, "gpt", gpt_json(&r->table));
    return v;
}

static json_t *
times_json(const struct file_system *fs)
{
    json_t *array = json_array();

    for (size_t i = 0; i < fs->n_times; i++) {
        json_t *v = json_object();

        json_set_text(v, "name", fs->times[i].name);
        json_set_text(v, "time", fs->times[i].time);
        (void)json_array_append_new(array, v);
    }
    return array;
}

/* Largest first; null where the path is not known. */
static json_t *
top_json(const struct volume *volume)
{
    json_t *array = json_array();

    for (size_t i = 0; i < volume->n_top; i++) {
        const struct slack_file *x = &volume->top[i];
        json_t *v = json_object();

        json_set_text(v, "path", x->path);
        json_set_text(v, "stream", x->stream);
        json_set_u64(v, "inode", x->inode);
        json_set_text(v, "state", file_state_names[x->state]);
        json_set_u64(v, "size", x->size);
        json_set_u64(v, "slack", x->slack);
        json_set_u64(v, "nonzero", x->nonzero);
        (void)json_array_append_new(array, v);
    }
    return array;
}

static json_t *
fs_json(const struct file_system *fs)
{
    json_t *v = json_object();

    json_set_text(v, "type", fs->type);
    json_set_text(v, "label", fs->label);
    json_set_text(v, "id", fs->id);
    json_set_u64(v, "size", fs->block_size * fs->block_count);
    json_set_u64(v, "block_size", fs->block_size);
    json_set_u64(v, "cluster_size", fs->cluster_size);
    json_set_u64(v, "block_count", fs->block_count);
    json_set_u64(v, "first_block", fs->first_block);
    json_set_u64(v, "last_block", fs->last_block);
    json_set_u64(v, "first_inode", fs->first_inode);
    json_set_u64(v, "last_inode", fs->last_inode);
    json_set_text(v, "version", fs->version);
    json_set_text(v, "state", fs_state_names[fs->state]);
    json_set_text(v, "state_text", fs->state_text);
    json_set_text(v, "mounted_on", fs->mounted_on);
    (void)json_object_set_new(v, "times", times_json(fs));
    return v;
}

static json_t *
volume_json(const struct volume *v)
{
    json_t *o = json_object();

    json_set_text(o, "name", v->name);
    (void)json_object_set_new(
        o, "partition", v->partition ? json_integer((json_int_t)v->partition->index) : json_null());
    json_set_u64(o, "start", v->start);
    json_set_u64(o, "length", v->length);
    json_set_u64(o, "present", v->present);
    json_set_u64(o, "unreadable", v->unreadable);
    (void)json_object_set_new(o, "file_system", v->fs ? fs_json(v->fs) : json_null());
    json_set_text(o, "content", v->content);
    json_set_text(o, "content_detail", v->content_detail);
    json_set_bool(o, "encrypted", v->encrypted);
    json_set_bool(o, "consistent_with_encryption", v->looks_encrypted);
    (void)json_object_set_new(o, "sample",
                              v->has_sample ? tally_json(&v->sample, v->present) : json_null());
    json_set_bool(o, "complete", v->complete);
    if (v->has_slack || v->has_volume_slack) {
        json_t *slack = slack_document(&v->slack, &v->volume_slack,
                                       v->has_unallocated ? &v->unallocated : NULL, v->present);

        (void)json_object_set_new(slack, "top", top_json(v));
        (void)json_object_set_new(o, "slack", slack);
    }
    return o;
}

static json_t *
slack_totals(const struct report *r)
{
    struct totals totals;
    json_t *v;

    report_totals(r, &totals);
    v = slack_document(&totals.slack, &totals.volume_slack, &totals.unallocated, r->media_size);
    set_tally(json_object_get(v, "not_slack"), "partition_gaps", &totals.gaps, r->media_size);
    return v;
}

static json_t *
findings_json(const struct report *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->n_findings; i++) {
        json_t *v = json_object();

        json_set_text(v, "code", r->findings[i].code);
        json_set_text(v, "subject", r->findings[i].subject);
        json_set_text(v, "text", r->findings[i].text);
        (void)json_array_append_new(array, v);
    }
    return array;
}

static json_t *
about_json(const struct report *r)
{
    json_t *v = json_object();
    json_t *notes = json_array();
    json_t *sandbox = json_object();

    json_set_text(v, "name", r->name);
    json_set_text(v, "created", r->created);
    json_set_text(v, "image", r->image_path);
    json_set_text(v, "manifest", r->manifest_path);
    json_set_text(v, "tool", "Exhibit");
    json_set_text(v, "version", EXHIBIT_VERSION);
    json_set_bool(sandbox, "seccomp", r->sandbox.seccomp);
    json_set_bool(sandbox, "no_new_privs", r->sandbox.no_new_privs);
    json_set_u64(sandbox, "landlock_abi", r->sandbox.landlock_abi);
    json_set_text(sandbox, "missing", r->sandbox.missing);
    (void)json_object_set_new(v, "sandbox", sandbox);
    for (size_t i = 0; i < r->n_notes; i++) {
        json_t *note = json_object();

        json_set_text(note, "text", r->notes[i]);
        (void)json_array_append_new(notes, note);
    }
    (void)json_object_set_new(v, "notes", notes);
    return v;
}

static json_t *
laboratory_json(const struct stationery *s)
{
    json_t *v = json_object();

    json_set_text(v, "name", s ? s->laboratory : NULL);
    json_set_text(v, "address", s ? s->address : NULL);
    return v;
}

json_t *
report_json(const struct report *r, const struct paper *p)
{
    json_t *v = json_object();
    json_t *facts = json_deep_copy(r->facts);
    json_t *parts = json_array();
    json_t *volumes = json_array();

    (void)json_object_del(facts, "schema"); /* the document has its own */
    json_set_text(v, "schema", REPORT_SCHEMA);
    (void)json_object_set_new(v, "report", about_json(r));
    (void)json_object_set_new(v, "laboratory", laboratory_json(p->stationery));
    (void)json_object_update_missing(v, facts);
    json_decref(facts);
    (void)json_object_set(v, "deviations", r->deviations);
    (void)json_object_set_new(v, "custody", r->custody ? json_incref(r->custody) : json_null());
    (void)json_object_set_new(v, "partition_table", table_json(r));
    for (size_t i = 0; i < r->table.n_parts; i++)
        (void)json_array_append_new(parts, partition_json(&r->table.parts[i]));
    (void)json_object_set_new(v, "partitions", parts);
    for (size_t i = 0; i < r->n_volumes; i++)
        (void)json_array_append_new(volumes, volume_json(&r->volumes[i]));
    (void)json_object_set_new(v, "volumes", volumes);
    (void)json_object_set_new(v, "slack", slack_totals(r));
    (void)json_object_set_new(v, "findings", findings_json(r));
    return v;
}

char *
write_json(const struct report *r, const struct paper *p, size_t *n, struct err *err)
{
    json_t *v = report_json(r, p);
    char *text = json_to_text(v);

    (void)err;
    json_decref(v);
    *n = strlen(text);
    return text;
}
