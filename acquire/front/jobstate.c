#include "acquire/front/jobstate.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "acquire/front/jobstate_impl.h"

#include "acquire/job/staging.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/ledger.h"
#include "common/outfile.h"
#include "common/text.h"

static json_t *
line(const char *type)
{
    json_t *v = json_object();

    json_set_text(v, "type", type);
    return v;
}

/* One line into all journals. */
static int
write_line(struct acquisition *a, json_t *v, bool sync, struct err *err)
{
    size_t good = 0;

    for (size_t i = 0; i < a->n_dest; i++) {
        struct err mine = ERR_INIT;

        if (!a->journals[i])
            continue;
        if (journal_add(a->journals[i], json_incref(v), sync, &mine) == 0) {
            good++;
            continue;
        }
        joblog_event(a->log, "%s: %s", a->dest[i].path, mine.text);
        journal_free(a->journals[i]);
        a->journals[i] = NULL;
        *err = mine;
    }
    json_decref(v);
    if (good > 0)
        return 0;
    err->outcome = OUTCOME_INTERRUPTED;
    return -1;
}

static int
write_unnoted(struct acquisition *a, struct err *err)
{
    json_t *v;

    if (a->unnoted.length == 0)
        return 0;
    v = line("unreadable");
    json_set_u64(v, "offset", a->unnoted.offset);
    json_set_u64(v, "length", a->unnoted.length);
    json_set_u64(v, "errno", (uint64_t)a->unnoted_sys);
    a->unnoted.length = 0;
    return write_line(a, v, false, err);
}

/* A promise comes after what it relies on. */
static int
add(struct acquisition *a, json_t *v, struct err *err)
{
    if (write_unnoted(a, err) == 0)
        return write_line(a, v, true, err);
    json_decref(v);
    return -1;
}

/* --- the beginning --- */

json_t *
jobstate_source_facts(const struct acquisition *a)
{
    json_t *v = json_object();

    json_set_text(v, "path", a->options.source);
    json_set_u64(v, "size", a->source_size);
    json_set_u64(v, "sector_size", a->sector_size);
    json_set_text(v, "kind", a->device ? "device" : "file");
    if (a->device) {
        json_set_text(v, "model", a->device->model);
        json_set_text(v, "serial", a->device->serial);
        json_set_text(v, "wwn", a->device->wwn);
    } else {
        json_set_u64(v, "modified_s", (uint64_t)a->file_stat.st_mtim.tv_sec);
        json_set_u64(v, "modified_ns", (uint64_t)a->file_stat.st_mtim.tv_nsec);
    }
    return v;
}

json_t *
jobstate_plan_facts(const struct acquisition *a)
{
    json_t *v = json_object();

    json_set_bool(v, "e01", a->options.e01);
    json_set_u64(v, "offset", a->offset);
    json_set_u64(v, "length", a->length);
    json_set_u64(v, "sectors_per_chunk", a->plan.sectors_per_chunk);
    json_set_u64(v, "segment_size", a->plan.segment_size);
    return v;
}

static json_t *
begin_line(const struct acquisition *a)
{
    AUTO_FREE char *cwd = getcwd(NULL, 0);
    json_t *v = line("begin");
    json_t *argv = json_array();

    json_set_text(v, "schema", JOURNAL_SCHEMA);
    json_set_text(v, "version", EXHIBIT_VERSION);
    json_set_u64(v, "started", (uint64_t)a->started);
    json_set_u64(v, "length", a->length);
    json_set_u64(v, "destinations", a->n_dest);
    json_set_u64(v, "uid", a->requester.uid);
    json_set_text(v, "cwd", cwd ? cwd : "/");
    for (int i = 0; i < a->options.argc; i++) {
        json_t *arg = json_object();

        json_set_text(arg, "arg", a->options.argv[i]);
        (void)json_array_append_new(argv, arg);
    }
    (void)json_object_set_new(v, "argv", argv);
    (void)json_object_set_new(v, "source", jobstate_source_facts(a));
    (void)json_object_set_new(v, "plan", jobstate_plan_facts(a));
    return v;
}

