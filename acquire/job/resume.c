#include "acquire/job/resume.h"

#include <jansson.h>

#include "acquire/job/channel.h"
#include "common/json.h"
#include "common/text.h"

/* A message of so many ranges stays below CHANNEL_MESSAGE_MAX: two numbers of 20 digits each, with
   their names. */
#define RANGES_A_MESSAGE 1000

void
resume_add_segment(struct resume *r, size_t sink, const struct kept_segment *segment)
{
    struct kept_sink *k = &r->sinks[sink];

    if ((k->n & (k->n - 1)) == 0) /* a power of two: full */
        k->v = xrealloc(k->v, k->n == 0 ? 1 : k->n * 2, sizeof *k->v);
    k->v[k->n] = *segment;
    k->v[k->n++].file = xstrdup(segment->file);
}

uint64_t
kept_end(const struct kept_sink *k)
{
    return k->n == 0 ? 0 : k->v[k->n - 1].media_offset + k->v[k->n - 1].media_length;
}

void
resume_clear(struct resume *r)
{
    for (size_t i = 0; i < WORKER_SINKS_MAX; i++) {
        for (size_t k = 0; k < r->sinks[i].n; k++)
            free(r->sinks[i].v[k].file);
        free(r->sinks[i].v);
    }
    ranges_free(&r->known);
    *r = (struct resume){0};
}

/* --- the front's side --- */

static json_t *
message(const char *type)
{
    json_t *m = json_object();

    json_set_text(m, "type", type);
    return m;
}

static int
send_segment(int sock, size_t sink, const struct kept_segment *s, struct err *err)
{
    json_t *m = message("kept");

    json_set_u64(m, "sink", sink);
    json_set_u64(m, "dir", s->dir);
    json_set_text(m, "file", s->file);
    json_set_u64(m, "size", s->size);
    json_set_u64(m, "media_offset", s->media_offset);
    json_set_u64(m, "media_length", s->media_length);
    json_set_text(m, "md5", s->md5);
    json_set_text(m, "sha256", s->sha256);
    return channel_send(sock, m, err);
}

static int
send_sink(int sock, size_t sink, const struct kept_sink *k, struct err *err)
{
    json_t *m;

    for (size_t i = 0; i < k->n; i++) {
        if (send_segment(sock, sink, &k->v[i], err) != 0)
            return -1;
    }
    if (k->durable == 0)
        return 0;
    m = message("durable");
    json_set_u64(m, "sink", sink);
    json_set_u64(m, "dir", k->open_dir);
    json_set_u64(m, "media", k->durable);
    return channel_send(sock, m, err);
}

static int
send_known(int sock, const struct ranges *known, struct err *err)
{
    for (size_t i = 0; i < known->n; i += RANGES_A_MESSAGE) {
        size_t left = known->n - i;
        struct ranges some = {.v = known->v + i,
                              .n = left < RANGES_A_MESSAGE ? left : RANGES_A_MESSAGE};
        json_t *m = message("known");

        (void)json_object_set_new(m, "ranges", json_from_ranges(&some));
        if (channel_send(sock, m, err) != 0)
            return -1;
    }
    return 0;
}

int
resume_send(int sock, const struct resume *r, struct err *err)
{
    json_t *go;

    for (size_t i = WORKER_SINKS_MAX; i-- > 0;) {
        if (send_sink(sock, i, &r->sinks[i], err) != 0)
            return -1;
    }
    for (size_t i = 0; i < r->n_dirs; i++) {
        json_t *m = message("directory");

        json_set_u64(m, "dir", i);
        json_set_u64(m, "sink", r->owner[i]);
        if (channel_send(sock, m, err) != 0)
            return -1;
    }
    if (send_known(sock, &r->known, err) != 0)
        return -1;
    go = message("go");
    json_set_bool(go, "again", r->again);
    return channel_send(sock, go, err);
}

/* --- the worker's side --- */

static int
does_not_fit(struct err *err)
{
    return err_set(err, OUTCOME_FAILED, "what the job is to go on from does not hold together");
}

static int
take_place(const json_t *m, size_t n_dirs, uint64_t *sink, uint64_t *dir, struct err *err)
{
    if (json_get_u64(m, "sink", sink, err) != 0 || json_get_u64(m, "dir", dir, err) != 0)
        return -1;
    return *sink < WORKER_SINKS_MAX && *dir < n_dirs ? 0 : does_not_fit(err);
}

