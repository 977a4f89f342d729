#include "acquire/front/result.h"

#include "common/json.h"
#include "common/segname.h"
#include "common/text.h"

static int
within(const struct result *r, uint64_t offset, uint64_t length, struct err *err)
{
    if (length == 0 || offset > r->length || length > r->length - offset)
        return err_set(err, OUTCOME_FAILED, "the worker names a range outside the image");
    return 0;
}

static int
take_ready(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    r->no_new_privs = json_is_true(json_object_get(m, "no_new_privs"));
    r->seccomp = json_is_true(json_object_get(m, "seccomp"));
    r->direct = json_is_true(json_object_get(m, "direct"));
    free(r->sandbox_missing);
    r->sandbox_missing =
        xstrdup(json_text_or_null(m, "missing") ? json_text_or_null(m, "missing") : "");
    json_decref(r->libraries);
    r->libraries = json_incref(json_object_get(m, "libraries"));
    r->ready = true;
    t->event = RESULT_READY;
    if (json_get_u64(m, "landlock_abi", &r->landlock_abi, err) != 0)
        return -1;
    return json_get_u64(m, "uid", &r->uid, err);
}

static int
take_progress(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    const char *phase = json_text_or_null(m, "phase");
    uint64_t done;

    (void)t;
    r->waiting_ms = 0;
    if (json_object_get(m, "waiting_ms") &&
        (json_get_u64(m, "waiting_offset", &r->waiting_offset, err) != 0 ||
         json_get_u64(m, "waiting_ms", &r->waiting_ms, err) != 0))
        return -1;
    if (json_get_u64(m, "done", &done, err) != 0)
        return -1;
    if (done > r->length)
        return err_set(err, OUTCOME_FAILED, "the worker is past the end of the image");
    r->bytes_done = done;
    r->rescue.phase[0] = '\0';
    if (phase)
        (void)snprintf(r->rescue.phase, sizeof r->rescue.phase, "%s", phase);
    if (phase && json_get_u64(m, "bad", &r->rescue.bad, err) != 0)
        return -1;
    return 0;
}

static int
take_range(const struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    uint64_t sys;

    if (json_get_u64(m, "offset", &t->range.offset, err) != 0 ||
        json_get_u64(m, "length", &t->range.length, err) != 0 ||
        json_get_u64(m, "errno", &sys, err) != 0 ||
        within(r, t->range.offset, t->range.length, err) != 0)
        return -1;
    t->sys = (int)sys;
    return 0;
}

static int
take_unreadable(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    if (take_range(r, m, t, err) != 0)
        return -1;
    ranges_add(&r->unreadable, t->range.offset, t->range.length);
    t->event = RESULT_UNREADABLE;
    return 0;
}

/* --- rescue mode --- */

static int
take_read_error(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    if (take_range(r, m, t, err) != 0)
        return -1;
    r->rescue.errors++;
    t->event = RESULT_READ_ERROR;
    return json_get_u64(m, "rescued", &r->rescue.rescued, err);
}