/* A destination that fails as early as this must not keep the other from its image; but a job that
   not all of them know of cannot be resumed. */
static int
begin_new(struct acquisition *a, struct err *err)
{
    bool all = true;

    a->started = clock_now();
    for (size_t i = 0; i < a->n_dest; i++) {
        /* DEST.partial must have its name before there is anything to promise in it. */
        if (outfile_sync_dir(a->dest[i].parent, err) == 0)
            a->journals[i] = journal_create(a->dest[i].dir, a->dest[i].name, err);
        if (!a->journals[i])
            (void)err_context(err, "'%s'", a->dest[i].partial);
    }
    if (add(a, begin_line(a), err) != 0)
        return -1;
    for (size_t i = 0; i < a->n_dest; i++)
        all &= a->journals[i] != NULL;
    a->journaled = all;
    return 0;
}

/* What is made anew each time that a job comes to its end. */
static void
clear_papers(const struct destination *d)
{
    static const char *const made_anew[] = {".md5",
                                            ".sha256",
                                            ".map",
                                            ".p7s",
                                            ".tsr",
                                            MANIFEST_SUFFIX,
                                            LEDGER_SUFFIX,
                                            MANIFEST_SUFFIX ".p7s",
                                            MANIFEST_SUFFIX ".tsr"};

    for (size_t i = 0; i < sizeof made_anew / sizeof made_anew[0]; i++) {
        AUTO_FREE char *name = xasprintf("%s%s", d->name, made_anew[i]);

        (void)unlinkat(d->dir, name, 0);
    }
    destination_remove_temporary(d);
}

/* The worker counts the directories that it writes to first, then the others. */
static size_t
worker_dir(const struct acquisition *a, size_t sink, size_t place)
{
    if (sink > 0 || place == a->writing)
        return sink;
    return a->n_dest + (place < a->writing ? place : place - 1);
}

static void
hand_over(struct acquisition *a)
{
    const struct history *h = &a->history;

    a->resume.again = true;
    for (size_t p = 0; p <= a->n_places; p++) {
        if (p == a->writing)
            continue;
        a->resume.owner[a->n_dest + a->n_earlier] = 0;
        a->earlier[a->n_earlier++] = p == 0 ? a->dest[0].dir : a->place[p - 1].dir;
    }

    for (size_t i = 0; i < h->n_sinks; i++) {
        const struct history_sink *s = &h->sinks[i];

        for (size_t k = 0; k < s->n_segments; k++) {
            const struct manifest_segment *from = &s->segments[k];
            struct kept_segment to = {
                .file = from->file,
                .dir = worker_dir(a, i, s->places[k]),
                .size = from->size,
                .media_offset = from->media_offset,
                .media_length = from->media_length,
            };

            memcpy(to.md5, from->md5, sizeof to.md5);
            memcpy(to.sha256, from->sha256, sizeof to.sha256);
            resume_add_segment(&a->resume, i, &to);
        }
        a->resume.sinks[i].durable = s->durable;
        a->resume.sinks[i].open_dir = worker_dir(a, i, s->place);
    }
    for (size_t i = 0; i < h->unreadable.n; i++) {
        ranges_add(&a->resume.known, h->unreadable.v[i].offset, h->unreadable.v[i].length);
        ranges_add(&a->result.unreadable, h->unreadable.v[i].offset, h->unreadable.v[i].length);
    }
}

int
jobstate_begin(struct acquisition *a, struct err *err)
{
    if (!a->options.resume)
        return begin_new(a, err);
    a->journaled = true;
    if (a->new_place && (destination_make(&a->place[a->writing - 1], err) != 0 ||
                         outfile_sync_dir(a->place[a->writing - 1].parent, err) != 0))
        return -1;
    a->started = a->history.started;
    for (size_t i = 0; i < a->n_dest; i++)
        clear_papers(&a->dest[i]);
    hand_over(a);
    return 0;
}

