#include "acquire/daemon/daemon_job.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

struct daemon_job *
daemon_job_new(void)
{
    struct daemon_job *job = xcalloc(1, sizeof *job);

    job->facts.exit = -1;
    return job;
}

void
daemon_job_free(struct daemon_job *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < job->n_options; i++)
        free(job->options[i]);
    free((void *)job->options);
    free(job->user);
    free(job->source);
    free(job->dest);
    free(job->message);
    job_events_clear(&job->events);
    free(job);
}

static const char *
state_of(const struct daemon_job *job)
{
    return job_state_name((enum job_state)job->facts.state);
}

static void
note(struct daemon_job *job, int64_t now_ms, enum job_event_kind kind, const char *text)
{
    struct job_news news = {.kind = kind, .facts = &job->facts, .phase = job->phase, .text = text};

    job_events_add(&job->events, now_ms, &news);
}

void
daemon_job_set_state(struct daemon_job *job, enum job_state state, int64_t now_ms)
{
    struct job_facts *f = &job->facts;

    f->state = state;
    if (job_state_is_end(state)) {
        f->finished = now_ms / 1000;
        f->stopping = 0;
        f->rate = f->eta_s = 0;
    } else {
        f->finished = 0;
        f->exit = -1;
    }
    note(job, now_ms, JOB_EVENT_STATE, job_state_is_end(state) ? job->message : NULL);
}

void
daemon_job_begin(struct daemon_job *job, int64_t now_ms)
{
    if (job->facts.started == 0)
        job->facts.started = now_ms / 1000;
    job->urgent = job->resumable = false;
    job->begun = true;
    job->phase[0] = '\0';
    /* What was said of an earlier try is no word on this one. */
    free(job->message);
    job->message = NULL;
    daemon_job_set_state(job, JOB_RUNNING, now_ms);
}

void
daemon_job_say(struct daemon_job *job, const char *text, int64_t now_ms)
{
    free(job->message);
    job->message = job_event_text(text);
    note(job, now_ms, JOB_EVENT_MESSAGE, job->message);
}

static enum daemon_refusal
not_now(const struct daemon_job *job, const char *what, struct err *err)
{
    (void)err_set(err, OUTCOME_REFUSED, "job %llu cannot be %s: it is %s%s",
                  (unsigned long long)job->facts.id, what, state_of(job),
                  job->discarder ? " and is being removed" : "");
    return REFUSAL_STATE;
}

/* The front reads, or will: nothing of the image is being checked yet. */
static bool
is_before_finish(const struct daemon_job *job)
{
    return job->phase[0] == '\0' || strcmp(job->phase, "acquire") == 0 ||
           strcmp(job->phase, "paused") == 0;
}

enum daemon_refusal
daemon_job_pause(struct daemon_job *job, int64_t now_ms, enum job_action *action, struct err *err)
{
    *action = JOB_ACT_NONE;
    if (job->facts.state == JOB_PAUSED)
        return REFUSAL_NONE;
    if ((job->facts.state != JOB_QUEUED && job->facts.state != JOB_RUNNING) || job->facts.stopping)
        return not_now(job, "paused", err);
    if (job->facts.state == JOB_RUNNING && !is_before_finish(job)) {
        (void)err_set(err, OUTCOME_REFUSED,
                      "job %llu cannot be paused: all of the source has been read",
                      (unsigned long long)job->facts.id);
        return REFUSAL_STATE;
    }
    /* A signal that comes before the front catches it would end it. */
    if (job->run && job->phase[0])
        *action = JOB_ACT_PAUSE;
    job->pause_asked = job->run && !job->phase[0];
    daemon_job_set_state(job, JOB_PAUSED, now_ms);
    return REFUSAL_NONE;
}

enum daemon_refusal
daemon_job_continue(struct daemon_job *job, int64_t now_ms, enum job_action *action,
                    struct err *err)
{
    *action = JOB_ACT_NONE;
    switch ((enum job_state)job->facts.state) {
    case JOB_QUEUED:
    case JOB_RUNNING:
        return job->facts.stopping ? not_now(job, "continued", err) : REFUSAL_NONE;
    case JOB_PAUSED:
        if (job->facts.stopping)
            return not_now(job, "continued", err);
        if (job->run && !job->pause_asked)
            *action = JOB_ACT_CONTINUE;
        job->pause_asked = false;
        daemon_job_set_state(job, job->run ? JOB_RUNNING : JOB_QUEUED, now_ms);
        return REFUSAL_NONE;
    case JOB_FAILED:
    case JOB_INTERRUPTED:
    case JOB_CANCELLED:
        if (job->discarder || job->discard)
            return not_now(job, "continued", err);
        daemon_job_set_state(job, JOB_QUEUED, now_ms);
        return REFUSAL_NONE;
    case JOB_DONE:
        break;
    }
    return not_now(job, "continued", err);
}

