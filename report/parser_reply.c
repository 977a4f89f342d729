#include "report/parser_reply.h"

#include "common/json.h"
#include "common/text.h"

#define TEXT_MAX 4096
#define PARTS_MAX 2048
/* Sectors and bytes of any disk stay far below this, so that sums of a few cannot overflow. */
#define NUMBER_MAX (UINT64_C(1) << 60)

static int
get_text(const json_t *m, const char *key, char **out, struct err *err)
{
    char *s = json_get_bytes(m, key);

    free(*out);
    *out = s;
    if (!s || strlen(s) > TEXT_MAX)
        return err_set(err, OUTCOME_FAILED, "'%s' is missing or too long", key);
    return 0;
}

static int
get_optional(const json_t *m, const char *key, char **out, struct err *err)
{
    return json_object_get(m, key) ? get_text(m, key, out, err) : 0;
}

static int
get_number(const json_t *m, const char *key, uint64_t *out, struct err *err)
{
    if (json_get_u64(m, key, out, err) != 0)
        return -1;
    return *out <= NUMBER_MAX ? 0 : err_set(err, OUTCOME_FAILED, "'%s' is absurd", key);
}

static int
take_sandbox(struct reply_target *t, const json_t *m, struct err *err)
{
    struct sandbox_facts *s = &t->report->sandbox;

    s->seccomp = json_is_true(json_object_get(m, "seccomp"));
    s->no_new_privs = json_is_true(json_object_get(m, "no_new_privs"));
    s->known = true;
    if (get_number(m, "landlock_abi", &s->landlock_abi, err) != 0)
        return -1;
    return get_text(m, "missing", &s->missing, err);
}

static int
take_table(struct reply_target *t, const json_t *m, struct err *err)
{
    struct table *table = &t->report->table;

    if (t->volume || table->found)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    if (get_text(m, "type", &table->type, err) != 0 ||
        get_text(m, "description", &table->description, err) != 0 ||
        get_number(m, "sector_size", &table->sector_size, err) != 0)
        return -1;
    if (table->sector_size == 0 || table->sector_size > 1 << 20)
        return err_set(err, OUTCOME_FAILED, "the sector size is absurd");
    table->backup = json_is_true(json_object_get(m, "backup"));
    table->found = true;
    return 0;
}

static int
part_state_parse(const char *s, enum part_state *out, struct err *err)
{
    for (size_t i = 0; i < sizeof part_state_names / sizeof part_state_names[0]; i++) {
        if (strcmp(s, part_state_names[i]) == 0) {
            *out = (enum part_state)i;
            return 0;
        }
    }
    return err_set(err, OUTCOME_FAILED, "a row's state is unknown");
}

static int
read_part(const json_t *m, struct partition *p, uint64_t sector_size, struct err *err)
{
    const char *state;

    if (get_number(m, "index", &p->index, err) != 0 ||
        get_number(m, "start", &p->start, err) != 0 ||
        get_number(m, "length", &p->length, err) != 0 || get_text(m, "slot", &p->slot, err) != 0 ||
        get_text(m, "description", &p->description, err) != 0 ||
        json_get_text(m, "state", &state, err) != 0 || part_state_parse(state, &p->state, err) != 0)
        return -1;
    if (p->start > NUMBER_MAX / sector_size || p->length > NUMBER_MAX / sector_size)
        return err_set(err, OUTCOME_FAILED, "a row's sectors are absurd");
    if (json_object_get(m, "type_guid") && get_number(m, "attributes", &p->attributes, err) != 0)
        return -1;
    return get_optional(m, "type_guid", &p->type_guid, err) != 0 ||
                   get_optional(m, "type_name", &p->type_name, err) != 0
               ? -1
               : get_optional(m, "guid", &p->guid, err);
}

static int
take_part(struct reply_target *t, const json_t *m, struct err *err)
{
    struct table *table = &t->report->table;
    struct partition *p;

    if (t->volume || !table->found || table->n_parts >= PARTS_MAX)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    table->parts = xrealloc(table->parts, table->n_parts + 1, sizeof *table->parts);
    p = &table->parts[table->n_parts++];
    *p = (struct partition){0};
    return read_part(m, p, table->sector_size, err);
}

static int
take_gap(struct reply_target *t, const json_t *m, struct err *err)
{
    struct table *table = &t->report->table;
    uint64_t index;

    if (get_number(m, "index", &index, err) != 0)
        return -1;
    for (size_t i = 0; i < table->n_parts; i++) {
        struct partition *p = &table->parts[i];

        if (p->index != index || p->has_gap)
            continue;
        p->has_gap = true;
        return tally_from_json(json_object_get(m, "tally"), &p->gap, err);
    }
    return err_set(err, OUTCOME_FAILED, "there is no such row");
}

