#include "acquire/front/watch.h"

enum watch_answer
watch_read(struct watch *w, uint64_t waiting_ms)
{
    if (w->timeout_ms > 0 && waiting_ms >= w->timeout_ms)
        return WATCH_OVER;
    if (waiting_ms >= WATCH_TELL_MS) {
        if (w->told)
            return WATCH_FINE;
        w->told = true;
        return WATCH_SLOW;
    }
    if (!w->told)
        return WATCH_FINE;
    w->told = false;
    return WATCH_BACK;
}

/* The list says what began a pause; one that goes on for another reason is still the same. */
static bool
changed(struct watch *w, bool was, int64_t now, uint64_t at)
{
    bool is = watch_is_paused(w);

    if (was == is)
        return false;
    if (is) {
        if (w->n_pauses < WATCH_PAUSES_MAX)
            w->pauses[w->n_pauses] = (struct watch_pause){
                .paused = now, .at = at, .by_signal = w->by_signal, .by_heat = w->by_heat};
        w->n_pauses++;
    } else if (w->n_pauses <= WATCH_PAUSES_MAX) {
        w->pauses[w->n_pauses - 1].continued = now;
    }
    return true;
}

bool
watch_ask(struct watch *w, bool pause, int64_t now, uint64_t at)
{
    bool was = watch_is_paused(w);

    w->by_signal = pause;
    return changed(w, was, now, at);
}

bool
watch_heat(struct watch *w, int celsius, int64_t now, uint64_t at)
{
    bool was = watch_is_paused(w);

    if (!w->measured)
        w->first = w->highest = celsius;
    w->measured = true;
    w->last = celsius;
    if (celsius > w->highest)
        w->highest = celsius;
    if (w->limit > 0 && celsius > w->limit)
        w->by_heat = true;
    else if (celsius <= w->limit - WATCH_COOLER)
        w->by_heat = false;
    return changed(w, was, now, at);
}

bool
watch_advise_rescue(struct watch *w, const struct ranges *unreadable)
{
    if (w->advised)
        return false;
    w->advised =
        unreadable->n >= WATCH_ADVISE_PLACES || ranges_total(unreadable) >= WATCH_ADVISE_BYTES;
    return w->advised;
}

bool
watch_nothing_read(const struct ranges *unreadable, uint64_t least)
{
    return unreadable->n > 0 && unreadable->v[0].offset == 0 && unreadable->v[0].length >= least;
}