/* --- while it runs --- */

static json_t *
resumed_entry(const struct acquisition *a)
{
    const struct history_end *end = &a->history.end;
    const struct result *r = &a->result;
    char text[CLOCK_TEXT_MAX];
    json_t *v = json_object();

    json_set_text(v, "interrupted", end->time >= 0 ? clock_text(end->time, text) : NULL);
    json_set_text(v, "reason", end->reason);
    json_set_text(v, "resumed", clock_text(clock_now(), text));
    json_set_u64(v, "at", r->resumed_at);
    json_set_u64(v, "discarded", r->discarded);
    json_set_u64(v, "samples", r->samples);
    json_set_u64(v, "samples_unreadable", r->samples_lost);
    return v;
}

static int
note_directory(struct acquisition *a, struct err *err)
{
    AUTO_FREE char *dir = NULL;
    json_t *v;

    if (a->writing == a->history.sinks[0].place)
        return 0;
    dir = jobstate_directory(a, a->writing);
    joblog_event(a->log, "further segments are written to %s", dir);
    v = line("directory");
    json_set_text(v, "path", dir);
    return add(a, v, err);
}

int
jobstate_resumed(struct acquisition *a, struct err *err)
{
    json_t *v = line("resumed");
    json_t *kept = json_array();
    json_t *entry = resumed_entry(a);

    for (size_t i = 0; i < a->n_dest; i++) {
        const struct sink_result *s = &a->result.sinks[i];
        json_t *k = json_object();

        json_set_u64(k, "segments", s->kept);
        json_set_u64(k, "durable", s->durable);
        (void)json_array_append_new(kept, k);
    }
    json_set_u64(v, "at", a->result.resumed_at);
    (void)json_object_set_new(v, "kept", kept);
    (void)json_object_set_new(v, "entry", json_incref(entry));
    (void)json_array_append_new(a->history.resumed, entry);
    a->resume_noted = true;
    return add(a, v, err) == 0 ? note_directory(a, err) : -1;
}

/* A worker that finds nothing to go on from begins without a word. */
static int
note_resumed(struct acquisition *a, struct err *err)
{
    if (!a->options.resume || a->resume_noted)
        return 0;
    joblog_event(a->log, "nothing of the image could be kept; it is begun afresh");
    return jobstate_resumed(a, err);
}

/* A dead zone of gigabytes is told sector by sector: a line for each would outgrow the journal.
   They are lost with a kill that comes before the next promise; what they are of is read again
   then. */
int
jobstate_unreadable(struct acquisition *a, const struct range *range, int sys, struct err *err)
{
    if (note_resumed(a, err) != 0)
        return -1;
    if (a->unnoted.length > 0 && sys == a->unnoted_sys && range_join(&a->unnoted, range))
        return 0;
    if (write_unnoted(a, err) != 0)
        return -1;
    a->unnoted = *range;
    a->unnoted_sys = sys;
    return 0;
}

int
jobstate_segment(struct acquisition *a, size_t sink, struct err *err)
{
    const struct sink_result *s = &a->result.sinks[sink];
    const struct manifest_segment *seg = &s->segments[s->n_segments - 1];
    json_t *v;

    if (note_resumed(a, err) != 0)
        return -1;
    if (s->n_segments <= s->kept)
        return 0;
    v = line("segment");
    json_set_u64(v, "sink", sink);
    json_set_text(v, "file", seg->file);
    json_set_u64(v, "size", seg->size);
    json_set_u64(v, "media_offset", seg->media_offset);
    json_set_u64(v, "media_length", seg->media_length);
    json_set_text(v, "md5", seg->md5);
    json_set_text(v, "sha256", seg->sha256);
    return add(a, v, err);
}

