/*
 * What an API process may ask of the core. Whose it is, the core knows; what it says is a user's
 * word.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "acquire/daemon/daemon_core_impl.h"
#include "acquire/daemon/daemon_helper.h"
#include "acquire/daemon/daemon_options.h"
#include "acquire/daemon/daemon_release.h"
#include "acquire/device/device_evidence.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/text.h"

/* --- answers --- */

void
core_fill_job(struct core *c, const struct daemon_job *job)
{
    struct daemon_message *m = &c->message;
    bool all = true;

    daemon_message_begin(m, DAEMON_JOB);
    m->id = job->facts.id;
    m->facts = job->facts;
    all = daemon_message_add(m, job->user) && daemon_message_add(m, job->source) &&
          daemon_message_add(m, job->dest) && daemon_message_add(m, job->phase) &&
          daemon_message_add(m, job->message);
    for (size_t i = 0; all && i < job->n_options; i++)
        all = daemon_message_add(m, job->options[i]);
}

static int
answer_job(struct core *c, struct client *client, const struct daemon_job *job)
{
    core_fill_job(c, job);
    core_send(c, client, -1);
    return 0;
}

static int
refuse(struct core *c, struct client *client, enum daemon_refusal refusal, const struct err *why)
{
    daemon_message_begin(&c->message, DAEMON_REFUSED);
    c->message.refusal = refusal;
    c->message.outcome = why->outcome;
    (void)daemon_message_add(&c->message, why->text);
    core_send(c, client, -1);
    return 0;
}

/* Somebody else's is not told from none. */
static struct daemon_job *
find_job(struct core *c, struct client *client)
{
    uint64_t id = c->message.id;
    struct daemon_job *job = queue_find(c->queue, id, client->peer.as.uid);
    struct err err = ERR_INIT;

    if (job)
        return job;
    (void)err_set(&err, OUTCOME_FAILED, "there is no job %" PRIu64, id);
    (void)refuse(c, client, REFUSAL_UNKNOWN, &err);
    return NULL;
}

/* --- submitting --- */

/* What the message holds; pointers into it. */
static int
take_texts(const struct daemon_message *m, char *texts[], size_t max, size_t *n)
{
    size_t at = 0;
    const char *text;

    *n = 0;
    while ((text = daemon_message_text(m, &at)) != NULL) {
        if (*n == max)
            return -1;
        texts[(*n)++] = (char *)(uintptr_t)text;
    }
    return 0;
}

static struct daemon_job *
make_job(const struct core *c, const struct client *client, char *const texts[], size_t n)
{
    const struct daemon_settings *s = c->settings;
    struct daemon_job *job = daemon_job_new();

    job->facts.uid = client->peer.as.uid;
    job->facts.submitted = clock_now();
    job->gid = client->peer.as.gid;
    job->listed = daemon_is_listed(client->peer.as.uid, client->peer.as.gid, s->group);
    job->user = xstrdup(client->peer.name);
    job->source = xstrdup(texts[0]);
    job->dest = xstrdup(texts[1]);
    job->options = xcalloc(s->n_defaults + n, sizeof *job->options);
    /* As they are now: a job goes on with the options that it was begun with. */
    for (size_t i = 0; i < s->n_defaults; i++) {
        if (!daemon_options_replace(s->defaults[i], texts + 2, n - 2))
            job->options[job->n_options++] = xstrdup(s->defaults[i]);
    }
    for (size_t i = 2; i < n; i++)
        job->options[job->n_options++] = xstrdup(texts[i]);
    return job;
}

static int
do_submit(struct core *c, struct client *client)
{
    char *texts[2 + DAEMON_OPTIONS_MAX];
    struct err err = ERR_INIT;
    struct daemon_job *job;
    size_t n;

    if (take_texts(&c->message, texts, sizeof texts / sizeof texts[0], &n) != 0 || n < 2)
        return -1;
    if (daemon_options_check(texts[0], texts[1], texts + 2, n - 2, &err) != 0)
        return refuse(c, client,
                      err.outcome == OUTCOME_REFUSED ? REFUSAL_FORBIDDEN : REFUSAL_INVALID, &err);
    if (!queue_has_room(c->queue, client->peer.as.uid)) {
        (void)err_set(&err, OUTCOME_FAILED,
                      "%s has as many jobs as are allowed; wait for one to end", client->peer.name);
        return refuse(c, client, REFUSAL_LIMIT, &err);
    }
    job = make_job(c, client, texts, n);
    queue_add(c->queue, job);
    daemon_job_set_state(job, JOB_QUEUED, clock_now_ms());
    if (store_save(c->store, job, &err) != 0) {
        /* A job that would be forgotten is not taken. */
        (void)err_report(&err);
        queue_remove(c->queue, job);
        daemon_job_free(job);
        return refuse(c, client, REFUSAL_FAILED, &err);
    }
    core_log("job %" PRIu64 " of %s: submitted", job->facts.id, job->user);
    core_forget_jobs(c);
    core_start_jobs(c);
    return answer_job(c, client, job);
}

