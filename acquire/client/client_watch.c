/*
 * exhibit watch: follows a job's events, and asks again, from the last that came, when the daemon
 * goes away and comes back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "acquire/client/client.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

#define AWAY_MAX_NS UINT64_C(300000000000) /* how long a daemon may be away: jobs stop in order */
#define AWAY_PAUSE_NS 500000000L

struct follower {
    struct progress *progress;
    bool quiet;
    bool said;         /* a message was shown, or would have been */
    uint64_t seen;     /* number of the last event */
    uint64_t heard_ns; /* when the daemon last said something; 0: never */
    json_t *ended;     /* the event that says so */
};

static bool
is_over(const char *state)
{
    static const char *const states[] = {"done", "failed", "interrupted", "cancelled"};

    for (size_t i = 0; state && i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i], state) == 0)
            return true;
    }
    return false;
}

static void
show_message(struct follower *f, const char *text)
{
    AUTO_FREE char *safe = text_printable(text);

    f->said = true;
    if (f->quiet)
        return;
    progress_clear(f->progress);
    (void)fprintf(stderr, "%s\n", safe);
}

/* A phase goes into a line of JSON as it is. */
static bool
is_word(const char *s)
{
    return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz-") == strlen(s);
}

static void
show_progress(struct follower *f, const json_t *event)
{
    const char *phase = json_text_or_null(event, "phase");
    struct err err = ERR_INIT;
    uint64_t done = 0;
    uint64_t total = 0;
    uint64_t unreadable = 0;

    if (!phase || !is_word(phase) || json_get_u64(event, "bytes_done", &done, &err) != 0 ||
        json_get_u64(event, "bytes_total", &total, &err) != 0 ||
        json_get_u64(event, "unreadable_sectors", &unreadable, &err) != 0)
        return;
    progress_update(f->progress, phase, done < total ? done : total, total, unreadable);
}

static int
take_event(void *me, const json_t *event, struct err *err)
{
    struct follower *f = me;
    const char *kind = json_text_or_null(event, "event");
    const char *message = json_text_or_null(event, "message");

    if (!kind || json_get_u64(event, "seq", &f->seen, err) != 0)
        return err_set(err, OUTCOME_FAILED, "the daemon's answer holds a line that is no event");
    f->heard_ns = clock_monotonic_ns();
    json_decref(f->ended);
    f->ended = NULL;
    if (strcmp(kind, "progress") == 0)
        show_progress(f, event);
    else if (strcmp(kind, "message") == 0 && message)
        show_message(f, message);
    else if (strcmp(kind, "state") == 0 && is_over(json_text_or_null(event, "state")))
        f->ended = json_deep_copy(event);
    /* Of a job that ended under a daemon before, the end alone has the last message. */
    if (f->ended && message && !f->said)
        show_message(f, message);
    return 0;
}

static void
wait_a_little(void)
{
    struct timespec t = {.tv_nsec = AWAY_PAUSE_NS};

    (void)nanosleep(&t, NULL);
}

/* A daemon that has come back remembers how a job has ended, but not always what it said then. */
static int
look_at_job(struct client_call *call, struct follower *f, struct err *err)
{
    AUTO_FREE char *path = xasprintf("/v1/jobs/%" PRIu64, call->id);
    json_t *job = api_client_call(call->api, path, NULL, err);

    if (!job)
        return -1;
    f->heard_ns = clock_monotonic_ns();
    if (is_over(json_text_or_null(job, "state")))
        f->ended = json_incref(job);
    json_decref(job);
    return 0;
}

/* A daemon that was never there is not waited for. */
static bool
is_hopeless(const struct client_call *call, const struct follower *f)
{
    return f->heard_ns == 0 || !api_client_is_away(call->api) ||
           clock_monotonic_ns() - f->heard_ns > AWAY_MAX_NS;
}

/* One stream after the other, until the job has ended. */
static int
follow(struct client_call *call, struct follower *f, struct err *err)
{
    for (;;) {
        AUTO_FREE char *path =
            xasprintf("/v1/jobs/%" PRIu64 "/events?since=%" PRIu64, call->id, f->seen);
        int r = api_client_follow(call->api, path, take_event, f, err);

        if (r == 0 && !f->ended)
            r = look_at_job(call, f, err);
        if (f->ended)
            return 0;
        if (r != 0 && is_hopeless(call, f))
            return -1;
        wait_a_little();
    }
}

json_t *
client_follow(struct client_call *call, struct err *err)
{
    struct follower f = {.progress = progress_new(call->progress),
                         .quiet = call->progress == PROGRESS_NONE};
    int r = follow(call, &f, err);

    progress_free(f.progress);
    if (r == 0)
        return f.ended;
    json_decref(f.ended);
    return NULL;
}

/* A job that was cancelled before it began has no exit code of its own. */
static int
exit_of(const json_t *ended)
{
    const json_t *code = json_object_get(ended, "exit");
    json_int_t n = json_integer_value(code);

    return json_is_integer(code) && n >= 0 && n <= 255 ? (int)n : OUTCOME_INTERRUPTED;
}

static int
print_job(struct client_call *call, struct err *err)
{
    AUTO_FREE char *path = xasprintf("/v1/jobs/%" PRIu64, call->id);
    json_t *job = api_client_call(call->api, path, NULL, err);

    if (!job)
        return -1;
    client_print(job);
    json_decref(job);
    return 0;
}

int
client_watch(struct client_call *call, struct err *err)
{
    AUTO_FREE char *state = NULL;
    json_t *ended = client_follow(call, err);

    if (!ended)
        return -1;
    call->outcome = exit_of(ended);
    state = text_printable(json_text_or_null(ended, "state"));
    json_decref(ended);
    if (call->progress != PROGRESS_NONE && call->progress != PROGRESS_JSON)
        (void)fprintf(stderr, "job %" PRIu64 ": %s\n", call->id, state);
    return call->json ? print_job(call, err) : 0;
}