static int
take_hash(const json_t *m, const char *key, char out[DIGEST_HEX_MAX], struct err *err)
{
    const char *hex;

    if (json_get_text(m, key, &hex, err) != 0)
        return -1;
    if (strlen(hex) >= DIGEST_HEX_MAX)
        return does_not_fit(err);
    (void)snprintf(out, DIGEST_HEX_MAX, "%s", hex);
    return 0;
}

static int
take_kept(struct resume *r, const json_t *m, uint64_t length, struct err *err)
{
    struct kept_segment s = {0};
    uint64_t sink;
    uint64_t dir;
    uint64_t end;

    if (take_place(m, r->n_dirs, &sink, &dir, err) != 0 ||
        json_get_u64(m, "size", &s.size, err) != 0 ||
        json_get_u64(m, "media_offset", &s.media_offset, err) != 0 ||
        json_get_u64(m, "media_length", &s.media_length, err) != 0 ||
        take_hash(m, "md5", s.md5, err) != 0 || take_hash(m, "sha256", s.sha256, err) != 0)
        return -1;
    s.dir = (size_t)dir;
    end = kept_end(&r->sinks[sink]);
    s.file = json_get_bytes(m, "file");
    if (!s.file || !*s.file || strchr(s.file, '/') || s.media_offset != end ||
        s.media_length == 0 || s.media_length > length - end) {
        free(s.file);
        return does_not_fit(err);
    }
    resume_add_segment(r, (size_t)sink, &s);
    free(s.file);
    return 0;
}

static int
take_durable(struct resume *r, const json_t *m, uint64_t length, struct err *err)
{
    uint64_t sink;
    uint64_t dir;
    struct kept_sink *k;

    if (take_place(m, r->n_dirs, &sink, &dir, err) != 0)
        return -1;
    k = &r->sinks[sink];
    k->open_dir = (size_t)dir;
    if (json_get_u64(m, "media", &k->durable, err) != 0)
        return -1;
    return k->durable <= length ? 0 : does_not_fit(err);
}

static int
take_directory(struct resume *r, const json_t *m, uint64_t length, struct err *err)
{
    uint64_t sink;
    uint64_t dir;

    (void)length;
    if (take_place(m, r->n_dirs, &sink, &dir, err) != 0)
        return -1;
    r->owner[dir] = (size_t)sink;
    return 0;
}

static int
take_known(struct resume *r, const json_t *m, uint64_t length, struct err *err)
{
    struct ranges some = {0};
    int result = json_to_ranges(json_object_get(m, "ranges"), &some, err);

    for (size_t i = 0; result == 0 && i < some.n; i++) {
        const struct range *v = &some.v[i];

        if (v->offset > length || v->length > length - v->offset)
            result = does_not_fit(err);
        else
            ranges_add(&r->known, v->offset, v->length);
    }
    ranges_free(&some);
    return result;
}

static const struct {
    const char *type;
    int (*take)(struct resume *r, const json_t *m, uint64_t length, struct err *err);
} messages[] = {
    {"kept", take_kept},
    {"durable", take_durable},
    {"directory", take_directory},
    {"known", take_known},
};

static int
take(struct resume *r, const json_t *m, uint64_t length, struct err *err)
{
    const char *type = json_text_or_null(m, "type");

    for (size_t i = 0; type && i < sizeof messages / sizeof messages[0]; i++) {
        if (strcmp(type, messages[i].type) == 0)
            return messages[i].take(r, m, length, err);
    }
    return does_not_fit(err);
}

int
resume_receive(int sock, struct resume *r, size_t n_dirs, uint64_t length, struct err *err)
{
    *r = (struct resume){.n_dirs = n_dirs};
    for (;;) {
        bool end = false;
        json_t *m = channel_receive(sock, &end, err);
        const char *type = m ? json_text_or_null(m, "type") : NULL;
        bool go = type && strcmp(type, "go") == 0;
        bool stop = type && strcmp(type, "stop") == 0;
        int result;

        if (go)
            r->again = json_is_true(json_object_get(m, "again"));
        if (!m)
            return end ? err_set(err, OUTCOME_INTERRUPTED, "the front has gone") : -1;
        result = go     ? 0
                 : stop ? err_set(err, OUTCOME_INTERRUPTED, "interrupted")
                        : take(r, m, length, err);
        json_decref(m);
        if (go || result != 0)
            return result;
    }
}
