#include "acquire/front/run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "acquire/front/jobstate.h"
#include "acquire/front/protection.h"
#include "acquire/front/source_watch.h"
#include "acquire/front/space.h"
#include "acquire/job/channel.h"
#include "acquire/supervisor/write_block.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/console.h"
#include "common/json.h"
#include "common/text.h"

/* The write block is looked at again at least this often, and after every read error. */
#define CHECK_INTERVAL_NS UINT64_C(10000000000)
#define SPACE_INTERVAL_NS UINT64_C(5000000000)

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
    (void)sig;
    interrupted++;
}

/* Blocked but in ppoll(), so that none arrives between the check and the wait. */
void
run_catch_signals(void)
{
    sigset_t block;

    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGINT);
    (void)sigaddset(&block, SIGTERM);
    (void)sigaddset(&block, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &block, NULL);
    console_catch(on_signal);
    source_watch_catch_signals();
    (void)signal(SIGPIPE, SIG_IGN);
}

bool
run_was_interrupted(void)
{
    struct timespec at_once = {0};
    sigset_t none;

    /* Lets in what has come meanwhile. */
    (void)sigemptyset(&none);
    (void)ppoll(NULL, 0, &at_once, &none);
    return interrupted > 0;
}

/* --- starting the worker --- */

static void
fill_job(const struct acquisition *a, struct job *job)
{
    const struct acquire_options *o = &a->options;

    *job = (struct job){
        .name = (char *)(uintptr_t)a->dest[0].name,
        .copy_name = (char *)(uintptr_t)(a->n_dest > 1 ? a->dest[1].name : ""),
        .offset = a->offset,
        .length = a->length,
        .sector_size = a->sector_size,
        .e01 = o->e01,
        .sectors_per_chunk = a->plan.sectors_per_chunk,
        .segment_size = a->plan.segment_size,
        .compression = o->compression,
        .piecewise = a->request.piecewise,
        .retries = o->retries,
        .rescue = o->rescue,
        /* Earlier directories are counted after those that are written to, DEST's first. */
        .staging_dir = a->writing > 0 ? (uint32_t)a->n_dest : 0,
        .threads = o->threads,
        .lenient = o->lenient_sandbox,
        .physical = a->device && !a->device->is_partition,
        .removable = a->device && a->device->removable,
        .date = a->started,
        .case_number = (char *)(uintptr_t)o->case_number,
        .evidence_number = (char *)(uintptr_t)o->evidence_number,
        .description = (char *)(uintptr_t)o->description,
        .examiner = (char *)(uintptr_t)o->examiner,
        .notes = (char *)(uintptr_t)o->notes,
        .model = a->device ? a->device->model : NULL,
        .serial = a->device ? a->device->serial : NULL,
    };
    for (size_t i = 0; i < o->n_hashes; i++)
        job->hashes[job->n_hashes++] = (char *)(uintptr_t)o->hashes[i];
}

static int
start_worker(struct acquisition *a, int *events, struct err *err)
{
    struct supervisor_message m = {.type = SUPERVISOR_START,
                                   .n_copies = (uint32_t)(a->n_dest + a->n_earlier) - 1};
    int fds[SUPERVISOR_FDS_MAX];
    size_t n = 0;
    struct job job;
    int pair[2];
    int r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_errno(err, "cannot make a socket");
    fds[n++] = pair[1];
    for (size_t i = 0; i < a->n_dest; i++)
        fds[n++] = acquisition_written_to(a, i)->dir;
    for (size_t i = 0; i < a->n_earlier; i++)
        fds[n++] = a->earlier[i];
    if (a->file >= 0)
        fds[n++] = a->file;
    *events = pair[0];
    r = session_ask(a->session, &m, fds, n, SUPERVISOR_STARTED, err);
    (void)close(pair[1]);
    if (r != 0)
        return -1;
    fill_job(a, &job);
    a->resume.n_dirs = a->n_dest + a->n_earlier;
    for (size_t i = 0; i < a->n_dest; i++)
        a->resume.owner[i] = i;
    if (channel_send(pair[0], job_to_json(&job), err) != 0)
        return -1;
    return resume_send(pair[0], &a->resume, err);
}

