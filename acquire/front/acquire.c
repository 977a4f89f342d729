/*
 * exhibit-acquire: the front. It decides nothing that a supervisor must decide and touches no byte
 * that a worker reads; it prepares, follows, writes the papers, has the image read back, and
 * publishes it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "acquire/front/acquisition.h"
#include "acquire/front/jobstate.h"
#include "acquire/front/papers.h"
#include "acquire/front/prepare.h"
#include "acquire/front/protection.h"
#include "acquire/front/readback.h"
#include "acquire/front/run.h"
#include "acquire/front/sealing.h"
#include "acquire/front/source_facts.h"
#include "acquire/job/mend.h"
#include "acquire/supervisor/record.h"
#include "acquire/supervisor/write_block.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/console.h"
#include "common/json.h"
#include "common/ledger.h"
#include "common/outfile.h"
#include "common/text.h"

static void
check_source_file(struct acquisition *a)
{
    struct stat now;

    if (a->file < 0 || fstat(a->file, &now) != 0)
        return;
    a->source_changed = now.st_size != a->file_stat.st_size ||
                        now.st_mtim.tv_sec != a->file_stat.st_mtim.tv_sec ||
                        now.st_mtim.tv_nsec != a->file_stat.st_mtim.tv_nsec;
    if (a->source_changed)
        joblog_event(a->log, "the source file was changed while it was read");
}

/* The draft is the manifest without the read-back's result; exhibit-verify works from it. */
static int
verify_one(struct acquisition *a, size_t i, struct err *err)
{
    AUTO_FREE char *path =
        xasprintf("%s/%s%s", a->dest[i].partial, a->dest[i].name, MANIFEST_SUFFIX);

    const struct readback spec = {
        .path = path,
        .threads = a->options.threads,
        .progress = a->progress,
        .unreadable = acquisition_unreadable_sectors(a),
    };

    a->verification[i] = readback_run(&spec, err);
    if (!a->verification[i] && err->outcome == OUTCOME_INTERRUPTED)
        return -1;
    /* That nothing was compared is not the same as a difference. */
    if (!a->verification[i])
        a->verification_error[i] = xstrdup(err->text);
    joblog_event(a->log, "read-back of %s: %s", a->dest[i].path,
                 a->verification[i] ? json_text_or_null(a->verification[i], "verdict") : err->text);
    return 0;
}

static bool
is_good(const struct acquisition *a, size_t i)
{
    const char *verdict = json_text_or_null(a->verification[i], "verdict");

    return !a->result.sinks[i].failed &&
           (!a->options.verify || (verdict && strcmp(verdict, "passed") == 0));
}

/* One destination that fails is dropped and told; the other goes on. -1 when none is left. */
static int
drop(struct acquisition *a, size_t i, const struct err *err)
{
    struct sink_result *s = &a->result.sinks[i];

    if (!s->failed) {
        s->failed = true;
        s->error = xstrdup(err->text);
    }
    joblog_event(a->log, "no image at %s: %s", a->dest[i].path, s->error);
    joblog_drop(a->log, i);
    for (size_t k = 0; k < a->n_dest; k++) {
        if (!a->result.sinks[k].failed)
            return 0;
    }
    return -1;
}

/* What belongs to one image, and, where it is read back, what that works from. The names become
   durable with the manifest's. */
static int
write_papers_of(struct acquisition *a, size_t i, struct err *err)
{
    char sha256[DIGEST_HEX_MAX];

    if (papers_write_side_files(a, i, err) != 0)
        return -1;
    return a->options.verify ? papers_write_manifest(a, i, sha256, err) : 0;
}

static int
write_papers(struct acquisition *a, struct err *err)
{
    for (size_t i = 0; i < a->n_dest; i++) {
        if (a->result.sinks[i].failed && drop(a, i, err) != 0)
            return -1;
    }
    papers_log_end(a);
    for (size_t i = 0; i < a->n_dest; i++) {
        if (!a->result.sinks[i].failed && write_papers_of(a, i, err) != 0 && drop(a, i, err) != 0)
            return -1;
    }
    a->complete = true;
    return 0;
}

static int
read_back(struct acquisition *a, struct err *err)
{
    if (!a->options.verify)
        joblog_event(a->log, "the image is not read back (--no-verify)");
    for (size_t i = 0; i < a->n_dest && a->options.verify; i++) {
        if (!a->result.sinks[i].failed && verify_one(a, i, err) != 0)
            return -1;
    }
    return 0;
}