/* --- looking --- */

static int
do_list(struct core *c, struct client *client)
{
    client->state = CLIENT_LISTING;
    client->id = 0;
    core_feed(c, client);
    return 0;
}

static int
do_look(struct core *c, struct client *client)
{
    const struct daemon_job *job = find_job(c, client);

    return job ? answer_job(c, client, job) : 0;
}

static int
do_follow(struct core *c, struct client *client)
{
    uint64_t after = c->message.number;
    uint64_t id = c->message.id;

    if (id != 0 && !find_job(c, client))
        return 0;
    client->state = CLIENT_FOLLOWING;
    client->id = id;
    client->number = after;
    core_feed(c, client);
    return 0;
}

/* --- steering --- */

static int
steered(struct core *c, struct client *client, struct daemon_job *job, enum daemon_refusal refusal,
        enum job_action action, const struct err *err)
{
    if (refusal != REFUSAL_NONE)
        return refuse(c, client, refusal, err);
    core_act(c, job, action);
    core_start_jobs(c);
    return answer_job(c, client, job);
}

static int
do_pause(struct core *c, struct client *client)
{
    struct daemon_job *job = find_job(c, client);
    struct err err = ERR_INIT;
    enum job_action action;
    enum daemon_refusal r;

    if (!job)
        return 0;
    r = daemon_job_pause(job, clock_now_ms(), &action, &err);
    return steered(c, client, job, r, action, &err);
}

static int
do_continue(struct core *c, struct client *client)
{
    struct daemon_job *job = find_job(c, client);
    struct err err = ERR_INIT;
    enum job_action action;
    enum daemon_refusal r;

    if (!job)
        return 0;
    if (job_state_is_end((enum job_state)job->facts.state) &&
        !queue_has_room(c->queue, (uid_t)job->facts.uid)) {
        (void)err_set(&err, OUTCOME_FAILED, "%s has as many jobs as are allowed", job->user);
        return refuse(c, client, REFUSAL_LIMIT, &err);
    }
    r = daemon_job_continue(job, clock_now_ms(), &action, &err);
    return steered(c, client, job, r, action, &err);
}

static int
do_cancel(struct core *c, struct client *client)
{
    bool discard = c->message.number == 1;
    struct daemon_job *job = find_job(c, client);
    struct err err = ERR_INIT;
    enum job_action action;
    enum daemon_refusal r;

    if (!job)
        return 0;
    r = daemon_job_cancel(job, discard, clock_now_ms(), &action, &err);
    if (r == REFUSAL_NONE)
        core_log("job %" PRIu64 " of %s: cancelled by %s%s", job->facts.id, job->user,
                 client->peer.name, discard ? ", what was written is removed" : "");
    return steered(c, client, job, r, action, &err);
}

/* --- devices --- */

/* As the user: what sysfs says, it says to everyone. What the configuration marks goes along. */
static int
do_devices(struct core *c, struct client *client)
{
    const struct daemon_settings *s = c->settings;
    AUTO_FREE char **argv = xcalloc(2 * s->n_evidence + 4, sizeof *argv);
    struct err err = ERR_INIT;
    size_t n = 0;
    pid_t pid;

    argv[n++] = (char[]){"exhibit-devices"};
    argv[n++] = (char[]){"--json"};
    for (size_t i = 0; i < s->n_evidence; i++) {
        argv[n++] = (char[]){"--evidence"};
        argv[n++] = (char *)(uintptr_t)s->evidence[i];
    }
    AUTO_FD int out = helper_start(argv, &client->peer.as, &pid, &err);

    if (out < 0)
        return refuse(c, client, REFUSAL_FAILED, &err);
    daemon_message_begin(&c->message, DAEMON_STREAM);
    core_send(c, client, out);
    return 0;
}