static int
take_pass(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    static const char *const numbers[] = {"pass",    "reads", "errors",
                                          "rescued", "bad",   "milliseconds"};
    const char *phase;
    uint64_t n;

    (void)r;
    if (json_get_text(m, "phase", &phase, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (json_get_u64(m, numbers[i], &n, err) != 0)
            return -1;
    }
    t->pass = m;
    t->event = RESULT_PASS;
    return 0;
}

static int
take_compared(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    t->event = RESULT_COMPARED;
    if (json_get_u64(m, "found", &r->rescue.found, err) != 0 ||
        json_get_u64(m, "samples", &r->rescue.samples, err) != 0)
        return -1;
    return json_get_u64(m, "samples_lost", &r->rescue.samples_lost, err);
}

static int
take_rescued(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    (void)m;
    (void)err;
    r->rescue.over = true;
    r->rescue.phase[0] = '\0';
    r->bytes_done = 0;
    t->event = RESULT_RESCUED;
    return 0;
}

static int
take_finishing(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    (void)m;
    (void)err;
    r->finishing = true;
    t->event = RESULT_FINISHING;
    return 0;
}

static struct sink_result *
sink_of(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    uint64_t i;

    if (json_get_u64(m, "sink", &i, err) != 0)
        return NULL;
    t->sink = (size_t)i;
    if (i < r->n_sinks)
        return &r->sinks[i];
    (void)err_set(err, OUTCOME_FAILED, "the worker names a sink that does not exist");
    return NULL;
}

static int
take_sink_failed(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    struct sink_result *s = sink_of(r, m, t, err);
    const char *text;

    if (!s || json_get_text(m, "text", &text, err) != 0)
        return -1;
    s->failed = true;
    free(s->error);
    s->error = xstrdup(text);
    t->event = RESULT_SINK_FAILED;
    return 0;
}

/* Digests go into files that other tools read line by line. */
static bool
is_hex_of(const char *hex, const char *algorithm)
{
    size_t n = digest_hex_length(algorithm);

    return n > 0 && strlen(hex) == n && strspn(hex, "0123456789abcdef") == n;
}

static int
take_hex(const json_t *m, const char *key, char out[DIGEST_HEX_MAX], struct err *err)
{
    const char *hex;

    if (json_get_text(m, key, &hex, err) != 0)
        return -1;
    if (!is_hex_of(hex, key))
        return err_set(err, OUTCOME_FAILED, "the worker gave no %s", key);
    (void)snprintf(out, DIGEST_HEX_MAX, "%s", hex);
    return 0;
}

/* The image's name with the extension that segment `number` has in one of the formats. */
static bool
is_segment_name(const char *file, const char *image, size_t number)
{
    size_t n = strlen(image);
    char e01[SEGNAME_EXT_MAX] = "";
    char raw[SEGNAME_EXT_MAX] = "";

    if (strncmp(file, image, n) != 0 || file[n] != '.' || number > UINT32_MAX)
        return false;
    if (segname_e01((uint32_t)number, e01) == 0 && strcmp(file + n, e01) == 0)
        return true;
    if (segname_raw_split((uint32_t)number, raw) == 0 && strcmp(file + n, raw) == 0)
        return true;
    return number == 1 && strcmp(file + n, ".raw") == 0;
}

/* Segments, and pieces, follow each other without gaps. */
static int
follows(uint64_t offset, uint64_t end, struct err *err)
{
    return offset == end ? 0 : err_set(err, OUTCOME_FAILED, "the worker left out a range");
}

static uint64_t
segments_end(const struct sink_result *s)
{
    const struct manifest_segment *last;

    if (s->n_segments == 0)
        return 0;
    last = &s->segments[s->n_segments - 1];
    return last->media_offset + last->media_length;
}

static int
take_segment(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    struct sink_result *s = sink_of(r, m, t, err);
    struct manifest_segment seg = {0};

    if (!s || json_get_u64(m, "size", &seg.size, err) != 0 ||
        json_get_u64(m, "media_offset", &seg.media_offset, err) != 0 ||
        json_get_u64(m, "media_length", &seg.media_length, err) != 0 ||
        within(r, seg.media_offset, seg.media_length, err) != 0 ||
        follows(seg.media_offset, segments_end(s), err) != 0 ||
        take_hex(m, "md5", seg.md5, err) != 0 || take_hex(m, "sha256", seg.sha256, err) != 0)
        return -1;
    seg.file = json_get_bytes(m, "file");
    if (!seg.file || !is_segment_name(seg.file, s->name, s->n_segments + 1)) {
        free(seg.file);
        return err_set(err, OUTCOME_FAILED, "the worker names a file that is not the image's");
    }
    s->segments = xrealloc(s->segments, s->n_segments + 1, sizeof *s->segments);
    s->segments[s->n_segments++] = seg;
    t->event = RESULT_SEGMENT;
    return 0;
}

static int
take_durable(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    struct sink_result *s = sink_of(r, m, t, err);
    uint64_t media;

    if (!s || json_get_u64(m, "media", &media, err) != 0)
        return -1;
    if (media < s->durable || media > r->length)
        return err_set(err, OUTCOME_FAILED, "the worker took back what was durable");
    s->durable = media;
    t->event = RESULT_DURABLE;
    return 0;
}

/* What was known to be unreadable beyond the point is read again, and told again. */
static int
take_resumed(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    const json_t *kept = json_object_get(m, "kept");
    const json_t *durable = json_object_get(m, "durable");

    if (json_get_u64(m, "at", &r->resumed_at, err) != 0 ||
        json_get_u64(m, "discarded", &r->discarded, err) != 0 ||
        json_get_u64(m, "samples", &r->samples, err) != 0 ||
        json_get_u64(m, "samples_lost", &r->samples_lost, err) != 0)
        return -1;
    for (size_t i = 0; i < r->n_sinks; i++) {
        r->sinks[i].kept = (size_t)json_integer_value(json_array_get(kept, i));
        r->sinks[i].durable = (uint64_t)json_integer_value(json_array_get(durable, i));
        if (r->sinks[i].durable > r->resumed_at)
            return err_set(err, OUTCOME_FAILED, "the worker keeps more than it has");
    }
    if (r->resumed || r->resumed_at > r->length)
        return err_set(err, OUTCOME_FAILED, "the worker goes on from nowhere");
    ranges_remove(&r->unreadable, r->resumed_at, r->length - r->resumed_at);
    r->resumed = true;
    t->event = RESULT_RESUMED;
    return 0;
}

static int
take_hash_list(const json_t *m, struct manifest_hashes *out, struct err *err)
{
    json_t *hashes = json_object_get(m, "hashes");
    const char *name;
    json_t *hex;

    if (!json_is_object(hashes))
        return err_set(err, OUTCOME_FAILED, "the worker gave no hashes");
    json_object_foreach(hashes, name, hex)
    {
        if (!json_is_string(hex) || !is_hex_of(json_string_value(hex), name))
            return err_set(err, OUTCOME_FAILED, "the worker gave a malformed hash");
        manifest_hash_add(out, name, json_string_value(hex));
    }
    return 0;
}

static int
take_hashes(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    (void)t;
    if (r->hashes.n > 0)
        return err_set(err, OUTCOME_FAILED, "the worker gave the media's hashes twice");
    return take_hash_list(m, &r->hashes, err);
}

static uint64_t
pieces_end(const struct result *r)
{
    const struct manifest_piece *last;

    if (r->n_pieces == 0)
        return 0;
    last = &r->pieces[r->n_pieces - 1];
    return last->offset + last->length;
}

static int
take_piece(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    struct manifest_piece p = {0};

    (void)t;
    if (json_get_u64(m, "offset", &p.offset, err) != 0 ||
        json_get_u64(m, "length", &p.length, err) != 0 || within(r, p.offset, p.length, err) != 0 ||
        follows(p.offset, pieces_end(r), err) != 0)
        return -1;
    if (take_hash_list(m, &p.hashes, err) != 0) {
        manifest_hashes_free(&p.hashes);
        return -1;
    }
    r->pieces = xrealloc(r->pieces, r->n_pieces + 1, sizeof *r->pieces);
    r->pieces[r->n_pieces++] = p;
    return 0;
}

static int
take_done(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    (void)m;
    (void)t;
    (void)err;
    r->done = true;
    return 0;
}

static int
take_error(struct result *r, const json_t *m, struct result_news *t, struct err *err)
{
    uint64_t outcome;
    uint64_t sys;
    const char *text;

    (void)t;
    if (json_get_u64(m, "outcome", &outcome, err) != 0 ||
        json_get_u64(m, "errno", &sys, err) != 0 || json_get_text(m, "text", &text, err) != 0)
        return -1;
    r->failed = true;
    if (outcome != OUTCOME_INTERRUPTED && outcome != OUTCOME_REFUSED)
        outcome = OUTCOME_FAILED;
    (void)err_set(&r->err, (enum outcome)outcome, "%s", text);
    r->err.sys = (int)sys;
    return 0;
}

static const struct {
    const char *type;
    int (*take)(struct result *r, const json_t *m, struct result_news *t, struct err *err);
} messages[] = {
    {"ready", take_ready},
    {"progress", take_progress},
    {"unreadable", take_unreadable},
    {"read-error", take_read_error},
    {"pass", take_pass},
    {"compared", take_compared},
    {"rescued", take_rescued},
    {"finishing", take_finishing},
    {"sink-failed", take_sink_failed},
    {"resumed", take_resumed},
    {"durable", take_durable},
    {"segment", take_segment},
    {"hashes", take_hashes},
    {"piece", take_piece},
    {"done", take_done},
    {"error", take_error},
};

int
result_take(struct result *r, const json_t *m, struct result_news *news, struct err *err)
{
    const char *type = json_text_or_null(m, "type");

    *news = (struct result_news){.event = RESULT_NOTED};
    for (size_t i = 0; type && i < sizeof messages / sizeof messages[0]; i++) {
        if (strcmp(type, messages[i].type) == 0)
            return messages[i].take(r, m, news, err);
    }
    return err_set(err, OUTCOME_FAILED, "a message from the worker that is not known");
}

void
result_clear(struct result *r)
{
    for (size_t i = 0; i < r->n_sinks; i++) {
        for (size_t k = 0; k < r->sinks[i].n_segments; k++) {
            free(r->sinks[i].segments[k].file);
            free(r->sinks[i].segments[k].directory);
        }
        free(r->sinks[i].segments);
        free(r->sinks[i].error);
    }
    for (size_t i = 0; i < r->n_pieces; i++)
        manifest_hashes_free(&r->pieces[i].hashes);
    free(r->pieces);
    free(r->sandbox_missing);
    json_decref(r->libraries);
    manifest_hashes_free(&r->hashes);
    ranges_free(&r->unreadable);
}
