/*
 * exhibit jobs, pause, resume, cancel and release: one call each, and what comes back for people.
 */
#include <inttypes.h>
#include <string.h>

#include "acquire/client/client.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/size.h"
#include "common/table.h"
#include "common/text.h"

static const struct table_column columns[] = {
    {.heading = "ID", .right = true},
    {.heading = "STATE"},
    {.heading = "USER"},
    {.heading = "DONE", .right = true},
    {.heading = "RATE", .right = true},
    {.heading = "LEFT", .right = true},
    {.heading = "SOURCE"},
    {.heading = "DEST"},
};

/* A text of the daemon's, for a terminal. */
static char *
shown(const json_t *job, const char *key)
{
    AUTO_FREE char *bytes = json_get_bytes(job, key);

    return bytes ? text_printable(bytes) : xstrdup("");
}

/* 0 where it is missing or makes no sense. */
static uint64_t
number(const json_t *job, const char *key)
{
    struct err err = ERR_INIT;
    uint64_t n = 0;

    return json_get_u64(job, key, &n, &err) == 0 ? n : 0;
}

/* "running", "failed (5)"; what stops is said so. */
static char *
state_text(const json_t *job)
{
    AUTO_FREE char *state = shown(job, "state");
    const json_t *code = json_object_get(job, "exit");

    if (json_is_true(json_object_get(job, "stopping")))
        return xstrdup("stopping");
    if (json_is_integer(code) && json_integer_value(code) != 0)
        return xasprintf("%s (%" JSON_INTEGER_FORMAT ")", state, json_integer_value(code));
    return xstrdup(state);
}

static bool
is_running(const json_t *job)
{
    const char *state = json_text_or_null(job, "state");

    return state && strcmp(state, "running") == 0;
}

static char *
done_text(const json_t *job)
{
    uint64_t total = number(job, "bytes_total");
    double percent = total ? (double)number(job, "bytes_done") / (double)total * 100 : 0;

    if (total == 0)
        return xstrdup("");
    return xasprintf("%.0f%%", percent > 100 ? 100 : percent);
}

static char *
rate_text(const json_t *job)
{
    char size[SIZE_TEXT_MAX];
    uint64_t rate = number(job, "rate");

    return is_running(job) && rate ? xasprintf("%s/s", size_human(rate, size)) : xstrdup("");
}

static char *
left_text(const json_t *job)
{
    uint64_t s = number(job, "eta_s");

    if (!is_running(job) || number(job, "rate") == 0)
        return xstrdup("");
    return xasprintf("%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
}

static void
print_jobs(const json_t *jobs)
{
    struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
    size_t i;
    json_t *job;

    json_array_foreach(jobs, i, job)
    {
        table_add(t, xasprintf("%" PRIu64, number(job, "id")));
        table_add(t, state_text(job));
        table_add(t, shown(job, "user"));
        table_add(t, done_text(job));
        table_add(t, rate_text(job));
        table_add(t, left_text(job));
        table_add(t, shown(job, "source"));
        table_add(t, shown(job, "dest"));
    }
    table_print(t, stdout);
    table_free(t);
}

int
client_jobs(struct client_call *call, struct err *err)
{
    json_t *jobs = api_client_call(call->api, "/v1/jobs", NULL, err);
    int r = jobs ? 0 : -1;

    if (jobs && !json_is_array(jobs))
        r = err_set(err, OUTCOME_FAILED, "the daemon's answer is no list of jobs");
    else if (jobs && call->json)
        client_print(jobs);
    else if (jobs)
        print_jobs(jobs);
    json_decref(jobs);
    return r;
}

/* A job that is being cancelled writes down where it stands first; only then can it be resumed, or
   is what it wrote gone. */
static json_t *
wait_for_end(struct client_call *call, json_t *job, struct err *err)
{
    AUTO_FREE char *path = xasprintf("/v1/jobs/%" PRIu64, call->id);
    json_t *last;

    if (!job || !json_is_true(json_object_get(job, "stopping")))
        return job;
    json_decref(job);
    call->progress = PROGRESS_NONE;
    last = client_follow(call, err);
    if (!last)
        return NULL;
    json_decref(last);
    return api_client_call(call->api, path, NULL, err);
}

int
client_steer(struct client_call *call, struct err *err)
{
    AUTO_FREE char *path = xasprintf("/v1/jobs/%" PRIu64 "/%s", call->id, call->command);
    AUTO_FREE char *state = NULL;
    json_t *body = json_object();
    json_t *job;

    if (call->discard)
        json_set_bool(body, "discard", true);
    job = api_client_call(call->api, path, body, err);
    json_decref(body);
    if (strcmp(call->command, "cancel") == 0)
        job = wait_for_end(call, job, err);
    if (!job)
        return -1;
    state = state_text(job);
    if (call->json)
        client_print(job);
    else
        (void)printf("job %" PRIu64 ": %s\n", call->id, state);
    json_decref(job);
    return 0;
}

int
client_release(struct client_call *call, struct err *err)
{
    AUTO_FREE char *device = client_absolute(call->operands[0], err);
    AUTO_FREE char *safe = text_printable(call->operands[0]);
    json_t *body = json_object();
    json_t *answer = NULL;

    json_set_text(body, "device", device);
    if (device)
        answer = api_client_call(call->api, "/v1/release", body, err);
    json_decref(body);
    if (!answer)
        return -1;
    json_decref(answer);
    (void)printf("released '%s': the disk and its partitions can be written again\n", safe);
    return 0;
}