/* --- following it --- */

struct follow {
    struct acquisition *a;
    struct source_watch watch;
    int events; /* the worker's socket; -1 once it has ended */
    bool stop_sent;
    uint64_t checked;    /* monotonic ns of the last look at the write block */
    bool rescued_seen;   /* that was after the last read of the source */
    uint64_t space_seen; /* the same, at the destinations' space */
    struct space space[WORKER_SINKS_MAX];
    struct range bad; /* what could not be read, in a row, not yet logged */
    int bad_sys;
    bool bad_for_good; /* it is unreadable; else a read of rescue mode failed */
};

static void
stop_worker(struct follow *f)
{
    struct err ignored = ERR_INIT;
    json_t *m;

    if (f->stop_sent || f->events < 0)
        return;
    m = json_object();
    json_set_text(m, "type", "stop");
    (void)channel_send(f->events, m, &ignored);
    f->stop_sent = true;
    f->watch.stopped = clock_monotonic_ns();
}

static void
log_bad(struct follow *f)
{
    const struct acquisition *a = f->a;

    if (f->bad.length == 0)
        return;
    joblog_event(a->log, "%s: %" PRIu64 " bytes at %" PRIu64 " (sector %" PRIu64 "): %s",
                 f->bad_for_good ? "unreadable" : "read failed", f->bad.length, f->bad.offset,
                 f->bad.offset / a->sector_size, strerror(f->bad_sys));
    f->bad.length = 0;
}

static void
note_bad(struct follow *f, const struct range *range, int sys, bool for_good)
{
    bool alike = f->bad.length != 0 && sys == f->bad_sys && for_good == f->bad_for_good;

    /* A retry pass may go backward. */
    if (alike && range_join(&f->bad, range))
        return;
    log_bad(f);
    f->bad = *range;
    f->bad_sys = sys;
    f->bad_for_good = for_good;
}

/* What the last reads gave of a disk that was pulled, or exchanged, is not what was asked for. */
static int
check_source(const struct acquisition *a, const struct supervisor_message *m, struct err *err)
{
    const char *why = m->size != a->source_size                ? "has gone or changed its size"
                      : m->diskseq != a->device->diskseq       ? "has got another medium"
                      : a->flag_lost && !flag_is_full(&m->now) ? "cannot be kept read-only"
                                                               : NULL;

    if (!why || (a->result.finishing && a->result.unreadable.n == 0))
        return 0;
    return err_set(err, OUTCOME_INTERRUPTED, "the source %s", why);
}

static int
check_write_block(struct follow *f, struct err *err)
{
    struct acquisition *a = f->a;

    f->checked = clock_monotonic_ns();
    /* What is rescued is there, whatever becomes of the drive. */
    if (!a->device || (a->result.rescue.over && f->rescued_seen))
        return 0;
    f->rescued_seen = a->result.rescue.over;
    return protection_look(a, err) == 0 ? check_source(a, &a->last, err) : -1;
}

static json_int_t
number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static int
note_pass(struct acquisition *a, const json_t *message, struct err *err)
{
    json_t *pass = json_deep_copy(message);
    int r;

    (void)json_object_del(pass, "type");
    joblog_event(a->log,
                 "%s, pass %" JSON_INTEGER_FORMAT ": %" JSON_INTEGER_FORMAT
                 " reads, %" JSON_INTEGER_FORMAT " failed; %" JSON_INTEGER_FORMAT
                 " bytes rescued so far, %" JSON_INTEGER_FORMAT " bad",
                 json_text_or_null(pass, "phase"), number(pass, "pass"), number(pass, "reads"),
                 number(pass, "errors"), number(pass, "rescued"), number(pass, "bad"));
    r = jobstate_pass(a, pass, err);
    json_decref(pass);
    return r;
}