enum daemon_refusal
daemon_job_cancel(struct daemon_job *job, bool discard, int64_t now_ms, enum job_action *action,
                  struct err *err)
{
    *action = JOB_ACT_NONE;
    if (job->facts.state == JOB_DONE)
        return not_now(job, "cancelled", err);
    if (job->run) {
        /* Asked again, the front waits for nobody any more. */
        *action = JOB_ACT_STOP;
        job->facts.stopping = 1;
        job->discard = job->discard || discard;
        return REFUSAL_NONE;
    }
    if (job->facts.state != JOB_CANCELLED)
        daemon_job_set_state(job, JOB_CANCELLED, now_ms);
    if (discard && !job->discard && job->begun)
        *action = JOB_ACT_DISCARD;
    job->discard = job->discard || discard;
    return REFUSAL_NONE;
}

/* --- what the front says --- */

static bool
take_number(const json_t *v, const char *key, uint64_t *out)
{
    const json_t *n = json_object_get(v, key);

    if (!json_is_integer(n) || json_integer_value(n) < 0)
        return false;
    *out = (uint64_t)json_integer_value(n);
    return true;
}

static bool
take_progress(struct daemon_job *job, const json_t *v)
{
    const char *phase = json_text_or_null(v, "phase");
    struct job_facts f = job->facts;

    if (!phase || strlen(phase) >= sizeof job->phase ||
        strspn(phase, "abcdefghijklmnopqrstuvwxyz-") != strlen(phase) ||
        !take_number(v, "bytes_done", &f.bytes_done) ||
        !take_number(v, "bytes_total", &f.bytes_total) || !take_number(v, "rate", &f.rate) ||
        !take_number(v, "eta_s", &f.eta_s) ||
        !take_number(v, "unreadable_sectors", &f.unreadable_sectors))
        return false;
    job->facts = f;
    (void)snprintf(job->phase, sizeof job->phase, "%s", phase);
    return true;
}

enum job_action
daemon_job_hear(struct daemon_job *job, const char *line, size_t n, int64_t now_ms)
{
    static const char prefix[] = "exhibit: ";
    AUTO_FREE char *text = NULL;
    json_t *v = n > 0 && line[0] == '{' ? json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    bool progress = v && take_progress(job, v);

    if (v && json_is_true(json_object_get(v, "resumable")))
        job->resumable = true;
    else if (progress)
        note(job, now_ms, JOB_EVENT_PROGRESS, NULL);
    else if (n > 0) {
        text = text_printable_n(line, n);
        daemon_job_say(
            job, text + (strncmp(text, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0), now_ms);
    }
    json_decref(v);
    if (!progress || !job->pause_asked)
        return JOB_ACT_NONE;
    job->pause_asked = false;
    return JOB_ACT_PAUSE;
}

/* --- its end --- */

static enum job_state
state_for(const struct daemon_job *job, int status)
{
    if (status == OUTCOME_DONE || status == OUTCOME_FINDINGS)
        return JOB_DONE;
    if (job->facts.stopping && (status == OUTCOME_INTERRUPTED || status >= 128))
        return JOB_CANCELLED;
    if (status == OUTCOME_INTERRUPTED || status >= 128 || job->resumable)
        return JOB_INTERRUPTED;
    return JOB_FAILED;
}

enum job_action
daemon_job_ended(struct daemon_job *job, int status, int64_t now_ms)
{
    enum job_state state = state_for(job, status);
    bool discard = job->discard;

    job->facts.exit = status;
    job->pause_asked = false;
    job->phase[0] = '\0';
    /* What has come to its end all the same stays. */
    job->discard = state == JOB_CANCELLED && discard;
    memset(job->processes, 0, sizeof job->processes);
    daemon_job_set_state(job, state, now_ms);
    return job->discard ? JOB_ACT_DISCARD : JOB_ACT_NONE;
}

void
daemon_job_set_aside(struct daemon_job *job, int64_t now_ms)
{
    struct job_facts *f = &job->facts;

    /* Whoever follows the job hears where it stands. */
    if (job_state_is_end((enum job_state)f->state)) {
        note(job, f->finished * 1000, JOB_EVENT_STATE, job->message);
        return;
    }
    job->urgent = f->state == JOB_RUNNING && !f->stopping;
    f->rate = f->eta_s = 0;
    job->phase[0] = '\0';
    job->pause_asked = false;
    if (f->stopping)
        daemon_job_set_state(job, JOB_CANCELLED, now_ms);
    else
        daemon_job_set_state(job, job->urgent ? JOB_QUEUED : (enum job_state)f->state, now_ms);
}
