#include "acquire/daemon/api_json.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/text.h"

/* --- what is said --- */

static void
set_time(json_t *v, const char *key, int64_t epoch)
{
    char text[CLOCK_TEXT_MAX];

    json_set_text(v, key, epoch > 0 ? clock_text(epoch, text) : NULL);
}

static void
set_exit(json_t *v, const struct job_facts *f)
{
    (void)json_object_set_new(v, "exit", f->exit >= 0 ? json_integer(f->exit) : json_null());
}

static void
set_progress(json_t *v, const struct job_facts *f, const char *phase)
{
    json_set_text(v, "phase", phase && *phase ? phase : NULL);
    json_set_u64(v, "bytes_done", f->bytes_done);
    json_set_u64(v, "bytes_total", f->bytes_total);
    json_set_u64(v, "rate", f->rate);
    json_set_u64(v, "eta_s", f->eta_s);
    json_set_u64(v, "unreadable_sectors", f->unreadable_sectors);
}

static void
append_text(json_t *list, const char *text)
{
    json_t *one = json_object();

    json_set_text(one, "option", text);
    if (json_object_size(one) == 1)
        (void)json_array_append(list, json_object_get(one, "option"));
    else
        (void)json_array_append(list, one);
    json_decref(one);
}

json_t *
api_job(const struct daemon_message *m)
{
    const struct job_facts *f = &m->facts;
    json_t *v = json_object();
    json_t *options = json_array();
    size_t at = 0;
    const char *user = daemon_message_text(m, &at);
    const char *source = daemon_message_text(m, &at);
    const char *dest = daemon_message_text(m, &at);
    const char *phase = daemon_message_text(m, &at);
    const char *message = daemon_message_text(m, &at);
    const char *option;

    json_set_u64(v, "id", f->id);
    json_set_text(v, "user", user);
    json_set_u64(v, "uid", f->uid);
    json_set_text(v, "source", source);
    json_set_text(v, "dest", dest);
    while ((option = daemon_message_text(m, &at)) != NULL)
        append_text(options, option);
    (void)json_object_set_new(v, "options", options);
    json_set_text(v, "state", job_state_name((enum job_state)f->state));
    json_set_bool(v, "stopping", f->stopping != 0);
    set_exit(v, f);
    set_progress(v, f, phase);
    set_time(v, "submitted", f->submitted);
    set_time(v, "started", f->started);
    set_time(v, "finished", f->finished);
    json_set_text(v, "message", message && *message ? message : NULL);
    return v;
}

json_t *
api_event(const struct daemon_message *m)
{
    static const char *const kinds[] = {
        [JOB_EVENT_STATE] = "state",
        [JOB_EVENT_PROGRESS] = "progress",
        [JOB_EVENT_MESSAGE] = "message",
    };
    json_t *v = json_object();
    size_t at = 0;
    const char *phase = daemon_message_text(m, &at);
    const char *message = daemon_message_text(m, &at);

    json_set_u64(v, "seq", m->number);
    set_time(v, "time", m->time);
    if (m->kind == JOB_EVENT_ATTACHED) {
        json_set_text(v, "event", "attached");
        json_set_text(v, "device", message);
        return v;
    }
    json_set_u64(v, "job", m->id);
    json_set_text(v, "event", m->kind < sizeof kinds / sizeof kinds[0] ? kinds[m->kind] : "?");
    json_set_text(v, "state", job_state_name((enum job_state)m->facts.state));
    if (m->kind == JOB_EVENT_STATE)
        set_exit(v, &m->facts);
    if (m->kind != JOB_EVENT_MESSAGE)
        set_progress(v, &m->facts, phase);
    if (m->kind != JOB_EVENT_PROGRESS)
        json_set_text(v, "message", message && *message ? message : NULL);
    return v;
}

json_t *
api_error(enum outcome outcome, const char *text)
{
    json_t *v = json_object();

    json_set_text(v, "error", text);
    json_set_u64(v, "exit", outcome);
    return v;
}

/* --- what is sent --- */

