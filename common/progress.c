#include "common/progress.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/size.h"
#include "common/text.h"

struct progress {
    enum progress_mode mode; /* never AUTO */
    bool drawn;
    char phase[32];
    uint64_t phase_start; /* monotonic ns */
    uint64_t phase_done;  /* bytes that were done by then */
    uint64_t last;        /* monotonic ns of the last output */
};

#define INTERVAL_BAR UINT64_C(100000000)
#define INTERVAL_JSON UINT64_C(500000000)

int
progress_parse(const char *s, enum progress_mode *mode, struct err *err)
{
    static const char *const names[] = {"auto", "bar", "json", "none"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(s, names[i]) == 0) {
            *mode = (enum progress_mode)i;
            return 0;
        }
    }
    return err_set(err, OUTCOME_USAGE, "invalid progress mode '%s': one of auto, bar, json, none",
                   s);
}

struct progress *
progress_new(enum progress_mode mode)
{
    struct progress *p = xcalloc(1, sizeof *p);

    if (mode == PROGRESS_AUTO)
        mode = isatty(STDERR_FILENO) ? PROGRESS_BAR : PROGRESS_NONE;
    p->mode = mode;
    return p;
}

void
progress_free(struct progress *p)
{
    if (!p)
        return;
    if (p->drawn)
        (void)fputc('\n', stderr);
    free(p);
}

void
progress_clear(struct progress *p)
{
    if (p->drawn)
        (void)fputs("\r\033[K", stderr);
    p->drawn = false;
}

static unsigned
terminal_width(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

static void
draw_bar(struct progress *p, uint64_t done, uint64_t total, uint64_t rate, uint64_t eta,
         uint64_t unreadable)
{
    char d[SIZE_TEXT_MAX];
    char t[SIZE_TEXT_MAX];
    char r[SIZE_TEXT_MAX];
    char line[256];
    unsigned percent = total ? (unsigned)((double)done / (double)total * 100) : 0;
    int n = snprintf(line, sizeof line, "%s %3u%%  %s of %s  %s/s  %" PRIu64 ":%02" PRIu64 " left",
                     p->phase, percent, size_human(done, d), size_human(total, t),
                     size_human(rate, r), eta / 60, eta % 60);

    if (unreadable > 0 && n > 0 && (size_t)n < sizeof line)
        (void)snprintf(line + n, sizeof line - (size_t)n, "  %" PRIu64 " unreadable sectors",
                       unreadable);
    (void)fprintf(stderr, "\r%.*s\033[K", (int)terminal_width() - 1, line);
    p->drawn = true;
}

void
progress_update(struct progress *p, const char *phase, uint64_t done, uint64_t total,
                uint64_t unreadable)
{
    uint64_t now = clock_monotonic_ns();
    /* A job that is resumed may begin the phase again. */
    bool fresh = strcmp(p->phase, phase) != 0 || done < p->phase_done;
    double seconds;
    uint64_t rate;
    uint64_t eta;

    if (p->mode == PROGRESS_NONE)
        return;
    if (fresh) {
        if (p->drawn)
            (void)fputc('\n', stderr);
        p->drawn = false;
        (void)snprintf(p->phase, sizeof p->phase, "%s", phase);
        p->phase_start = now;
        p->phase_done = done;
    } else if (done < total &&
               now - p->last < (p->mode == PROGRESS_BAR ? INTERVAL_BAR : INTERVAL_JSON)) {
        return;
    }
    p->last = now;
    seconds = (double)(now - p->phase_start) / 1e9;
    rate = seconds > 0.001 ? (uint64_t)((double)(done - p->phase_done) / seconds) : 0;
    eta = rate > 0 && total > done ? (total - done) / rate : 0;
    if (p->mode == PROGRESS_BAR)
        draw_bar(p, done, total, rate, eta, unreadable);
    else
        (void)fprintf(stderr,
                      "{\"phase\":\"%s\",\"bytes_done\":%" PRIu64 ",\"bytes_total\":%" PRIu64
                      ",\"rate\":%" PRIu64 ",\"eta_s\":%" PRIu64 ",\"unreadable_sectors\":%" PRIu64
                      "}\n",
                      phase, done, total, rate, eta, unreadable);
}