static int
take_fs(struct reply_target *t, const json_t *m, struct err *err)
{
    struct file_system *fs;

    if (!t->volume || t->volume->fs)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    fs = t->volume->fs = xcalloc(1, sizeof *fs);
    if (get_text(m, "type", &fs->type, err) != 0 ||
        get_optional(m, "label", &fs->label, err) != 0 || get_optional(m, "id", &fs->id, err) != 0)
        return -1;
    const struct {
        const char *key;
        uint64_t *out;
    } numbers[] = {
        {"block_size", &fs->block_size},   {"cluster_size", &fs->cluster_size},
        {"block_count", &fs->block_count}, {"first_block", &fs->first_block},
        {"last_block", &fs->last_block},   {"first_inode", &fs->first_inode},
        {"last_inode", &fs->last_inode},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (json_get_u64(m, numbers[i].key, numbers[i].out, err) != 0)
            return -1;
    }
    return 0;
}

static int
take_no_fs(struct reply_target *t, const json_t *m, struct err *err)
{
    if (!t->volume || t->volume->fs)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    t->volume->encrypted = json_is_true(json_object_get(m, "encrypted"));
    return get_optional(m, "content", &t->volume->content, err);
}

static int
take_volume_slack(struct reply_target *t, const json_t *m, struct err *err)
{
    if (!t->volume)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    t->volume->has_volume_slack = true;
    if (tally_from_json(json_object_get(m, "tally"), &t->volume->volume_slack, err) != 0)
        return -1;
    if (t->volume->volume_slack.bytes > t->volume->present)
        return err_set(err, OUTCOME_FAILED, "it is larger than the volume");
    return 0;
}

static int
take_slack(struct reply_target *t, const json_t *m, struct err *err)
{
    struct slack *s;

    if (!t->volume || t->volume->has_slack)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    s = &t->volume->slack;
    if (slack_from_json(json_object_get(m, "slack"), s, err) != 0)
        return -1;
    /* Each block is counted once, so no kind can have more bytes than the volume. */
    for (size_t i = 0; i < FILE_STATES; i++) {
        for (size_t k = 0; k < SLACK_KINDS; k++) {
            if (s->of[i].kinds[k].bytes <= t->volume->present)
                continue;
            report_finding(t->report, "slack", t->volume->name,
                           "files claim more %s bytes than the volume has: the figure counts "
                           "blocks more than once",
                           slack_kind_names[k]);
        }
    }
    t->volume->has_slack = true;
    return 0;
}

static int
take_unallocated(struct reply_target *t, const json_t *m, struct err *err)
{
    struct unallocated *u;

    if (!t->volume)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    u = &t->volume->unallocated;
    if (get_number(m, "blocks", &u->blocks, err) != 0 ||
        get_number(m, "bytes", &u->bytes, err) != 0)
        return -1;
    t->volume->has_unallocated = true;
    return 0;
}

static int
take_finding(struct reply_target *t, const json_t *m, struct err *err)
{
    char *text = NULL;
    char *code = NULL;
    int r = -1;

    if (get_text(m, "text", &text, err) == 0 && get_text(m, "code", &code, err) == 0) {
        report_finding(t->report, code, t->volume ? t->volume->name : "partition table", "%s",
                       text);
        r = 0;
    }
    free(text);
    free(code);
    return r;
}

static int
take_progress(struct reply_target *t, const json_t *m, struct err *err)
{
    uint64_t done;
    uint64_t total;
    double part;

    if (json_get_u64(m, "done", &done, err) != 0 || json_get_u64(m, "total", &total, err) != 0)
        return -1;
    if (!t->progress)
        return 0;
    part = total > 0 && done <= total ? (double)done / (double)total : 0;
    if (t->volume)
        progress_update(t->progress, "report",
                        t->done + (uint64_t)(part * (double)t->volume->present), t->total, 0);
    return 0;
}

static const struct {
    const char *kind;
    int (*take)(struct reply_target *t, const json_t *m, struct err *err);
} kinds[] = {
    {"sandbox", take_sandbox},
    {"table", take_table},
    {"part", take_part},
    {"gap", take_gap},
    {"fs", take_fs},
    {"no-fs", take_no_fs},
    {"volume-slack", take_volume_slack},
    {"slack", take_slack},
    {"unallocated", take_unallocated},
    {"finding", take_finding},
    {"progress", take_progress},
};

int
parser_reply_take(void *arg, const char *kind, const json_t *message, struct err *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) == 0)
            return kinds[i].take(arg, message, err);
    }
    return err_set(err, OUTCOME_FAILED, "there is no such kind");
}