int
jobstate_durable(struct acquisition *a, size_t sink, struct err *err)
{
    json_t *v;

    if (note_resumed(a, err) != 0)
        return -1;
    v = line("durable");

    json_set_u64(v, "sink", sink);
    json_set_u64(v, "media", a->result.sinks[sink].durable);
    return add(a, v, err);
}

int
jobstate_pass(struct acquisition *a, const json_t *pass, struct err *err)
{
    json_t *v;

    if (note_resumed(a, err) != 0)
        return -1;
    if (!a->history.passes)
        a->history.passes = json_array();
    (void)json_array_append_new(a->history.passes, json_deep_copy(pass));
    v = line("pass");
    (void)json_object_set_new(v, "entry", json_deep_copy(pass));
    return add(a, v, err);
}

/* --- the end --- */

void
jobstate_ended(struct acquisition *a, const char *reason)
{
    struct err ignored = ERR_INIT;
    json_t *v;

    if (!jobstate_is_kept(a))
        return;
    v = line("ended");
    json_set_u64(v, "time", (uint64_t)clock_now());
    json_set_u64(v, "at", a->result.bytes_done);
    json_set_text(v, "reason", reason);
    (void)add(a, v, &ignored);
}

int
jobstate_moving(struct acquisition *a, size_t i, struct err *err)
{
    json_t *v = line("moving");

    json_set_u64(v, "place", i);
    (void)json_object_set_new(
        v, "files", destination_list(i < a->n_dest ? &a->dest[i] : &a->place[i - a->n_dest]));
    if (add(a, v, err) != 0)
        return -1;
    /* What could not be written in full gets no names. */
    if (i < a->n_dest && !a->journals[i])
        return err_set(err, OUTCOME_FAILED, "the journal in '%s' could not be written",
                       a->dest[i].partial);
    return 0;
}

char *
jobstate_directory(const struct acquisition *a, size_t place)
{
    const char *path = a->place_paths[place - 1];

    return xstrndup(path, (size_t)(strrchr(path, '/') - path));
}

void
jobstate_place_segments(struct acquisition *a)
{
    const struct history_sink *h = &a->history.sinks[0];
    struct sink_result *s = &a->result.sinks[0];

    for (size_t k = 0; k < s->n_segments; k++) {
        size_t place = k < s->kept && k < h->n_segments ? h->places[k] : a->writing;

        if (place > 0)
            s->segments[k].directory = jobstate_directory(a, place);
    }
}

/* A file system in user space hears of a close a little later, and until then keeps what was
   removed under a hidden name. */
static void
remove_directory(struct destination *d)
{
    const struct timespec moment = {.tv_nsec = 20000000};

    for (int i = 0; i < 50 && !destination_remove_empty(d) && errno == ENOTEMPTY; i++)
        (void)nanosleep(&moment, NULL);
}

void
jobstate_remove(struct acquisition *a)
{
    a->journaled = false;
    for (size_t i = 0; i < a->n_places; i++)
        (void)destination_remove_empty(&a->place[i]);
    /* DEST's own last: it is what a resume looks for. */
    for (size_t i = a->n_dest; i-- > 0;) {
        AUTO_FREE char *name = NULL;

        if (a->dest[i].dir < 0)
            continue;
        staging_remove(a->dest[i].dir, a->dest[i].name);
        /* Closed first: NFS and FUSE keep an open file under another name. */
        journal_free(a->journals[i]);
        a->journals[i] = NULL;
        name = xasprintf("%s" JOURNAL_SUFFIX, a->dest[i].name);
        (void)unlinkat(a->dest[i].dir, name, 0);
        remove_directory(&a->dest[i]);
    }
}

bool
jobstate_is_kept(const struct acquisition *a)
{
    return a->journaled;
}

void
jobstate_free(struct acquisition *a)
{
    for (size_t i = 0; i < a->n_dest; i++)
        journal_free(a->journals[i]);
    for (size_t i = 0; i < a->n_places; i++) {
        destination_close(&a->place[i]);
        free(a->place_paths[i]);
    }
    history_clear(&a->history);
    resume_clear(&a->resume);
}
