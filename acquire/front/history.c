#include "acquire/front/history.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

static int
bad(struct err *err, const char *what)
{
    return err_set(err, OUTCOME_FAILED, "%s", what);
}

/* --- begin --- */

static int
take_argv(struct history *h, const json_t *line, struct err *err)
{
    const json_t *args = json_object_get(line, "argv");
    size_t n = json_array_size(args);

    if (n < 3 || n > HISTORY_ARGS_MAX)
        return bad(err, "no command line");
    h->argv = xcalloc(n + 1, sizeof *h->argv);
    for (size_t i = 0; i < n; i++) {
        h->argv[i] = json_get_bytes(json_array_get(args, i), "arg");
        if (!h->argv[i])
            return bad(err, "no command line");
        h->argc++;
    }
    return 0;
}

static int
take_begin(struct history *h, const json_t *line, struct err *err)
{
    const char *schema = json_text_or_null(line, "schema");
    uint64_t started;
    uint64_t n;

    if (h->begin)
        return bad(err, "a second beginning");
    if (!schema || strcmp(schema, JOURNAL_SCHEMA) != 0)
        return bad(err, "a journal of another kind or version");
    if (json_get_u64(line, "length", &h->length, err) != 0 ||
        json_get_u64(line, "started", &started, err) != 0 ||
        json_get_u64(line, "destinations", &n, err) != 0)
        return -1;
    if (n < 1 || n > WORKER_SINKS_MAX || started > INT64_MAX || h->length > INT64_MAX)
        return bad(err, "its numbers do not hold together");
    h->n_sinks = (size_t)n;
    h->started = (int64_t)started;
    h->resumed = json_array();
    h->passes = json_array();
    h->begin = json_incref((json_t *)(uintptr_t)line); /* the count alone changes */
    h->end.time = -1;
    return take_argv(h, line, err);
}

/* --- what is durable --- */

static int
within(const struct history *h, uint64_t offset, uint64_t length, struct err *err)
{
    if (length == 0 || offset > h->length || length > h->length - offset)
        return bad(err, "a range outside the image");
    return 0;
}

static int
take_unreadable(struct history *h, const json_t *line, struct err *err)
{
    uint64_t offset;
    uint64_t length;

    if (json_get_u64(line, "offset", &offset, err) != 0 ||
        json_get_u64(line, "length", &length, err) != 0 || within(h, offset, length, err) != 0)
        return -1;
    ranges_add(&h->unreadable, offset, length);
    return 0;
}

static struct history_sink *
sink_of(struct history *h, const json_t *line, struct err *err)
{
    uint64_t i;

    if (json_get_u64(line, "sink", &i, err) != 0)
        return NULL;
    if (i < h->n_sinks)
        return &h->sinks[i];
    (void)bad(err, "a destination that does not exist");
    return NULL;
}

static int
take_hex(const json_t *line, const char *key, char out[DIGEST_HEX_MAX], struct err *err)
{
    const char *hex;

    if (json_get_text(line, key, &hex, err) != 0)
        return -1;
    if (*hex &&
        (strlen(hex) != digest_hex_length(key) || strspn(hex, "0123456789abcdef") != strlen(hex)))
        return bad(err, "a malformed hash");
    (void)snprintf(out, DIGEST_HEX_MAX, "%s", hex);
    return 0;
}

static uint64_t
segments_end(const struct history_sink *s)
{
    const struct manifest_segment *last = s->n_segments ? &s->segments[s->n_segments - 1] : NULL;

    return last ? last->media_offset + last->media_length : 0;
}