static int
handle_event(struct follow *f, const json_t *m, struct err *err)
{
    struct acquisition *a = f->a;
    struct result_news news;

    if (result_take(&a->result, m, &news, err) != 0)
        return -1;
    switch (news.event) {
    case RESULT_READY:
        joblog_event(a->log, "reading begins (%s); worker as uid %" PRIu64 ", sandbox: %s",
                     a->result.direct ? "direct I/O" : "through the page cache", a->result.uid,
                     *a->result.sandbox_missing ? a->result.sandbox_missing
                                                : "Landlock and seccomp");
        break;
    case RESULT_UNREADABLE:
        note_bad(f, &news.range, news.sys, true);
        if (jobstate_unreadable(a, &news.range, news.sys, err) != 0)
            return -1;
        /* In rescue mode its failing reads were told as they came. */
        if (a->options.rescue)
            return 0;
        return check_write_block(f, err) == 0 ? source_watch_unreadable(&f->watch, err) : -1;
    case RESULT_READ_ERROR:
        note_bad(f, &news.range, news.sys, false);
        return check_write_block(f, err) == 0 ? source_watch_unreadable(&f->watch, err) : -1;
    case RESULT_PASS:
        log_bad(f);
        return note_pass(a, news.pass, err);
    case RESULT_COMPARED:
        joblog_event(a->log,
                     "%" PRIu64 " bytes were rescued before; %" PRIu64
                     " samples of them match the source, %" PRIu64 " could not be read",
                     a->result.rescue.found, a->result.rescue.samples,
                     a->result.rescue.samples_lost);
        break;
    case RESULT_RESCUED:
        log_bad(f);
        joblog_event(a->log, "all that the source gives is rescued; the image is made of it");
        return check_write_block(f, err);
    case RESULT_FINISHING:
        log_bad(f);
        joblog_event(a->log, "all of the source has been read");
        break;
    case RESULT_RESUMED:
        joblog_event(a->log,
                     "the source is read from byte %" PRIu64
                     " on; hash states are rebuilt from the "
                     "%" PRIu64 " bytes on the destination; %" PRIu64 " bytes discarded; %" PRIu64
                     " samples match the source, %" PRIu64 " could not be read",
                     a->result.resumed_at, a->result.resumed_at, a->result.discarded,
                     a->result.samples, a->result.samples_lost);
        return jobstate_resumed(a, err);
    case RESULT_SEGMENT:
        return jobstate_segment(a, news.sink, err);
    case RESULT_DURABLE:
        return jobstate_durable(a, news.sink, err);
    case RESULT_SINK_FAILED:
    case RESULT_NOTED:
        break;
    }
    return 0;
}

static int
hear_worker(struct follow *f, struct err *err)
{
    bool end = false;
    json_t *m = channel_receive(f->events, &end, err);
    int r;

    if (end) {
        (void)close(f->events);
        f->events = -1;
        return 0;
    }
    if (!m)
        return -1;
    r = handle_event(f, m, err);
    json_decref(m);
    return r;
}

static void
show(struct acquisition *a)
{
    const struct result *r = &a->result;
    bool rescuing = a->options.rescue && !r->rescue.over;
    uint64_t bad = rescuing ? r->rescue.bad / a->sector_size : acquisition_unreadable_sectors(a);
    const char *phase = *r->rescue.phase ? r->rescue.phase : "acquire";

    /* The rate is that of the source. */
    if (!r->finishing && !(a->options.rescue && r->rescue.over))
        rate_note(&a->rate, clock_monotonic_ns(), r->bytes_done, r->bytes_done == a->length);
    if (r->finishing)
        progress_update(a->progress, "finish", a->length, a->length, bad);
    else
        progress_update(a->progress, watch_is_paused(&a->watch) ? "paused" : phase, r->bytes_done,
                        a->length, bad);
}

/* A job that will run out of space is better known to in time. It is not stopped: it may compress
   better from here on, and where it does not it ends resumable. */