static json_t *
read_object(const char *body, size_t n, const char *const *known, struct err *err)
{
    json_error_t why;
    json_t *v = json_loadb(body, n, JSON_REJECT_DUPLICATES, &why);
    const char *key;
    json_t *one;

    if (!json_is_object(v)) {
        (void)err_set(err, OUTCOME_USAGE, "the body is no JSON object%s%s", v ? "" : ": ",
                      v ? "" : why.text);
        json_decref(v);
        return NULL;
    }
    json_object_foreach(v, key, one)
    {
        size_t i = 0;

        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (known[i])
            continue;
        (void)err_set(err, OUTCOME_USAGE, "the body has a field '%s' that is not known", key);
        json_decref(v);
        return NULL;
    }
    return v;
}

static int
add_path(const json_t *v, const char *key, struct daemon_message *m, struct err *err)
{
    AUTO_FREE char *text = json_get_bytes(v, key);

    if (!text || !*text)
        return err_set(err, OUTCOME_USAGE, "the body needs '%s', a path", key);
    if (!daemon_message_add(m, text))
        return err_set(err, OUTCOME_USAGE, "'%s' is too long", key);
    return 0;
}

/* A text, or an object as the API itself writes texts that are not UTF-8. */
static int
add_option(const json_t *one, struct daemon_message *m, struct err *err)
{
    AUTO_FREE char *text =
        json_is_string(one) ? xstrdup(json_string_value(one)) : json_get_bytes(one, "option");

    if (!text)
        return err_set(err, OUTCOME_USAGE, "'options' holds something that is no text");
    if (!daemon_message_add(m, text))
        return err_set(err, OUTCOME_USAGE, "'options' are too long");
    return 0;
}

static int
add_options(const json_t *list, struct daemon_message *m, struct err *err)
{
    size_t i;
    json_t *one;

    if (!list || json_is_null(list))
        return 0;
    if (!json_is_array(list) || json_array_size(list) > DAEMON_OPTIONS_MAX)
        return err_set(err, OUTCOME_USAGE, "'options' is no list of at most %d texts",
                       DAEMON_OPTIONS_MAX);
    json_array_foreach(list, i, one)
    {
        if (add_option(one, m, err) != 0)
            return -1;
    }
    return 0;
}

int
api_read_submit(const char *body, size_t n, struct daemon_message *m, struct err *err)
{
    static const char *const known[] = {"source",      "source_base64", "dest",
                                        "dest_base64", "options",       NULL};
    json_t *v = read_object(body, n, known, err);
    int r;

    if (!v)
        return -1;
    daemon_message_begin(m, DAEMON_SUBMIT);
    r = add_path(v, "source", m, err) == 0 && add_path(v, "dest", m, err) == 0 &&
                add_options(json_object_get(v, "options"), m, err) == 0
            ? 0
            : -1;
    json_decref(v);
    return r;
}

int
api_read_cancel(const char *body, size_t n, bool *discard, struct err *err)
{
    static const char *const known[] = {"discard", NULL};
    const json_t *field;
    json_t *v;
    int r = 0;

    *discard = false;
    if (n == 0)
        return 0;
    v = read_object(body, n, known, err);
    if (!v)
        return -1;
    field = json_object_get(v, "discard");
    if (field && !json_is_boolean(field))
        r = err_set(err, OUTCOME_USAGE, "'discard' is neither true nor false");
    *discard = json_is_true(field);
    json_decref(v);
    return r;
}

int
api_read_device(const char *body, size_t n, char **device, struct err *err)
{
    static const char *const known[] = {"device", "device_base64", NULL};
    json_t *v = read_object(body, n, known, err);

    if (!v)
        return -1;
    *device = json_get_bytes(v, "device");
    json_decref(v);
    return *device && **device == '/'
               ? 0
               : err_set(err, OUTCOME_USAGE, "the body needs 'device', an absolute path");
}

int
api_read_nothing(const char *body, size_t n, struct err *err)
{
    static const char *const known[] = {NULL};
    json_t *v = n > 0 ? read_object(body, n, known, err) : NULL;

    json_decref(v);
    return n == 0 || v ? 0 : -1;
}
