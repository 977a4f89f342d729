#include "report/slack.h"

#include <stddef.h>

#include "common/json.h"

const char *const slack_kind_names[SLACK_KINDS] = {"sector", "drive", "mft_entry",
                                                   "beyond_end_of_file", "uninitialised"};
const char *const file_state_names[FILE_STATES] = {"allocated", "deleted"};

static const struct {
    const char *name;
    size_t offset;
} counts[] = {
    {"files", offsetof(struct file_slack, files)},
    {"streams", offsetof(struct file_slack, streams)},
    {"resident", offsetof(struct file_slack, resident)},
    {"compressed", offsetof(struct file_slack, compressed)},
    {"shared", offsetof(struct file_slack, shared)},
    {"reused", offsetof(struct file_slack, reused)},
    {"unreadable", offsetof(struct file_slack, unreadable)},
};

#define N_COUNTS (sizeof counts / sizeof counts[0])

static uint64_t *
count_of(struct file_slack *f, size_t i)
{
    return (uint64_t *)(void *)((char *)f + counts[i].offset);
}

static uint64_t
count_value(const struct file_slack *f, size_t i)
{
    return *(const uint64_t *)(const void *)((const char *)f + counts[i].offset);
}

static json_t *
files_to_json(const struct file_slack *f)
{
    json_t *v = json_object();

    for (size_t i = 0; i < N_COUNTS; i++)
        json_set_u64(v, counts[i].name, count_value(f, i));
    for (size_t k = 0; k < SLACK_KINDS; k++)
        (void)json_object_set_new(v, slack_kind_names[k], tally_to_json(&f->kinds[k]));
    return v;
}

json_t *
slack_to_json(const struct slack *s)
{
    json_t *v = json_object();

    for (size_t i = 0; i < FILE_STATES; i++)
        (void)json_object_set_new(v, file_state_names[i], files_to_json(&s->of[i]));
    json_set_bool(v, "deleted_by_name", s->deleted_by_name);
    json_set_bool(v, "incomplete", s->incomplete);
    return v;
}

static int
files_from_json(const json_t *v, struct file_slack *f, struct err *err)
{
    for (size_t i = 0; i < N_COUNTS; i++) {
        if (json_get_u64(v, counts[i].name, count_of(f, i), err) != 0)
            return -1;
    }
    for (size_t k = 0; k < SLACK_KINDS; k++) {
        if (tally_from_json(json_object_get(v, slack_kind_names[k]), &f->kinds[k], err) != 0)
            return err_context(err, "'%s'", slack_kind_names[k]);
    }
    return 0;
}

int
slack_from_json(const json_t *v, struct slack *s, struct err *err)
{
    *s = (struct slack){0};
    for (size_t i = 0; i < FILE_STATES; i++) {
        if (files_from_json(json_object_get(v, file_state_names[i]), &s->of[i], err) != 0)
            return err_context(err, "'%s'", file_state_names[i]);
    }
    s->deleted_by_name = json_is_true(json_object_get(v, "deleted_by_name"));
    s->incomplete = json_is_true(json_object_get(v, "incomplete"));
    return 0;
}

void
slack_sum(struct slack *a, const struct slack *b)
{
    for (size_t i = 0; i < FILE_STATES; i++) {
        for (size_t c = 0; c < N_COUNTS; c++)
            *count_of(&a->of[i], c) += count_value(&b->of[i], c);
        for (size_t k = 0; k < SLACK_KINDS; k++)
            tally_sum(&a->of[i].kinds[k], &b->of[i].kinds[k]);
    }
    a->deleted_by_name = a->deleted_by_name || b->deleted_by_name;
    a->incomplete = a->incomplete || b->incomplete;
}