/* The supervisor's record names the hash of one manifest: the first image's, or, where that has
   failed, its copy's. */
static void
finish_session(struct acquisition *a, const char *sha256)
{
    struct supervisor_message m = {.type = SUPERVISOR_FINISH, .release = a->options.release};
    struct err err = ERR_INIT;

    if (!a->device)
        return;
    (void)snprintf(m.text, sizeof m.text, "%s", sha256);
    a->unrecorded = session_ask(a->session, &m, NULL, 0, SUPERVISOR_FINISHED, &err) != 0;
    if (a->unrecorded) {
        joblog_event(a->log, "the supervisor did not finish: %s", err.text);
        return;
    }
    a->unrecorded = m.outcome != OUTCOME_DONE;
    if (a->unrecorded)
        joblog_event(a->log, "the supervisor: %s", m.text);
    else
        joblog_event(a->log, "the supervisor's record: %s", m.text);
    session_leave(a->session);
    a->released = a->options.release && m.now.read_only == 0;
    if (a->released)
        joblog_event(a->log, "the write block is lifted");
}

/* The ledger's first line, bound to the manifest by its hash. */
static int
begin_ledger(const struct acquisition *a, size_t i, const char *sha256, struct err *err)
{
    AUTO_FREE char *name = xasprintf("%s" LEDGER_SUFFIX, a->dest[i].name);
    AUTO_FREE char *file = xasprintf("%s%s", a->dest[i].name, MANIFEST_SUFFIX);
    json_t *event = ledger_event("acquired");
    json_t *manifest = json_object();

    json_set_text(event, "source", a->options.source);
    json_set_text(event, "evidence", a->options.evidence_number);
    json_set_text(event, "examiner", a->options.examiner);
    json_set_text(manifest, "file", file);
    json_set_text(manifest, "sha256", sha256);
    (void)json_object_set_new(event, "manifest", manifest);
    return ledger_append(a->dest[i].dir, name, event, NULL, NULL, err);
}

/* Names appear when they are true: an image that does not read back gets none. */
static int
publish_one(struct acquisition *a, size_t i, struct err *err)
{
    AUTO_FREE char *last = xasprintf("%s%s", a->dest[i].name, MANIFEST_SUFFIX);

    if (joblog_sync(a->log, i, err) != 0)
        return -1;
    if (!is_good(a, i))
        return 0;
    for (size_t k = 0; i == 0 && k < a->n_places; k++) {
        if (jobstate_moving(a, a->n_dest + k, err) != 0 ||
            destination_publish(&a->place[k], NULL, err) != 0)
            return -1;
    }
    if (jobstate_moving(a, i, err) != 0)
        return -1;
    /* Nothing is open any more: where a move is a link and a removal, FUSE and NFS would keep it.
     */
    joblog_drop(a->log, i);
    return destination_publish(&a->dest[i], last, err);
}

/* What has failed may be continued yet. */
static bool
all_good(const struct acquisition *a)
{
    for (size_t i = 0; i < a->n_dest; i++) {
        if (!is_good(a, i))
            return false;
    }
    return true;
}

static int
publish(struct acquisition *a, struct err *err)
{
    char sha256[WORKER_SINKS_MAX][DIGEST_HEX_MAX] = {{0}};

    a->publishing = true;
    protection_end(a);
    for (size_t i = 0; i < a->n_dest; i++) {
        if (!a->result.sinks[i].failed &&
            (papers_write_manifest(a, i, sha256[i], err) != 0 ||
             begin_ledger(a, i, sha256[i], err) != 0) &&
            drop(a, i, err) != 0)
            return -1;
    }
    finish_session(a, sha256[a->result.sinks[0].failed ? a->n_dest - 1 : 0]);
    for (size_t i = 0; i < a->n_dest; i++) {
        if (!a->result.sinks[i].failed && publish_one(a, i, err) != 0 && drop(a, i, err) != 0)
            return -1;
    }
    if (all_good(a))
        jobstate_remove(a);
    return 0;
}

/* The image is whole without: what is missing is named, and can be had later. */
static void
seal(struct acquisition *a)
{
    const char *paths[WORKER_SINKS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < a->n_dest; i++) {
        if (is_good(a, i))
            paths[n++] = a->dest[i].path;
    }
    progress_clear(a->progress);
    a->unsealed = a->sealing && n > 0 && !sealing_finish(a->sealing, paths, n);
}

/* --- what people see --- */