/* udev's word, or root's, that there is a new disk; what is to be said of it sysfs says. */
static int
do_attached(struct core *c, struct client *client)
{
    AUTO_FREE struct device *d = xcalloc(1, sizeof *d);
    AUTO_FREE char *path = NULL;
    struct job_facts none = {0};
    struct job_news news = {.kind = JOB_EVENT_ATTACHED, .facts = &none, .phase = ""};
    struct err err = ERR_INIT;

    if (client->peer.as.uid != 0) {
        (void)err_set(&err, OUTCOME_REFUSED, "only root can say that a disk was attached");
        return refuse(c, client, REFUSAL_FORBIDDEN, &err);
    }
    if (device_read((dev_t)c->message.number, d, &err) != 0)
        return refuse(c, client, REFUSAL_FAILED, &err);
    news.text = path = xasprintf("/dev/%s", d->name);
    job_events_add(&c->attached, clock_now_ms(), &news);
    core_log("'%s' was attached: %s, model '%s', serial '%s', %" PRIu64 " bytes", path,
             device_is_evidence(d, c->settings->evidence, c->settings->n_evidence)
                 ? "evidence"
                 : "not marked as evidence",
             d->model, d->serial, d->size);
    daemon_message_begin(&c->message, DAEMON_END);
    core_send(c, client, -1);
    return 0;
}

/* As root, by the name that the kernel has for the device, as long as that is the disk that was
   judged: no path of the client's is opened. */
static int
do_release(struct core *c, struct client *client)
{
    struct err err = ERR_INIT;
    uint64_t diskseq = 0;
    AUTO_FREE char *node =
        daemon_release_node((dev_t)c->message.number, client->peer.as.uid, &diskseq, &err);
    AUTO_FREE char *number = xasprintf("--diskseq=%" PRIu64, diskseq);
    char *argv[] = {(char[]){"exhibit-release"}, number, (char[]){"--"}, node, NULL};
    int out;

    if (!node)
        return refuse(c, client,
                      err.outcome == OUTCOME_REFUSED ? REFUSAL_FORBIDDEN : REFUSAL_FAILED, &err);
    out = helper_start(argv, NULL, &client->helper, &err);
    if (out < 0) {
        client->helper = 0;
        return refuse(c, client, REFUSAL_FAILED, &err);
    }
    core_log("'%s' is released for %s", node, client->peer.name);
    (void)fcntl(out, F_SETFL, O_NONBLOCK);
    client->helper_out = out;
    client->state = CLIENT_WAITING;
    return 0;
}

void
core_helped(struct core *c, struct client *client, int status)
{
    struct err err = ERR_INIT;

    helper_error(client->helper_out, &err);
    (void)close(client->helper_out);
    client->helper_out = -1;
    client->state = CLIENT_IDLE;
    if (status == 0) {
        daemon_message_begin(&c->message, DAEMON_END);
        core_send(c, client, -1);
        return;
    }
    err.outcome = status == OUTCOME_REFUSED ? OUTCOME_REFUSED : OUTCOME_FAILED;
    (void)refuse(c, client, status == OUTCOME_REFUSED ? REFUSAL_STATE : REFUSAL_FAILED, &err);
}

/* Every request. All are permitted only where no other is being answered; anything else ends the
   connection. */
static const struct {
    enum daemon_type type;
    int (*handle)(struct core *c, struct client *client);
} requests[] = {
    {DAEMON_SUBMIT, do_submit},     {DAEMON_LIST, do_list},       {DAEMON_LOOK, do_look},
    {DAEMON_FOLLOW, do_follow},     {DAEMON_PAUSE, do_pause},     {DAEMON_CONTINUE, do_continue},
    {DAEMON_CANCEL, do_cancel},     {DAEMON_DEVICES, do_devices}, {DAEMON_RELEASE, do_release},
    {DAEMON_ATTACHED, do_attached},
};

int
core_answer(struct core *c, struct client *client)
{
    if (!client->peer.member || c->ending)
        return -1;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (c->message.type == (uint32_t)requests[i].type)
            return requests[i].handle(c, client);
    }
    return -1;
}
