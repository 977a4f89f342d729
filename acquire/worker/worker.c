/*
 * exhibit-worker: reads the source, hashes, compresses, writes. It is born with the descriptors of
 * acquire/job/worker_fds.h, as the requesting user, and can open nothing but files below its
 * destination directories. What it finds it tells the front, which writes the papers.
 */
#include <signal.h>

#include "acquire/job/channel.h"
#include "acquire/worker/presence.h"
#include "acquire/worker/worker.h"
#include "acquire/worker/worker_sandbox.h"
#include "common/size.h"
#include "common/text.h"

/* --- setting up --- */

static int
receive_job(struct worker *w, struct err *err)
{
    bool end;
    json_t *m = channel_receive(WORKER_FD_EVENTS, &end, err);
    int r;

    if (!m)
        return end ? err_set(err, OUTCOME_FAILED, "the front has gone") : -1;
    r = job_from_json(m, &w->job, err);
    json_decref(m);
    if (r != 0)
        return -1;
    w->n_sinks = w->job.copy_name[0] ? 2 : 1;
    if (w->n_sinks > w->n_dirs)
        return err_set(err, OUTCOME_FAILED, "the copy has no directory");
    return resume_receive(WORKER_FD_EVENTS, &w->resume, w->n_dirs, w->job.length, err);
}

static int
enter_sandbox(struct worker *w, struct err *err)
{
    return worker_sandbox(w->dirs, w->n_dirs, w->job.lenient, &w->sandbox, err);
}

static struct sink *
new_sink(struct worker *w, size_t i, struct err *err)
{
    const struct job *j = &w->job;
    struct sink_spec *spec = &w->specs[i];
    struct e01_spec e01 = {
        .sectors_per_chunk = j->sectors_per_chunk,
        .best = j->compression == COMPRESSION_BEST,
        .stored = j->compression < COMPRESSION_FAST,
        .physical = j->physical,
        .removable = j->removable,
        .date = j->date,
        .case_number = j->case_number,
        .evidence_number = j->evidence_number,
        .description = j->description,
        .examiner = j->examiner,
        .notes = j->notes,
        .model = j->model,
        .serial = j->serial,
    };

    *spec = (struct sink_spec){
        .dir = w->dirs[i],
        .name = i == 0 ? j->name : j->copy_name,
        .media_size = j->length,
        .sector_size = j->sector_size,
        .segment_size = j->segment_size,
        .log = w->logs[i],
        .resume = &w->resume,
        .index = i,
        .dirs = w->dirs,
    };
    return j->e01 ? sink_e01_new(spec, &e01, err) : sink_raw_new(spec, err);
}

static int
make_sinks(struct worker *w, struct err *err)
{
    for (size_t i = 0; i < w->n_sinks; i++) {
        w->logs[i] = segment_log_new(WORKER_FD_DIR + (int)i, w->job.e01, err);
        if (!w->logs[i])
            return -1;
        w->sinks[i].sink = new_sink(w, i, err);
        if (!w->sinks[i].sink)
            return -1;
    }
    return 0;
}

/* What the pipeline reads. */
static struct source *
media(const struct worker *w)
{
    return w->rescued ? w->rescued : w->device;
}

/* The sink that has the most is read instead of the source, up to there. */
static int
open_existing(struct worker *w, struct err *err)
{
    struct existing_spec spec = {
        .e01 = w->job.e01,
        .source = media(w),
        .offset = w->job.offset,
    };
    size_t most = 0;

    for (size_t i = 1; i < w->n_sinks; i++) {
        if (w->sinks[i].sink->from > w->sinks[most].sink->from)
            most = i;
    }
    spec.sink = &w->specs[most];
    spec.kept = w->sinks[most].sink->kept;
    spec.until = w->sinks[most].sink->from;
    w->known_until = spec.until;
    if (spec.until > 0)
        w->existing = existing_open(&spec, err);
    return spec.until == 0 || w->existing ? 0 : -1;
}

/* Whether the source still is what an earlier run, or another program, has read. */
static int
compare(struct worker *w, struct samples *samples, struct err *err)
{
    const struct samples_spec spec = {
        .imaged = w->existing ? existing_source(w->existing) : NULL,
        .now = w->device,
        .offset = w->job.offset,
        .until = w->known_until,
        .sector_size = w->job.sector_size,
        .missing = &w->resume.known,
    };

    if (w->rescue)
        return rescue_compare(w->rescue, samples, err);
    return w->existing ? samples_compare(&spec, samples, err) : 0;
}

