#include "acquire/daemon/daemon_events.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

char *
job_event_text(const char *text)
{
    return xstrndup(text, text_utf8_cut(text, EVENT_TEXT_MAX));
}

static uint64_t
next_number(const struct job_events *e, int64_t now_ms, int64_t submitted)
{
    int64_t elapsed = now_ms - submitted * 1000;

    return elapsed > 0 && (uint64_t)elapsed > e->last ? (uint64_t)elapsed : e->last + 1;
}

static struct job_event *
place(struct job_events *e, enum job_event_kind kind)
{
    struct job_event *out;

    if (kind == JOB_EVENT_PROGRESS)
        return &e->progress;
    if (e->n < EVENTS_KEPT) {
        out = &e->kept[(e->first + e->n) % EVENTS_KEPT];
        e->n++;
        return out;
    }
    out = &e->kept[e->first];
    e->first = (e->first + 1) % EVENTS_KEPT;
    free(out->text);
    return out;
}

void
job_events_add(struct job_events *e, int64_t now_ms, const struct job_news *news)
{
    struct job_event *out = place(e, news->kind);

    *out = (struct job_event){
        .number = next_number(e, now_ms, news->facts->submitted),
        .time = now_ms / 1000,
        .kind = news->kind,
        .facts = *news->facts,
        .text = news->text ? job_event_text(news->text) : NULL,
    };
    (void)snprintf(out->phase, sizeof out->phase, "%s", news->phase);
    e->last = out->number;
}

const struct job_event *
job_events_after(const struct job_events *e, uint64_t number)
{
    const struct job_event *progress = e->progress.number > number ? &e->progress : NULL;

    for (size_t i = 0; i < e->n; i++) {
        const struct job_event *one = &e->kept[(e->first + i) % EVENTS_KEPT];

        if (one->number > number)
            return progress && progress->number < one->number ? progress : one;
    }
    return progress;
}

void
job_events_clear(struct job_events *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->kept[(e->first + i) % EVENTS_KEPT].text);
    *e = (struct job_events){0};
}
