/*
 * exhibit-worker: reads the source, hashes, compresses, writes. It is born with the descriptors of
 * acquire/worker_fds.h, as the requesting user, and can open nothing but files below its
 * destination directories. What it finds it tells the front, which writes the papers.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "acquire/channel.h"
#include "acquire/existing.h"
#include "acquire/gate.h"
#include "acquire/job.h"
#include "acquire/lanes.h"
#include "acquire/pipeline.h"
#include "acquire/resume.h"
#include "acquire/worker_fds.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/sandbox.h"
#include "common/size.h"
#include "common/text.h"

/* How often the front hears how far the job is. */
#define PROGRESS_MS 200

struct worker {
    struct job job;
    struct resume resume; /* what is on the destination already */
    size_t n_dirs;
    size_t n_sinks; /* the first of these directories are theirs */
    struct sandbox_state sandbox;
    struct source *source; /* the gate's */
    struct gate *gate;
    bool direct;
    struct lanes *lanes;
    struct existing *existing; /* what is imaged already, or NULL */
    uint64_t known_until;      /* its end, bytes of the image */
    int dirs[WORKER_DIRS_MAX]; /* their descriptors */
    struct sink_spec specs[WORKER_SINKS_MAX];
    struct segment_log *logs[WORKER_SINKS_MAX];
    size_t told[WORKER_SINKS_MAX]; /* segments that the front knows of */
    uint64_t told_durable[WORKER_SINKS_MAX];
    struct pipeline_sink sinks[WORKER_SINKS_MAX];
    struct pipeline *pipeline;
    int stop_pipe[2]; /* closing the write end ends the control thread */
};

static json_t *
message(const char *type)
{
    json_t *m = json_object();

    json_set_text(m, "type", type);
    return m;
}

/* If the front has gone there is nobody to tell; the control thread sees that and stops the job. */
static void
tell(json_t *m)
{
    struct err ignored = ERR_INIT;

    (void)channel_send(WORKER_FD_EVENTS, m, &ignored);
}

static void
tell_error(const struct err *err)
{
    json_t *m = message("error");

    json_set_u64(m, "outcome", err->outcome);
    json_set_u64(m, "errno", (uint64_t)err->sys);
    json_set_text(m, "text", err->text);
    tell(m);
}

static void
tell_unreadable(void *context, const struct range *range, int sys)
{
    json_t *m = message("unreadable");

    (void)context;
    json_set_u64(m, "offset", range->offset);
    json_set_u64(m, "length", range->length);
    json_set_u64(m, "errno", (uint64_t)sys);
    tell(m);
}

static json_t *
libraries(void)
{
    json_t *v = json_object();

    json_set_text(v, "openssl", digest_library());
    json_set_text(v, "libewf", sink_e01_library());
    json_set_text(v, "isa-l", packer_library_fast());
    json_set_text(v, "libdeflate", packer_library_best());
    return v;
}

static void
tell_ready(const struct worker *w)
{
    json_t *m = message("ready");

    json_set_bool(m, "no_new_privs", w->sandbox.no_new_privs);
    json_set_bool(m, "seccomp", w->sandbox.seccomp);
    json_set_u64(m, "landlock_abi", (uint64_t)w->sandbox.landlock_abi);
    json_set_text(m, "missing", w->sandbox.missing);
    json_set_u64(m, "uid", getuid());
    json_set_bool(m, "direct", w->direct);
    (void)json_object_set_new(m, "libraries", libraries());
    tell(m);
}

static void
tell_progress(const struct worker *w)
{
    json_t *m = message("progress");
    uint64_t offset;
    uint64_t ms;

    json_set_u64(m, "done", pipeline_bytes_done(w->pipeline));
    if (gate_waiting(w->gate, &offset, &ms)) {
        json_set_u64(m, "waiting_offset", offset);
        json_set_u64(m, "waiting_ms", ms);
    }
    tell(m);
}

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