static void
check_space(struct follow *f)
{
    struct acquisition *a = f->a;

    /* What is there already is read again first, and nothing is written then. */
    if (clock_monotonic_ns() - f->space_seen < SPACE_INTERVAL_NS ||
        a->result.bytes_done <= a->result.resumed_at ||
        (a->options.rescue && !a->result.rescue.over))
        return;
    f->space_seen = clock_monotonic_ns();
    for (size_t i = 0; i < a->n_dest; i++) {
        struct err ignored = ERR_INIT;
        uint64_t left;
        uint64_t id;

        if (a->result.sinks[i].failed ||
            destination_space(acquisition_written_to(a, i), &left, &id, &ignored) != 0 ||
            !space_look(&f->space[i], left, a->result.bytes_done, a->length))
            continue;
        progress_clear(a->progress);
        joblog_event(a->log,
                     "%s: %" PRIu64 " bytes are free; at the present ratio %" PRIu64
                     " more will be needed",
                     a->dest[i].path, left, f->space[i].need);
        (void)fprintf(stderr,
                      "exhibit: warning: '%s' will run out of space: %" PRIu64
                      " bytes are free, about %" PRIu64
                      " more will be needed; free some, or let it end and continue with --resume "
                      "--segment-dir\n",
                      a->dest[i].path, left, f->space[i].need);
    }
}

static int
follow_once(struct follow *f, struct err *err)
{
    struct acquisition *a = f->a;
    struct pollfd p[3] = {
        {.fd = f->events, .events = POLLIN},
        {.fd = session_fd(a->session), .events = POLLIN},
        {.fd = source_watch_fd(&f->watch), .events = POLLIN},
    };
    struct timespec wait = {.tv_sec = 1};
    sigset_t none;

    (void)sigemptyset(&none);
    if (ppoll(p, 3, &wait, &none) < 0 && errno != EINTR)
        return err_errno(err, "cannot wait for the worker");
    if (interrupted > 0)
        stop_worker(f);
    if (interrupted > 1)
        return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
    /* First the supervisor: what the worker says may ask it something, and the answer brings along
       what was waiting here. */
    if (p[1].revents && session_hear(a->session, err) != 0)
        return -1;
    protection_hear(a);
    if (p[0].revents && hear_worker(f, err) != 0)
        return -1;
    if (source_watch_turn(&f->watch, f->events, p[2].revents != 0, err) != 0)
        return -1;
    check_space(f);
    if (clock_monotonic_ns() - f->checked > CHECK_INTERVAL_NS)
        return check_write_block(f, err);
    return 0;
}

/* What the worker's end means, with what it has said before. */
static int
conclude(struct follow *f, int status, struct err *err)
{
    const struct result *r = &f->a->result;

    if (r->failed) {
        *err = r->err;
        return -1;
    }
    if (status == 127 && !r->ready)
        return err_set(err, OUTCOME_FAILED,
                       "the worker could not be started as uid %u: may that user run it?",
                       (unsigned)f->a->writer.uid);
    /* What is on the destination is as good as after any other end. */
    if (status > 128 && r->ready)
        return err_set(err, OUTCOME_INTERRUPTED, "the worker was ended by signal %d (%s)",
                       status - 128, strsignal(status - 128));
    if (status != 0 || !r->done)
        return err_set(err, OUTCOME_FAILED, "the worker ended unexpectedly (status %d)", status);
    return 0;
}

int
run_worker(struct acquisition *a, struct err *err)
{
    struct follow f = {.a = a, .events = -1, .checked = clock_monotonic_ns()};
    int status = 0;
    int r;

    a->result.length = a->length;
    a->result.n_sinks = a->n_dest;
    for (size_t i = 0; i < a->n_dest; i++)
        a->result.sinks[i].name = a->dest[i].name;
    source_watch_begin(&f.watch, a);
    r = start_worker(a, &f.events, err);
    while (r == 0 && (f.events >= 0 || !session_worker_ended(a->session, &status))) {
        r = follow_once(&f, err);
        show(a);
    }
    source_watch_end(&f.watch);
    if (f.events >= 0)
        (void)close(f.events);
    log_bad(&f);
    if (r == 0 && check_write_block(&f, err) != 0)
        r = -1;
    if (r == 0)
        return conclude(&f, status, err);
    if (session_has_gone(a->session) && a->result.ready)
        err->outcome = OUTCOME_INTERRUPTED;
    return -1;
}