static int
take_segment(struct history *h, const json_t *line, struct err *err)
{
    struct history_sink *s = sink_of(h, line, err);
    struct manifest_segment seg = {0};

    if (!s || json_get_u64(line, "size", &seg.size, err) != 0 ||
        json_get_u64(line, "media_offset", &seg.media_offset, err) != 0 ||
        json_get_u64(line, "media_length", &seg.media_length, err) != 0 ||
        within(h, seg.media_offset, seg.media_length, err) != 0 ||
        take_hex(line, "md5", seg.md5, err) != 0 || take_hex(line, "sha256", seg.sha256, err) != 0)
        return -1;
    if (seg.media_offset != segments_end(s))
        return bad(err, "a segment that does not follow the one before");
    seg.file = json_get_bytes(line, "file");
    if (!seg.file || !*seg.file || strchr(seg.file, '/')) {
        free(seg.file);
        return bad(err, "a segment without a file name");
    }
    s->segments = xrealloc(s->segments, s->n_segments + 1, sizeof *s->segments);
    s->places = xrealloc(s->places, s->n_segments + 1, sizeof *s->places);
    s->places[s->n_segments] = s->place;
    s->segments[s->n_segments++] = seg;
    if (s->durable < segments_end(s))
        s->durable = segments_end(s);
    return 0;
}

static int
take_durable(struct history *h, const json_t *line, struct err *err)
{
    struct history_sink *s = sink_of(h, line, err);
    uint64_t media;

    if (!s || json_get_u64(line, "media", &media, err) != 0)
        return -1;
    if (media < s->durable || media > h->length)
        return bad(err, "a durable part that does not hold together");
    s->durable = media;
    return 0;
}

/* --- interruptions --- */

/* A new run: what the one before it had promised and this one has thrown away no longer holds. */
static int
take_resumed(struct history *h, const json_t *line, struct err *err)
{
    const json_t *entry = json_object_get(line, "entry");
    const json_t *kept = json_object_get(line, "kept");
    uint64_t at;

    if (json_get_u64(line, "at", &at, err) != 0)
        return -1;
    if (at > h->length)
        return bad(err, "a continuation past the end");
    ranges_remove(&h->unreadable, at, h->length - at);
    if (!json_is_object(entry) || json_array_size(kept) != h->n_sinks)
        return bad(err, "a continuation without its facts");
    if (json_array_size(h->resumed) >= HISTORY_RUNS_MAX)
        return bad(err, "too many continuations");
    for (size_t i = 0; i < h->n_sinks; i++) {
        struct history_sink *s = &h->sinks[i];
        const json_t *k = json_array_get(kept, i);
        uint64_t n;
        uint64_t durable;

        if (json_get_u64(k, "segments", &n, err) != 0 ||
            json_get_u64(k, "durable", &durable, err) != 0)
            return -1;
        if (n > s->n_segments)
            return bad(err, "a continuation that keeps what there was not");
        while (s->n_segments > n)
            free(s->segments[--s->n_segments].file);
        if (durable < segments_end(s) || durable > h->length)
            return bad(err, "a durable part that does not hold together");
        s->durable = durable;
    }
    (void)json_array_append_new(h->resumed, json_deep_copy(entry));
    h->end.time = -1;
    free(h->end.reason);
    h->end.reason = NULL;
    for (size_t i = 0; i < WORKER_DIRS_MAX; i++) {
        json_decref(h->moving[i]);
        h->moving[i] = NULL;
    }
    return 0;
}

static int
take_pass(struct history *h, const json_t *line, struct err *err)
{
    const json_t *entry = json_object_get(line, "entry");

    if (!json_is_object(entry) || json_array_size(h->passes) >= HISTORY_PASSES_MAX)
        return bad(err, "a pass without its facts");
    (void)json_array_append_new(h->passes, json_deep_copy(entry));
    return 0;
}

static int
take_ended(struct history *h, const json_t *line, struct err *err)
{
    uint64_t time;
    const char *reason;

    if (json_get_u64(line, "time", &time, err) != 0 || json_get_u64(line, "at", &h->at, err) != 0 ||
        json_get_text(line, "reason", &reason, err) != 0)
        return -1;
    if (time > INT64_MAX)
        return bad(err, "no such time");
    free(h->end.reason);
    h->end = (struct history_end){.time = (int64_t)time, .reason = xstrdup(reason)};
    return 0;
}

