#include <poll.h>
#include <unistd.h>

#include "acquire/job/channel.h"
#include "acquire/worker/worker.h"
#include "common/json.h"
#include "common/text.h"

/* How often the front hears how far the job is. */
#define PROGRESS_MS 200

static void
stop(struct worker *w)
{
    (void)pthread_mutex_lock(&w->lock);
    w->stopped = true;
    if (w->pipeline)
        pipeline_stop(w->pipeline);
    (void)pthread_mutex_unlock(&w->lock);
    gate_stop(w->gate);
    if (w->rescued_gate)
        gate_stop(w->rescued_gate);
}

/* "pause", "continue", or the end of the job: "stop", or a front that has gone. */
static bool
obey(struct worker *w)
{
    struct err ignored = ERR_INIT;
    bool end = false;
    json_t *m = channel_receive(WORKER_FD_EVENTS, &end, &ignored);
    const char *type = m ? json_text_or_null(m, "type") : NULL;
    bool pause = type && strcmp(type, "pause") == 0;
    bool stops = !pause && (!type || strcmp(type, "continue") != 0);

    json_decref(m);
    if (stops) {
        stop(w);
    } else {
        gate_pause(w->gate, pause);
        if (w->rescued_gate)
            gate_pause(w->rescued_gate, pause);
    }
    return !stops;
}

static bool
is_imaging(struct worker *w)
{
    bool imaging;

    (void)pthread_mutex_lock(&w->lock);
    imaging = w->pipeline != NULL;
    (void)pthread_mutex_unlock(&w->lock);
    return imaging;
}

static void *
control(void *arg)
{
    struct worker *w = arg;
    struct pollfd p[2] = {
        {.fd = w->stop_pipe[0], .events = POLLIN},
        {.fd = WORKER_FD_EVENTS, .events = POLLIN},
    };

    for (;;) {
        int n = poll(p, 2, PROGRESS_MS);

        if (p[0].revents)
            return NULL;
        if (n > 0 && p[1].revents && !obey(w))
            p[1].fd = -1;
        tell_progress(w);
        if (is_imaging(w))
            tell_durable(w);
    }
}

int
control_begin(struct worker *w, struct err *err)
{
    if (pipe(w->stop_pipe) != 0)
        return err_errno(err, "cannot make a pipe");
    if (pthread_create(&w->controller, NULL, control, w) != 0)
        return err_set(err, OUTCOME_FAILED, "cannot start a thread");
    w->controlled = true;
    return 0;
}

void
control_end(struct worker *w)
{
    if (!w->controlled)
        return;
    (void)close(w->stop_pipe[1]);
    (void)pthread_join(w->controller, NULL);
    (void)close(w->stop_pipe[0]);
    w->controlled = false;
}

void
control_pipeline(struct worker *w, struct pipeline *p)
{
    (void)pthread_mutex_lock(&w->lock);
    w->pipeline = p;
    if (w->stopped)
        pipeline_stop(p);
    (void)pthread_mutex_unlock(&w->lock);
}
