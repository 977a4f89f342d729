#include <errno.h>
#include <unistd.h>

#include "acquire/job/channel.h"
#include "acquire/worker/worker.h"
#include "common/json.h"
#include "common/text.h"

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

void
tell_error(const struct err *err)
{
    json_t *m = message("error");

    json_set_u64(m, "outcome", err->outcome);
    json_set_u64(m, "errno", (uint64_t)err->sys);
    json_set_text(m, "text", err->text);
    tell(m);
}

void
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
    json_set_text(v, "isa-l", packer_library_fast());
    json_set_text(v, "libdeflate", packer_library_best());
    return v;
}

void
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

/* How far it is; in rescue mode what is rescued, until that is over. */
void
tell_progress(struct worker *w)
{
    json_t *m = message("progress");
    struct rescue_pass pass;
    uint64_t done = 0;
    uint64_t offset;
    uint64_t ms;

    (void)pthread_mutex_lock(&w->lock);
    if (w->pipeline)
        done = pipeline_bytes_done(w->pipeline);
    (void)pthread_mutex_unlock(&w->lock);
    if (w->rescue && rescue_progress(w->rescue, &pass)) {
        done = pass.rescued;
        json_set_text(m, "phase", rescue_phase_name(pass.phase));
        json_set_u64(m, "bad", pass.bad);
    }
    json_set_u64(m, "done", done);
    if (gate_waiting(w->gate, &offset, &ms)) {
        json_set_u64(m, "waiting_offset", offset);
        json_set_u64(m, "waiting_ms", ms);
    }
    tell(m);
}

/* --- going on --- */

void
tell_resumed(struct worker *w, uint64_t at, const struct samples *samples)
{
    json_t *m = message("resumed");
    json_t *kept = json_array();
    json_t *durable = json_array();
    uint64_t discarded = 0;

    for (size_t i = 0; i < w->n_sinks; i++) {
        discarded += w->sinks[i].sink->discarded;
        (void)json_array_append_new(kept, json_integer((json_int_t)w->sinks[i].sink->kept));
        (void)json_array_append_new(durable, json_integer((json_int_t)w->sinks[i].sink->from));
        /* The log begins anew and finishes each kept file again: until then it promises less. */
        w->told_durable[i] = w->sinks[i].sink->from;
    }
    json_set_u64(m, "at", at);
    json_set_u64(m, "discarded", discarded);
    json_set_u64(m, "samples", samples->compared);
    json_set_u64(m, "samples_lost", samples->lost);
    (void)json_object_set_new(m, "kept", kept);
    (void)json_object_set_new(m, "durable", durable);
    tell(m);
}

void
tell_compared(const struct worker *w, const struct samples *samples)
{
    json_t *m = message("compared");

    json_set_u64(m, "found", rescue_found(w->rescue));
    json_set_u64(m, "samples", samples->compared);
    json_set_u64(m, "samples_lost", samples->lost);
    tell(m);
}

/* --- rescue --- */

void
tell_read_error(void *context, const struct range *range, int sys, enum rescue_phase phase)
{
    const struct worker *w = context;
    json_t *m = message("read-error");
    struct rescue_pass pass;

    (void)rescue_progress(w->rescue, &pass);
    json_set_u64(m, "offset", range->offset);
    json_set_u64(m, "length", range->length);
    json_set_u64(m, "errno", (uint64_t)sys);
    json_set_text(m, "phase", rescue_phase_name(phase));
    json_set_u64(m, "rescued", pass.rescued);
    tell(m);
}

void
tell_pass(void *context, const struct rescue_pass *pass)
{
    json_t *m = message("pass");

    (void)context;
    json_set_text(m, "phase", rescue_phase_name(pass->phase));
    json_set_u64(m, "pass", pass->pass);
    json_set_u64(m, "reads", pass->reads);
    json_set_u64(m, "errors", pass->errors);
    json_set_u64(m, "rescued", pass->rescued);
    json_set_u64(m, "bad", pass->bad);
    json_set_u64(m, "milliseconds", pass->ms);
    tell(m);
}

void
tell_rescued(void)
{
    tell(message("rescued"));
}

/* --- what is durable --- */

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

void
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

/* --- the end --- */

void
tell_finishing(void)
{
    tell(message("finishing"));
}

void
tell_sink_failed(size_t sink, const struct err *err)
{
    json_t *m = message("sink-failed");

    json_set_u64(m, "sink", sink);
    json_set_text(m, "text", err->text);
    tell(m);
}

static void
tell_hash_list(const char *type, uint64_t offset, uint64_t length,
               const struct manifest_hashes *hashes)
{
    json_t *m = message(type);

    json_set_u64(m, "offset", offset);
    json_set_u64(m, "length", length);
    (void)json_object_set_new(m, "hashes", manifest_hashes_json(hashes));
    tell(m);
}

void
tell_pieces(struct worker *w)
{
    for (uint64_t at = 0; w->job.piecewise != 0 && at < w->job.length; at += w->job.piecewise) {
        uint64_t left = w->job.length - at;
        struct manifest_hashes hashes = {0};

        lanes_piece_hashes(w->lanes, (size_t)(at / w->job.piecewise), &hashes);
        tell_hash_list("piece", at, left < w->job.piecewise ? left : w->job.piecewise, &hashes);
        manifest_hashes_free(&hashes);
    }
}

void
tell_hashes(uint64_t length, const struct manifest_hashes *hashes)
{
    tell_hash_list("hashes", 0, length, hashes);
}

void
tell_done(void)
{
    tell(message("done"));
}