/* An E01 that goes on needs all of its segments open. Not possible any more in the sandbox. */
static void
allow_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int
enter_sandbox(struct worker *w, struct err *err)
{
    struct sandbox_spec spec = {
        .write_dirs = w->dirs,
        .n_write_dirs = w->n_dirs,
        .allow_threads = true,
        .allow_send = true,
        /* Segments in earlier directories are linked into the new one: sink_e01.c. */
        .allow_links = w->n_dirs > w->n_sinks,
    };

    for (size_t i = 0; i < w->n_dirs; i++)
        w->dirs[i] = WORKER_FD_DIR + (int)i;
    allow_many_files();
    if (sandbox_limit(0, 0, err) != 0)
        return -1;
    return sandbox_enter(&spec, w->job.lenient, &w->sandbox, err);
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

static void
tell_resumed(const struct worker *w, uint64_t at, const struct existing_samples *samples)
{
    json_t *m = message("resumed");
    json_t *kept = json_array();
    json_t *durable = json_array();
    uint64_t discarded = 0;

    for (size_t i = 0; i < w->n_sinks; i++) {
        discarded += w->sinks[i].sink->discarded;
        (void)json_array_append_new(kept, json_integer((json_int_t)w->sinks[i].sink->kept));
        (void)json_array_append_new(durable, json_integer((json_int_t)w->sinks[i].sink->from));
    }
    json_set_u64(m, "at", at);
    json_set_u64(m, "discarded", discarded);
    json_set_u64(m, "samples", samples->compared);
    json_set_u64(m, "samples_lost", samples->lost);
    (void)json_object_set_new(m, "kept", kept);
    (void)json_object_set_new(m, "durable", durable);
    tell(m);
}

/* The sink that has the most is read instead of the source, up to there. */
static int
go_on(struct worker *w, struct err *err)
{
    struct existing_samples samples = {0};
    size_t most = 0;
    struct existing_spec spec = {
        .e01 = w->job.e01,
        .source = w->source,
        .offset = w->job.offset,
        .known = &w->resume.known,
    };

    if (!w->resume.again)
        return 0;
    for (size_t i = 1; i < w->n_sinks; i++) {
        if (w->sinks[i].sink->from > w->sinks[most].sink->from)
            most = i;
    }
    spec.sink = &w->specs[most];
    spec.kept = w->sinks[most].sink->kept;
    spec.until = w->sinks[most].sink->from;
    if (spec.until > 0) {
        w->existing = existing_open(&spec, err);
        if (!w->existing || existing_compare(w->existing, &samples, err) != 0)
            return -1;
    }
    w->known_until = spec.until;
    tell_resumed(w, spec.until, &samples);
    return 0;
}

static int
set_up(struct worker *w, struct err *err)
{
    if (receive_job(w, err) != 0)
        return -1;
    /* Before the sandbox: OpenSSL may read its configuration when it first looks up a digest. */
    w->lanes = lanes_new(&w->job, err);
    if (!w->lanes || enter_sandbox(w, err) != 0)
        return -1;
    w->source = source_from_fd(WORKER_FD_SOURCE, w->job.offset, &w->direct, err);
    if (!w->source)
        return -1;
    w->gate = gate_new(w->source);
    w->source = gate_source(w->gate);
    tell_ready(w);
    return make_sinks(w, err) == 0 ? go_on(w, err) : -1;
}

static void
tear_down(struct worker *w)
{
    pipeline_free(w->pipeline);
    for (size_t i = 0; i < w->n_sinks; i++) {
        if (w->sinks[i].sink)
            w->sinks[i].sink->ops->free(w->sinks[i].sink);
        segment_log_free(w->logs[i]);
    }
    existing_free(w->existing);
    lanes_free(w->lanes);
    source_close(w->source);
    resume_clear(&w->resume);
    job_clear(&w->job);
}

static void
tell_segment(const struct worker *w, size_t sink, size_t number)
{
    struct segment v = segment_log_at(w->logs[sink], number);
    json_t *m = message("segment");

    if (!w->job.e01)
        lanes_segment_hashes(w->lanes, number, v.md5, v.sha256);
    json_set_u64(m, "sink", sink);
    json_set_text(m, "file", v.file);
    json_set_u64(m, "size", v.size);
    json_set_text(m, "md5", v.md5);
    json_set_text(m, "sha256", v.sha256);
    json_set_u64(m, "media_offset", v.media_offset);
    json_set_u64(m, "media_length", v.media_length);
    tell(m);
}

/* What has become durable since: closed segments whose hashes are known, and the open raw file.
   Only one thread at a time calls this. */
static void
tell_durable(struct worker *w)
{
    size_t hashed = w->job.e01 ? SIZE_MAX : lanes_segments_done(w->lanes);

    for (size_t i = 0; i < w->n_sinks; i++) {
        size_t done = segment_log_done(w->logs[i]);
        uint64_t media = segment_log_durable(w->logs[i]);

        while (w->told[i] < done && w->told[i] < hashed)
            tell_segment(w, i, w->told[i]++);
        /* Only in the file after the segments that were told is a part promised. */
        if (!w->job.e01 && w->told[i] == done && media > w->told_durable[i]) {
            json_t *m = message("durable");

            json_set_u64(m, "sink", i);
            json_set_u64(m, "media", media);
            tell(m);
            w->told_durable[i] = media;
        }
    }
}

/* --- the run --- */

/* "pause", "continue", or the end of the job: "stop", or a front that has gone. */
static bool
obey(struct worker *w)
{
    struct err ignored = ERR_INIT;
    bool end = false;
    json_t *m = channel_receive(WORKER_FD_EVENTS, &end, &ignored);
    const char *type = m ? json_text_or_null(m, "type") : NULL;
    bool pause = type && strcmp(type, "pause") == 0;
    bool stop = !pause && (!type || strcmp(type, "continue") != 0);

    json_decref(m);
    if (stop) {
        pipeline_stop(w->pipeline);
        gate_stop(w->gate);
    } else {
        gate_pause(w->gate, pause);
    }
    return !stop;
}

/* Listens to the front and reports progress, until the pipe is closed. */
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
        tell_durable(w);
    }
}