static int
go_on(struct worker *w, struct err *err)
{
    struct samples samples = {0};

    if (w->resume.again && open_existing(w, err) != 0)
        return -1;
    if (compare(w, &samples, err) != 0)
        return -1;
    if (w->resume.again)
        tell_resumed(w, w->known_until, &samples);
    else if (w->rescue && rescue_found(w->rescue) > 0)
        tell_compared(w, &samples);
    return 0;
}

static int
open_rescue(struct worker *w, struct err *err)
{
    struct rescue_spec spec = {
        .source = w->device,
        .offset = w->job.offset,
        .length = w->job.length,
        .sector_size = w->job.sector_size,
        .retries = w->job.retries,
        .on_error = tell_read_error,
        .on_pass = tell_pass,
        .context = w,
    };

    if (!w->job.rescue)
        return 0;
    if (w->job.staging_dir >= w->n_dirs)
        return err_set(err, OUTCOME_FAILED, "there is no directory to rescue into");
    w->staging = staging_open(w->dirs[w->job.staging_dir], w->job.name, w->job.length, err);
    spec.staging = w->staging;
    w->rescue = w->staging ? rescue_open(&spec, err) : NULL;
    if (!w->rescue)
        return -1;
    w->rescued_gate = gate_new(rescue_source(w->rescue));
    w->rescued = gate_source(w->rescued_gate);
    return 0;
}

static int
set_up(struct worker *w, struct err *err)
{
    struct source *source;

    if (receive_job(w, err) != 0)
        return -1;
    /* Before the sandbox: OpenSSL may read its configuration when it first looks up a digest. */
    w->lanes = lanes_new(&w->job, err);
    if (!w->lanes || enter_sandbox(w, err) != 0)
        return -1;
    source = source_from_fd(WORKER_FD_SOURCE, w->job.offset, &w->direct, err);
    if (!source)
        return -1;
    w->gate = gate_new(source);
    w->device = presence_new(gate_source(w->gate));
    tell_ready(w);
    if (open_rescue(w, err) != 0 || make_sinks(w, err) != 0 || control_begin(w, err) != 0)
        return -1;
    return go_on(w, err);
}

static void
tear_down(struct worker *w)
{
    control_end(w);
    pipeline_free(w->pipeline);
    for (size_t i = 0; i < w->n_sinks; i++) {
        if (w->sinks[i].sink)
            w->sinks[i].sink->ops->free(w->sinks[i].sink);
        segment_log_free(w->logs[i]);
    }
    existing_free(w->existing);
    lanes_free(w->lanes);
    source_close(w->rescued);
    rescue_free(w->rescue);
    staging_free(w->staging);
    source_close(w->device);
    resume_clear(&w->resume);
    job_clear(&w->job);
}

/* --- the run --- */

/* What cannot be read is known before the image is begun. */
static int
rescue_all(struct worker *w, struct err *err)
{
    const struct ranges *bad;

    if (!w->rescue)
        return 0;
    if (rescue_run(w->rescue, err) != 0)
        return -1;
    bad = rescue_unreadable(w->rescue);
    for (size_t i = 0; i < bad->n; i++)
        tell_unreadable(NULL, &bad->v[i], rescue_cause(w->rescue, bad->v[i].offset));
    tell_rescued();
    return 0;
}

static int
run_pipeline(struct worker *w, struct err *err)
{
    struct pipeline_spec spec = {
        .reader = {.source = w->existing ? existing_source(w->existing) : media(w),
                   .offset = w->job.offset,
                   .length = w->job.length,
                   .sector_size = w->job.sector_size,
                   .retries = w->job.retries,
                   .known = w->rescue ? rescue_unreadable(w->rescue) : &w->resume.known,
                   .known_until = w->rescue ? w->job.length : w->known_until,
                   .on_unreadable = tell_unreadable},
        .sinks = w->sinks,
        .n_sinks = w->n_sinks,
        .pack = w->job.e01,
        .compression = w->job.compression,
        .chunk_size = (size_t)w->job.sectors_per_chunk * w->job.sector_size,
        .n_packers = w->job.threads,
    };
    struct pipeline *p;
    int r;

    spec.lanes = lanes_list(w->lanes, &spec.n_lanes);
    p = pipeline_start(&spec, err);
    if (!p)
        return -1;
    control_pipeline(w, p);
    r = pipeline_wait(p, err);
    control_end(w);
    return r;
}

