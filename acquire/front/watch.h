/*
 * What the front watches while a worker reads: a read that does not come back, a pause that was
 * asked for by signal, the drive's temperature. Pure: what is seen goes in, what to do comes out.
 */
#ifndef EXHIBIT_ACQUIRE_WATCH_H
#define EXHIBIT_ACQUIRE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ranges.h"

/* A drive that has not answered for so long is worth a word. */
#define WATCH_TELL_MS 10000u
/* After a cancel, how long a read may still be waited for. */
#define WATCH_CANCEL_MS 3000u
/* A kernel tries a failing command several times, 30 s each, before it gives up. */
#define WATCH_TIMEOUT_DEFAULT_S 300u
/* The drive goes on when it is so much cooler than its limit, in thousandths of a degree. */
#define WATCH_COOLER 5000
#define WATCH_PAUSES_MAX 1000u
/* From so much damage on, rescue mode is advised: places, or bytes (docs/recovery.md). */
#define WATCH_ADVISE_PLACES 16u
#define WATCH_ADVISE_BYTES (UINT64_C(1) << 20)

struct watch_pause {
    int64_t paused;    /* epoch */
    int64_t continued; /* epoch; 0: not yet */
    uint64_t at;       /* bytes of the image that were read by then */
    bool by_signal, by_heat;
};

struct watch {
    uint64_t timeout_ms; /* of one read; 0: none */
    bool told;           /* that the source does not answer */
    int limit;           /* of the temperature, in thousandths of a degree Celsius; 0: none */
    bool by_signal, by_heat;
    struct watch_pause pauses[WATCH_PAUSES_MAX]; /* the first ones */
    size_t n_pauses;                             /* of all */
    bool advised;                                /* to use rescue mode */
    bool measured;
    int first, last, highest; /* temperatures, thousandths of a degree, if measured */
};

enum watch_answer {
    WATCH_FINE,
    WATCH_SLOW, /* no answer for WATCH_TELL_MS; said once a read */
    WATCH_BACK, /* it was slow, and has answered */
    WATCH_OVER, /* the time is up */
};

/* For how long the read under way has been waiting (0: none is). */
enum watch_answer watch_read(struct watch *w, uint64_t waiting_ms);

static inline bool
watch_is_paused(const struct watch *w)
{
    return w->by_signal || w->by_heat;
}

/* Somebody asks for a pause or its end. True if the reading has to be stopped or started. */
bool watch_ask(struct watch *w, bool pause, int64_t now, uint64_t at);

/* The drive's temperature, in thousandths of a degree. True as above. */
bool watch_heat(struct watch *w, int celsius, int64_t now, uint64_t at);

/* True once: as soon as there is so much damage that the good parts had better be read first. */
bool watch_advise_rescue(struct watch *w, const struct ranges *unreadable);

/* True if not one byte of the first `least` was read. */
bool watch_nothing_read(const struct ranges *unreadable, uint64_t least);

#endif
