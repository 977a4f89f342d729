#include "report/parser_reply.h"

#include "common/json.h"
#include "common/parser_field.h"
#include "common/text.h"

#define TIMES_MAX 8
#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

static int
take_sandbox(struct reply_target *t, const json_t *m, struct err *err)
{
    struct sandbox_facts *s = &t->report->sandbox;

    s->seccomp = json_is_true(json_object_get(m, "seccomp"));
    s->no_new_privs = json_is_true(json_object_get(m, "no_new_privs"));
    s->known = true;
    if (field_number(m, "landlock_abi", &s->landlock_abi, err) != 0)
        return -1;
    return field_text(m, "missing", &s->missing, err);
}

static int
take_times(const json_t *array, struct file_system *fs, struct err *err)
{
    size_t n = json_array_size(array);

    if (n > TIMES_MAX)
        return err_set(err, OUTCOME_FAILED, "it has too many times");
    fs->times = xcalloc(n + 1, sizeof *fs->times);
    while (fs->n_times < n) {
        const json_t *v = json_array_get(array, fs->n_times);
        struct named_time *t = &fs->times[fs->n_times++];

        if (field_text(v, "name", &t->name, err) != 0 || field_text(v, "time", &t->time, err) != 0)
            return -1;
    }
    return 0;
}

static int
read_fs(const json_t *m, struct file_system *fs, struct err *err)
{
    const struct field_u64 numbers[] = {
        {"block_size", &fs->block_size},   {"cluster_size", &fs->cluster_size},
        {"block_count", &fs->block_count}, {"first_block", &fs->first_block},
        {"last_block", &fs->last_block},   {"first_inode", &fs->first_inode},
        {"last_inode", &fs->last_inode},
    };
    size_t state = FS_STATE_UNKNOWN;

    if (field_text(m, "type", &fs->type, err) != 0 ||
        field_optional(m, "label", &fs->label, err) != 0 ||
        field_optional(m, "id", &fs->id, err) != 0 ||
        field_optional(m, "version", &fs->version, err) != 0 ||
        field_optional(m, "state_text", &fs->state_text, err) != 0 ||
        field_optional(m, "mounted_on", &fs->mounted_on, err) != 0)
        return -1;
    if (json_object_get(m, "state") &&
        field_choice(m, "state", fs_state_names, COUNT_OF(fs_state_names), &state, err) != 0)
        return -1;
    fs->state = (enum fs_state)state;
    if (take_times(json_object_get(m, "times"), fs, err) != 0)
        return -1;
    return field_numbers(m, numbers, COUNT_OF(numbers), err);
}

static int
take_fs(struct reply_target *t, const json_t *m, struct err *err)
{
    struct file_system *fs;

    if (!t->volume || t->volume->fs)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    fs = xcalloc(1, sizeof *fs);
    if (read_fs(m, fs, err) != 0) {
        file_system_free(fs);
        return -1;
    }
    t->volume->fs = fs;
    return 0;
}

/* What stands in a volume whose header says nothing. */
static int
take_sample(struct reply_target *t, const json_t *m, struct err *err)
{
    if (!t->volume || t->volume->has_sample)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    if (tally_from_json(json_object_get(m, "tally"), &t->volume->sample, err) != 0)
        return -1;
    if (t->volume->sample.bytes > t->volume->present)
        return err_set(err, OUTCOME_FAILED, "it is larger than the volume");
    t->volume->looks_encrypted = json_is_true(json_object_get(m, "looks_encrypted"));
    t->volume->has_sample = true;
    return 0;
}

static int
take_no_fs(struct reply_target *t, const json_t *m, struct err *err)
{
    if (!t->volume || t->volume->fs)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    t->volume->encrypted = json_is_true(json_object_get(m, "encrypted"));
    if (field_optional(m, "content_detail", &t->volume->content_detail, err) != 0)
        return -1;
    return field_optional(m, "content", &t->volume->content, err);
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

    /* Figures so far may come before the final ones. */
    if (!t->volume || (t->volume->has_slack && !t->volume->slack.incomplete))
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    s = &t->volume->slack;
    if (slack_from_json(json_object_get(m, "slack"), s, err) != 0)
        return -1;
    t->volume->has_slack = true;
    /* Each block is counted once, so no kind can have more bytes than the volume. */
    for (size_t i = 0; i < FILE_STATES && !s->incomplete; i++) {
        for (size_t k = 0; k < SLACK_KINDS; k++) {
            if (s->of[i].kinds[k].bytes <= t->volume->present)
                continue;
            report_finding(t->report, "slack", t->volume->name,
                           "files claim more %s bytes than the volume has: the figure counts "
                           "blocks more than once",
                           slack_kind_names[k]);
        }
    }
    return 0;
}

static int
take_unallocated(struct reply_target *t, const json_t *m, struct err *err)
{
    struct unallocated *u;

    if (!t->volume)
        return err_set(err, OUTCOME_FAILED, "it is out of place");
    u = &t->volume->unallocated;
    if (field_number(m, "blocks", &u->blocks, err) != 0 ||
        field_number(m, "bytes", &u->bytes, err) != 0)
        return -1;
    if (tally_from_json(json_object_get(m, "tally"), &u->content, err) != 0)
        return -1;
    if (u->content.bytes != u->bytes)
        return err_set(err, OUTCOME_FAILED, "its sizes disagree");
    t->volume->has_unallocated = true;
    return 0;
}

static int
read_slack_file(const json_t *m, struct slack_file *f, struct err *err)
{
    const struct field_u64 numbers[] = {
        {"inode", &f->inode},
        {"size", &f->size},
        {"slack", &f->slack},
        {"nonzero", &f->nonzero},
    };
    size_t state;

    if (field_optional(m, "path", &f->path, err) != 0 ||
        field_optional(m, "stream", &f->stream, err) != 0 ||
        field_choice(m, "state", file_state_names, FILE_STATES, &state, err) != 0 ||
        field_numbers(m, numbers, COUNT_OF(numbers), err) != 0)
        return -1;
    f->state = (enum file_state)state;
    return f->nonzero <= f->slack
               ? 0
               : err_set(err, OUTCOME_FAILED, "more bytes are not zero than there are");
}

static int
take_top(struct reply_target *t, const json_t *m, struct err *err)
{
    const json_t *files = json_object_get(m, "files");
    size_t n = json_array_size(files);
    struct volume *v = t->volume;

    if (!v || v->top || n > SLACK_TOP_MAX)
        return err_set(err, OUTCOME_FAILED, "it is out of place or too long");
    v->top = xcalloc(n + 1, sizeof *v->top);
    while (v->n_top < n) {
        const json_t *file = json_array_get(files, v->n_top);

        if (read_slack_file(file, &v->top[v->n_top++], err) != 0)
            return -1;
    }
    return 0;
}

static int
take_finding(struct reply_target *t, const json_t *m, struct err *err)
{
    char *text = NULL;
    char *code = NULL;
    int r = -1;

    if (field_text(m, "text", &text, err) == 0 && field_text(m, "code", &code, err) == 0) {
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
    if (!t->progress || total == 0) /* a mere sign of life */
        return 0;
    part = done <= total ? (double)done / (double)total : 1;
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
    {"table", parser_take_table},
    {"part", parser_take_part},
    {"gap", parser_take_gap},
    {"gpt", parser_take_gpt},
    {"fs", take_fs},
    {"no-fs", take_no_fs},
    {"sample", take_sample},
    {"volume-slack", take_volume_slack},
    {"slack", take_slack},
    {"top", take_top},
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