static void
summarize(const struct acquisition *a)
{
    AUTO_FREE char *source = text_printable(a->options.source);
    AUTO_FREE char *dest = text_printable(a->options.dest);
    uint64_t sectors = acquisition_unreadable_sectors(a);

    (void)printf("acquired '%s' to '%s' (%s, %zu segment%s, %" PRIu64 " bytes of media)\n", source,
                 dest, a->options.e01 ? "E01" : "raw", a->result.sinks[0].n_segments,
                 a->result.sinks[0].n_segments == 1 ? "" : "s", a->length);
    for (size_t i = 0; i < a->result.hashes.n; i++)
        (void)printf("  %-10s %s\n", a->result.hashes.v[i].name, a->result.hashes.v[i].hex);
    if (a->device)
        (void)printf("  write block %s%s\n",
                     write_block_level_name((enum write_block_level)a->opened.level),
                     a->released                  ? "; lifted"
                     : flag_is_full(&a->last.now) ? "; stays until 'exhibit release' lifts it"
                                                  : "");
    (void)printf("  read back   %s\n", a->options.verify ? "passed" : "not run (--no-verify)");
    if (sectors > 0)
        (void)printf("  UNREADABLE  %" PRIu64 " sectors in %zu ranges, filled with zero; see "
                     "'%s.log'\n",
                     sectors, a->result.unreadable.n, dest);
}

static void
print_manifest(const struct acquisition *a)
{
    json_t *v = papers_manifest(a, 0);
    AUTO_FREE char *text = json_to_text(v);

    (void)fputs(text, stdout);
    json_decref(v);
}

/* The findings of a job that came to its end, and the exit code for them. */
static int
report_end(const struct acquisition *a)
{
    enum outcome outcome = OUTCOME_DONE;

    for (size_t i = 0; i < a->n_dest; i++) {
        struct err err = ERR_INIT;

        if (a->result.sinks[i].failed)
            (void)err_set(&err, OUTCOME_FAILED,
                          "no image at '%s': %s; what was written lies in "
                          "'%s'",
                          a->dest[i].path, a->result.sinks[i].error, a->dest[i].partial);
        else if (a->verification_error[i])
            (void)err_set(&err, OUTCOME_FAILED,
                          "the image '%s' is complete, but %s; it stays in '%s': 'exhibit verify' "
                          "checks it",
                          a->dest[i].path, a->verification_error[i], a->dest[i].partial);
        else if (!is_good(a, i))
            (void)err_set(&err, OUTCOME_MISMATCH,
                          "the image '%s' does not read back as it was "
                          "written: it must not be used; it stays in '%s'",
                          a->dest[i].path, a->dest[i].partial);
        else
            continue;
        if (outcome != OUTCOME_MISMATCH)
            outcome = err.outcome;
        (void)err_report(&err);
    }
    if (a->source_changed) {
        AUTO_FREE char *source = text_printable(a->options.source);

        (void)fprintf(stderr, "exhibit: warning: '%s' was changed while it was read\n", source);
    }
    if (a->unrecorded)
        (void)fprintf(stderr, "exhibit: warning: the image is complete, but the supervisor's "
                              "record of the job is not; its log says why\n");
    if (a->unsealed)
        (void)fprintf(stderr, "exhibit: warning: the image is complete, but a signature or a time "
                              "stamp is missing; 'exhibit seal' adds it\n");
    if (outcome == OUTCOME_DONE && (a->result.unreadable.n > 0 || a->source_changed))
        outcome = OUTCOME_FINDINGS;
    return (int)outcome;
}

/* Nothing more can be written where the image lies. */
static bool
is_full(int sys)
{
    return sys == ENOSPC || sys == EDQUOT || sys == EROFS || sys == EIO;
}

/* The command that goes on with the job, as a shell takes it. */
static void
say_resume(const struct acquisition *a)
{
    bool full = a->result.failed && is_full(a->result.err.sys);
    AUTO_FREE char *source = papers_quoted(a->options.source);
    AUTO_FREE char *dest = papers_quoted(a->options.dest);
    AUTO_FREE char *safe_source = text_printable(source);
    AUTO_FREE char *safe_dest = text_printable(dest);
    const char *job = getenv(DAEMON_JOB_VARIABLE);

    if (job)
        (void)fprintf(stderr, "exhibit: to continue: exhibit resume %.20s%s\n", job,
                      full ? " (once there is room again)" : "");
    else
        (void)fprintf(stderr, "exhibit: to continue: exhibit acquire --resume %s %s%s\n",
                      safe_source, safe_dest,
                      full ? " (--segment-dir DIR writes the rest elsewhere)" : "");
    if (a->options.progress == PROGRESS_JSON)
        (void)fputs("{\"resumable\":true}\n", stderr);
}