static int
run_pipeline(struct worker *w, struct err *err)
{
    struct pipeline_spec spec = {
        .reader = {.source = w->existing ? existing_source(w->existing) : w->source,
                   .offset = w->job.offset,
                   .length = w->job.length,
                   .sector_size = w->job.sector_size,
                   .retries = w->job.retries,
                   .known = &w->resume.known,
                   .known_until = w->known_until,
                   .on_unreadable = tell_unreadable},
        .sinks = w->sinks,
        .n_sinks = w->n_sinks,
        .pack = w->job.e01,
        .compression = w->job.compression,
        .chunk_size = (size_t)w->job.sectors_per_chunk * w->job.sector_size,
        .n_packers = w->job.threads,
    };
    pthread_t controller;
    int r;

    spec.lanes = lanes_list(w->lanes, &spec.n_lanes);
    if (pipe(w->stop_pipe) != 0)
        return err_errno(err, "cannot make a pipe");
    w->pipeline = pipeline_start(&spec, err);
    if (!w->pipeline)
        return -1;
    if (pthread_create(&controller, NULL, control, w) != 0)
        return err_set(err, OUTCOME_FAILED, "cannot start a thread");
    r = pipeline_wait(w->pipeline, err);
    (void)close(w->stop_pipe[1]);
    (void)pthread_join(controller, NULL);
    (void)close(w->stop_pipe[0]);
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

/* The hashes go into the E01; then its last segment is closed, hashed and made durable. */
static void
finish_sink(struct worker *w, size_t i, const struct manifest_hashes *hashes)
{
    struct pipeline_sink *s = &w->sinks[i];
    struct sink_final final = {
        .hashes = hashes,
        .unreadable = pipeline_unreadable(w->pipeline),
    };

    if (s->failed)
        return;
    if (check_kept(w, i, &s->err) != 0 || s->sink->ops->finish(s->sink, &final, &s->err) != 0 ||
        segment_log_finish(w->logs[i], &s->err) != 0)
        pipeline_sink_drop(s);
}

/* --- the result --- */

static void
tell_hashes(const char *type, uint64_t offset, uint64_t length,
            const struct manifest_hashes *hashes)
{
    json_t *m = message(type);

    json_set_u64(m, "offset", offset);
    json_set_u64(m, "length", length);
    (void)json_object_set_new(m, "hashes", manifest_hashes_json(hashes));
    tell(m);
}

static void
tell_pieces(struct worker *w)
{
    for (uint64_t at = 0; w->job.piecewise != 0 && at < w->job.length; at += w->job.piecewise) {
        uint64_t left = w->job.length - at;
        struct manifest_hashes hashes = {0};

        lanes_piece_hashes(w->lanes, (size_t)(at / w->job.piecewise), &hashes);
        tell_hashes("piece", at, left < w->job.piecewise ? left : w->job.piecewise, &hashes);
        manifest_hashes_free(&hashes);
    }
}

/* At least one sink must have come through; those that have not are named. */
static int
tell_result(struct worker *w, const struct manifest_hashes *hashes, struct err *err)
{
    size_t good = 0;

    for (size_t i = 0; i < w->n_sinks; i++) {
        if (w->sinks[i].failed) {
            json_t *m = message("sink-failed");

            json_set_u64(m, "sink", i);
            json_set_text(m, "text", w->sinks[i].err.text);
            tell(m);
            *err = w->sinks[i].err;
        } else {
            good++;
        }
    }
    tell_durable(w);
    if (good == 0)
        return -1;
    tell_pieces(w);
    tell_hashes("hashes", 0, w->job.length, hashes);
    tell(message("done"));
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

    if (set_up(w, err) != 0)
        return -1;
    if (run_pipeline(w, err) != 0) {
        if (w->pipeline)
            keep_what_is_written(w);
        return -1;
    }
    tell(message("finishing"));
    lanes_media_hashes(w->lanes, &hashes);
    for (size_t i = 0; i < w->n_sinks; i++)
        finish_sink(w, i, &hashes);
    r = tell_result(w, &hashes, err);
    manifest_hashes_free(&hashes);
    return r;
}

int
main(int argc, char **argv)
{
    struct worker w = {0};
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
    w.n_dirs = (size_t)n;
    r = run(&w, &err);
    if (r != 0)
        tell_error(&err);
    tear_down(&w);
    return r == 0 ? 0 : (int)err.outcome;
}