/* A raw segment's hash is made again on the way to the media's; an E01's by its log. */
static int
check_kept(const struct worker *w, size_t sink, struct err *err)
{
    const struct kept_segment *v = w->resume.sinks[sink].v;

    for (size_t i = 0; !w->job.e01 && i < w->sinks[sink].sink->kept; i++) {
        char md5[DIGEST_HEX_MAX];
        char sha256[DIGEST_HEX_MAX];

        lanes_segment_hashes(w->lanes, i, md5, sha256);
        if ((*v[i].md5 && strcmp(v[i].md5, md5) != 0) ||
            (*v[i].sha256 && strcmp(v[i].sha256, sha256) != 0))
            return err_set(err, OUTCOME_FAILED,
                           "segment '%s' does not hold what it held when it was promised: it was "
                           "changed or is damaged",
                           v[i].file);
    }
    return 0;
}

/* The hashes go into the E01, and its last segment is closed. */
static void
finish_sink(struct worker *w, size_t i, const struct manifest_hashes *hashes)
{
    struct pipeline_sink *s = &w->sinks[i];
    struct sink_final final = {
        .hashes = hashes,
        .unreadable = pipeline_unreadable(w->pipeline),
    };

    if (!s->failed &&
        (check_kept(w, i, &s->err) != 0 || s->sink->ops->finish(s->sink, &final, &s->err) != 0))
        pipeline_sink_drop(s);
}

/* What was closed last is hashed and made durable. Meanwhile the pipeline's memory, a hundred
   megabytes, is given back, which would otherwise be waited for at the end. */
static void
finish_sinks(struct worker *w, const struct manifest_hashes *hashes)
{
    for (size_t i = 0; i < w->n_sinks; i++)
        finish_sink(w, i, hashes);
    pipeline_free(w->pipeline);
    w->pipeline = NULL;
    for (size_t i = 0; i < w->n_sinks; i++) {
        struct pipeline_sink *s = &w->sinks[i];

        if (!s->failed && segment_log_finish(w->logs[i], &s->err) != 0)
            pipeline_sink_drop(s);
    }
}

/* --- the result --- */

/* At least one sink must have come through; those that have not are named. */
static int
tell_result(struct worker *w, const struct manifest_hashes *hashes, struct err *err)
{
    size_t good = 0;

    for (size_t i = 0; i < w->n_sinks; i++) {
        if (w->sinks[i].failed) {
            tell_sink_failed(i, &w->sinks[i].err);
            *err = w->sinks[i].err;
        } else {
            good++;
        }
    }
    tell_durable(w);
    if (good == 0)
        return -1;
    tell_pieces(w);
    tell_hashes(w->job.length, hashes);
    tell_done();
    return 0;
}

/* A job that was asked to stop leaves as much behind as it can. */
static void
keep_what_is_written(struct worker *w)
{
    struct err ignored = ERR_INIT;

    for (size_t i = 0; i < w->n_sinks; i++) {
        if (!w->sinks[i].failed)
            (void)segment_log_finish(w->logs[i], &ignored);
    }
    tell_durable(w);
}

static int
run(struct worker *w, struct err *err)
{
    struct manifest_hashes hashes = {0};
    int r;

    if (set_up(w, err) != 0 || rescue_all(w, err) != 0)
        return -1;
    if (run_pipeline(w, err) != 0) {
        if (w->pipeline)
            keep_what_is_written(w);
        return -1;
    }
    tell_finishing();
    lanes_media_hashes(w->lanes, &hashes);
    finish_sinks(w, &hashes);
    r = tell_result(w, &hashes, err);
    manifest_hashes_free(&hashes);
    return r;
}

int
main(int argc, char **argv)
{
    struct worker w = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct err err = ERR_INIT;
    uint64_t n;
    int r;

    if (argc != 2 || number_parse(argv[1], 1, WORKER_DIRS_MAX, "the directories", &n, &err) != 0) {
        (void)err_set(&err, OUTCOME_USAGE,
                      "exhibit-worker is started by 'exhibit acquire', not by "
                      "hand");
        return err_report(&err);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit of a file's size: EFBIG says it */
    w.n_dirs = (size_t)n;
    r = run(&w, &err);
    if (r != 0)
        tell_error(&err);
    tear_down(&w);
    return r == 0 ? 0 : (int)err.outcome;
}
