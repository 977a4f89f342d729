#include "acquire/front/source_watch.h"

#include <inttypes.h>
#include <signal.h>

#include "acquire/front/thermometer.h"
#include "acquire/job/channel.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

/* So much from the first byte on, and not one sector of it read: it is no matter of bad sectors. */
#define NOTHING_READ ((uint64_t)1 << 20)
/* In rescue mode: so many reads, all over the medium, and not one that succeeded. */
#define FAILURES_ONLY 16

static volatile sig_atomic_t pause_wanted;

static void
on_signal(int sig)
{
    pause_wanted = sig == SIGUSR1;
}

void
source_watch_catch_signals(void)
{
    sigset_t block;

    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGUSR1);
    (void)sigaddset(&block, SIGUSR2);
    (void)sigprocmask(SIG_BLOCK, &block, NULL);
    (void)signal(SIGUSR1, on_signal);
    (void)signal(SIGUSR2, on_signal);
}

void
source_watch_begin(struct source_watch *s, struct acquisition *a)
{
    *s = (struct source_watch){.a = a, .begun = clock_monotonic_ns()};
    a->watch.timeout_ms = (uint64_t)a->options.read_timeout * 1000;
    a->watch.limit = (int)a->options.max_temperature * 1000;
    if (!a->device)
        return;
    s->thermometer = thermometer_start(a->device->disk_number);
    if (!s->thermometer && a->options.max_temperature > 0) {
        joblog_event(a->log, "the kernel shows no temperature of the source: it is not watched");
        (void)fputs("exhibit: warning: the kernel shows no temperature of the source "
                    "(--max-temperature; is the module 'drivetemp' loaded?)\n",
                    stderr);
    }
}

void
source_watch_end(struct source_watch *s)
{
    thermometer_end(s->thermometer);
    s->thermometer = NULL;
}

int
source_watch_fd(const struct source_watch *s)
{
    return thermometer_fd(s->thermometer);
}

/* Said in the log, and in a line of its own on the terminal. */
static void say(const struct acquisition *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(const struct acquisition *a, const char *fmt, ...)
{
    AUTO_FREE char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = xstrdup("(out of memory)");
    va_end(ap);
    joblog_event(a->log, "%s", text);
    if (a->options.quiet)
        return;
    progress_clear(a->progress);
    (void)fprintf(stderr, "exhibit: %s\n", text);
}

/* --- pauses --- */

static void
tell_worker(const struct source_watch *s, int events)
{
    const struct acquisition *a = s->a;
    bool paused = watch_is_paused(&a->watch);
    struct err ignored = ERR_INIT;
    json_t *m = json_object();

    json_set_text(m, "type", paused ? "pause" : "continue");
    (void)channel_send(events, m, &ignored);
    if (!paused)
        say(a, "continued at byte %" PRIu64, a->result.bytes_done);
    else if (a->watch.by_heat)
        say(a, "paused at byte %" PRIu64 ": the drive has %d degrees, %u is its limit",
            a->result.bytes_done, a->watch.last / 1000, a->options.max_temperature);
    else
        say(a, "paused at byte %" PRIu64 " by signal; SIGUSR2 to process %ld continues",
            a->result.bytes_done, (long)getpid());
}

static void
mind_pauses(struct source_watch *s, int events, bool heat)
{
    struct acquisition *a = s->a;
    bool asked = pause_wanted != 0;
    bool changed = false;
    int celsius;

    if (events < 0 || !a->result.ready || a->result.finishing)
        return;
    if (asked != a->watch.by_signal)
        changed = watch_ask(&a->watch, asked, clock_now(), a->result.bytes_done);
    if (changed)
        tell_worker(s, events);
    if (heat && thermometer_read(s->thermometer, &celsius) &&
        watch_heat(&a->watch, celsius, clock_now(), a->result.bytes_done))
        tell_worker(s, events);
}

/* --- reads that do not come back --- */

/* The first read is made before there is a word from the worker. */
static uint64_t
waiting_ms(const struct source_watch *s, uint64_t *offset)
{
    const struct result *r = &s->a->result;

    *offset = r->ready ? r->waiting_offset : s->a->offset;
    return r->ready ? r->waiting_ms : (clock_monotonic_ns() - s->begun) / 1000000;
}

int
source_watch_turn(struct source_watch *s, int events, bool heat, struct err *err)
{
    struct acquisition *a = s->a;
    uint64_t offset;
    uint64_t ms;

    mind_pauses(s, events, heat);
    if (events < 0 || a->result.finishing)
        return 0;
    ms = waiting_ms(s, &offset);
    if (s->stopped && ms >= WATCH_CANCEL_MS &&
        clock_monotonic_ns() - s->stopped >= (uint64_t)WATCH_CANCEL_MS * 1000000)
        return err_set(err, OUTCOME_INTERRUPTED,
                       "interrupted; the source does not answer at byte %" PRIu64, offset);
    switch (watch_read(&a->watch, ms)) {
    case WATCH_FINE:
        break;
    case WATCH_SLOW:
        say(a, "the source does not answer at byte %" PRIu64 "; waiting for it", offset);
        break;
    case WATCH_BACK:
        say(a, "the source answers again");
        break;
    case WATCH_OVER:
        return err_set(err, OUTCOME_INTERRUPTED,
                       "the source does not answer at byte %" PRIu64 " for %u seconds "
                       "(--read-timeout)",
                       offset, a->options.read_timeout);
    }
    return 0;
}

/* --- drives that give nothing --- */

/* Every failing read may cost a dying drive its next good one. */
static void
advise_rescue(struct acquisition *a)
{
    if (a->options.rescue || !watch_advise_rescue(&a->watch, &a->result.unreadable))
        return;
    say(a,
        "%" PRIu64 " sectors in %zu places could not be read so far: if the drive is failing, end "
        "this job and begin one with --rescue, which reads the good parts first",
        acquisition_unreadable_sectors(a), a->result.unreadable.n);
}

/* Rescue mode goes on elsewhere after a failure. */
static bool
nothing_read(const struct acquisition *a, uint64_t least)
{
    if (a->options.rescue)
        return a->result.rescue.rescued == 0 && a->result.rescue.errors >= FAILURES_ONLY;
    return watch_nothing_read(&a->result.unreadable, least);
}

int
source_watch_unreadable(struct source_watch *s, struct err *err)
{
    const struct acquisition *a = s->a;
    uint64_t least = a->length < NOTHING_READ ? a->length : NOTHING_READ;

    advise_rescue(s->a);
    if (!a->device || s->nothing_read || !nothing_read(a, least))
        return 0;
    s->nothing_read = true;
    switch ((enum device_locked)a->opened.locked) {
    case DEVICE_LOCKED_ATA:
        return err_set(err, OUTCOME_FAILED,
                       "'%s' is locked by an ATA password, which is why nothing can be read; it is "
                       "not dead: unlock it, then start again",
                       a->options.source);
    case DEVICE_LOCKED_OPAL:
        return err_set(
            err, OUTCOME_FAILED,
            "'%s' is a self-encrypting drive (OPAL) and locked, which is why nothing can "
            "be read; it is not dead: unlock it, then start again",
            a->options.source);
    case DEVICE_NOT_LOCKED:
        break;
    }
    if (a->options.rescue)
        say(a, "not one of %d reads has succeeded; the drive does not say that it is locked",
            FAILURES_ONLY);
    else
        say(a,
            "not one sector of the first %" PRIu64 " bytes can be read; the drive does not say "
            "that it is locked",
            least);
    return 0;
}