static bool
some_failed(const struct acquisition *a)
{
    for (size_t i = 0; i < a->n_dest; i++) {
        if (a->result.sinks[i].failed)
            return true;
    }
    return false;
}

/* Nothing half-made is left without a word. */
static void
report_leftovers(struct acquisition *a)
{
    bool resumable = jobstate_is_kept(a) && (a->result.ready || a->options.resume);

    /* A job whose worker never came to read has nothing to keep. */
    if (!resumable && !a->options.resume)
        jobstate_remove(a);
    for (size_t i = 0; i < a->n_dest; i++) {
        AUTO_FREE char *log = xasprintf("%s.log", a->dest[i].name);
        AUTO_FREE char *safe = NULL;

        if (a->dest[i].dir < 0)
            continue;
        if (!a->result.ready && !a->options.resume)
            (void)unlinkat(a->dest[i].dir, log, 0);
        if (!a->options.resume && destination_remove_empty(&a->dest[i]))
            continue;
        safe = text_printable(a->dest[i].partial);
        (void)fprintf(stderr,
                      a->complete ? "exhibit: the image is complete and lies in '%s'; 'exhibit "
                                    "verify' checks it there\n"
                                  : "exhibit: what was written so far lies in '%s'; it is no "
                                    "image yet\n",
                      safe);
    }
    if (resumable)
        say_resume(a);
}

/* A signal ends the job at the next step, also where nothing waits for it. */
static int
check_interrupt(struct acquisition *a, struct err *err)
{
    if (!run_was_interrupted())
        return 0;
    joblog_event(a->log, "ended: interrupted");
    jobstate_ended(a, "interrupted");
    return err_set(err, OUTCOME_INTERRUPTED, "interrupted");
}

static int
acquire(struct acquisition *a, struct err *err)
{
    if (prepare(a, err) != 0)
        return -1;
    a->facts = source_facts_begin(a);
    papers_log_begin(a);
    source_facts_warn(a);
    if (run_worker(a, err) != 0) {
        joblog_event(a->log, "ended: %s", err->text);
        jobstate_ended(a, err->text);
        return -1;
    }
    a->finished = clock_now();
    source_facts_end(a);
    jobstate_place_segments(a);
    check_source_file(a);
    if (check_interrupt(a, err) != 0 || write_papers(a, err) != 0 || check_interrupt(a, err) != 0 ||
        read_back(a, err) != 0 || check_interrupt(a, err) != 0)
        return -1;
    if (publish(a, err) != 0)
        return -1;
    seal(a);
    return 0;
}

int
main(int argc, char **argv)
{
    static struct acquisition a = {.file = -1};
    /* The daemon asks so whether it has put a command line together that will be taken. */
    int check = argc > 1 && strcmp(argv[1], "--check-options") == 0;
    struct err err = ERR_INIT;
    int code;

    console_begin();
    if (acquire_options_parse(argc - check, argv + check, &a.options, &err) != 0)
        return err_report(&err);
    if (check)
        return console_end(OUTCOME_DONE);
    run_catch_signals();
    (void)umask(022);
    a.progress = progress_new(a.options.quiet ? PROGRESS_NONE : a.options.progress);
    if (acquire(&a, &err) != 0) {
        progress_free(a.progress);
        if (a.result.ready && !a.result.failed && jobstate_is_kept(&a) && mend_can(err.sys))
            err.outcome = OUTCOME_INTERRUPTED;
        code = err_report(&err);
        if (code != OUTCOME_DONE && code != OUTCOME_FINDINGS)
            report_leftovers(&a);
    } else {
        progress_free(a.progress);
        code = report_end(&a);
        if (some_failed(&a) && jobstate_is_kept(&a))
            say_resume(&a);
        if (a.options.json)
            print_manifest(&a);
        else if (!a.options.quiet && (code == OUTCOME_DONE || code == OUTCOME_FINDINGS))
            summarize(&a);
    }
    for (size_t i = 0; i < a.n_dest; i++) {
        json_decref(a.verification[i]);
        free(a.verification_error[i]);
    }
    prepare_undo(&a);
    return console_end(code);
}