/* From here on the first sink writes there. */
static int
take_directory(struct history *h, const json_t *line, struct err *err)
{
    char *path = json_get_bytes(line, "path");
    struct history_sink *s = &h->sinks[0];

    if (!path || *path != '/') {
        free(path);
        return bad(err, "a directory without its path");
    }
    s->place = 0;
    while (s->place < h->n_directories && strcmp(h->directories[s->place], path) != 0)
        s->place++;
    if (s->place++ < h->n_directories) {
        free(path);
        return 0;
    }
    if (h->n_directories >= WORKER_DIRS_MAX - h->n_sinks) {
        free(path);
        return bad(err, "too many directories");
    }
    h->directories = xrealloc(h->directories, h->n_directories + 1, sizeof *h->directories);
    h->directories[h->n_directories++] = path;
    return 0;
}

static int
take_moving(struct history *h, const json_t *line, struct err *err)
{
    json_t *files = json_object_get(line, "files");
    uint64_t place;

    if (!json_is_array(files) || json_get_u64(line, "place", &place, err) != 0 ||
        place >= h->n_sinks + h->n_directories)
        return bad(err, "no names");
    json_decref(h->moving[place]);
    h->moving[place] = json_incref(files);
    return 0;
}

static const struct {
    const char *type;
    int (*take)(struct history *h, const json_t *line, struct err *err);
} lines[] = {
    {"begin", take_begin},     {"unreadable", take_unreadable}, {"segment", take_segment},
    {"durable", take_durable}, {"resumed", take_resumed},       {"ended", take_ended},
    {"moving", take_moving},   {"directory", take_directory},   {"pass", take_pass},
};

int
history_take(void *context, const json_t *line, size_t number, struct err *err)
{
    struct history *h = context;
    const char *type = json_text_or_null(line, "type");

    if ((number == 1) != (type && strcmp(type, "begin") == 0))
        return bad(err, number == 1 ? "a journal without a beginning" : "a line without a type");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strcmp(type ? type : "", lines[i].type) == 0)
            return lines[i].take(h, line, err);
    }
    return bad(err, "a line of a kind that this version does not know");
}

int
history_meet(struct history *h, const struct history *other, struct err *err)
{
    for (size_t i = 0; i < h->n_sinks; i++) {
        struct history_sink *s = &h->sinks[i];
        const struct history_sink *o = &other->sinks[i];

        while (s->n_segments > o->n_segments)
            free(s->segments[--s->n_segments].file);
        for (size_t k = 0; k < s->n_segments; k++) {
            if (strcmp(s->segments[k].file, o->segments[k].file) != 0 ||
                strcmp(s->segments[k].sha256, o->segments[k].sha256) != 0)
                return bad(err, "the journals of image and copy contradict each other");
        }
        if (s->durable > o->durable)
            s->durable = o->durable;
        if (s->durable < segments_end(s))
            s->durable = segments_end(s);
    }
    for (size_t i = 0; i < WORKER_DIRS_MAX; i++) {
        if (!h->moving[i])
            h->moving[i] = json_incref(other->moving[i]);
    }
    for (size_t i = 0; i < other->unreadable.n; i++)
        ranges_add(&h->unreadable, other->unreadable.v[i].offset, other->unreadable.v[i].length);
    return 0;
}

void
history_clear(struct history *h)
{
    json_decref(h->begin);
    json_decref(h->resumed);
    json_decref(h->passes);
    for (int i = 0; i < h->argc; i++)
        free(h->argv[i]);
    free(h->argv);
    for (size_t i = 0; i < WORKER_SINKS_MAX; i++) {
        free(h->sinks[i].places);
        for (size_t k = 0; k < h->sinks[i].n_segments; k++)
            free(h->sinks[i].segments[k].file);
        free(h->sinks[i].segments);
    }
    for (size_t i = 0; i < WORKER_DIRS_MAX; i++)
        json_decref(h->moving[i]);
    for (size_t i = 0; i < h->n_directories; i++)
        free(h->directories[i]);
    free(h->directories);
    ranges_free(&h->unreadable);
    free(h->end.reason);
    *h = (struct history){0};
}
