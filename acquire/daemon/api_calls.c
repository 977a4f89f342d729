#include "acquire/daemon/api_calls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/daemon/api_json.h"
#include "acquire/daemon/daemon_proto.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/size.h"
#include "common/text.h"

#define DEVICES_MAX (8 * 1024 * 1024)
#define DEVICES_NS UINT64_C(30000000000)

struct api {
    int core;
    bool forbidden;
    bool over;
    char *line; /* of a stream: what has not been sent yet */
    size_t n, at;
    struct daemon_message message;
};

struct call {
    struct api *api;
    const struct api_request *request;
    struct api_answer *out;
    uint64_t id; /* from the path */
};

struct api *
api_new(int core, bool forbidden)
{
    struct api *api = xcalloc(1, sizeof *api);

    api->core = core;
    api->forbidden = forbidden;
    return api;
}

void
api_free(struct api *api)
{
    if (!api)
        return;
    free(api->line);
    free(api);
}

bool
api_is_over(const struct api *api)
{
    return api->over;
}

/* --- answers --- */

/* Takes the document over. */
static void
reply(const struct call *c, unsigned status, json_t *v)
{
    char *text = json_to_text(v);

    json_decref(v);
    c->out->status = status;
    c->out->body = text;
}

static void
reply_error(const struct call *c, unsigned status, const struct err *err)
{
    reply(c, status, api_error(err->outcome, err->text));
}

static void
reply_refused(const struct call *c)
{
    static const unsigned statuses[] = {
        [REFUSAL_NONE] = 500,    [REFUSAL_INVALID] = 400, [REFUSAL_FORBIDDEN] = 403,
        [REFUSAL_UNKNOWN] = 404, [REFUSAL_STATE] = 409,   [REFUSAL_LIMIT] = 429,
        [REFUSAL_FAILED] = 500,
    };
    const struct daemon_message *m = &c->api->message;
    size_t at = 0;
    const char *text = daemon_message_text(m, &at);

    reply(c, m->refusal < sizeof statuses / sizeof statuses[0] ? statuses[m->refusal] : 500,
          api_error((enum outcome)m->outcome, text ? text : ""));
}

/* --- asking the core --- */

static int
hear(struct api *api, int *fd, struct err *err)
{
    int r = daemon_receive(api->core, &api->message, fd, err);

    if (r == 1)
        return 0;
    api->over = true;
    return err_set(err, OUTCOME_FAILED, "the daemon is being stopped");
}

/* Sends the request that lies in the message, and hears what comes first. An answer of another type
   is dealt with here. */
static int
ask_with(const struct call *c, enum daemon_type expected, int *fd)
{
    struct api *api = c->api;
    struct err err = ERR_INIT;

    if (daemon_send(api->core, &api->message, -1, &err) != 1 || hear(api, fd, &err) != 0) {
        api->over = true;
        reply_error(c, 503, &err);
        return -1;
    }
    if (api->message.type == (uint32_t)expected)
        return 0;
    if (api->message.type == DAEMON_REFUSED) {
        reply_refused(c);
        return -1;
    }
    (void)err_set(&err, OUTCOME_FAILED, "the daemon gave an answer to something else");
    api->over = true;
    reply_error(c, 500, &err);
    return -1;
}

static int
ask(const struct call *c, enum daemon_type expected)
{
    return ask_with(c, expected, NULL);
}

/* --- the calls --- */

static void
get_version(const struct call *c)
{
    json_t *v = json_object();

    json_set_text(v, "name", "exhibitd");
    json_set_text(v, "version", EXHIBIT_VERSION);
    json_set_u64(v, "api", 1);
    reply(c, 200, v);
}

/* The whole of what comes from the descriptor, against a deadline. */
static char *
read_all(int fd, size_t *n)
{
    uint64_t until = clock_monotonic_ns() + DEVICES_NS;
    size_t room = 65536;
    char *out = xrealloc(NULL, room, 1);

    *n = 0;
    while (clock_monotonic_ns() < until) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t r;

        if (poll(&p, 1, 1000) <= 0)
            continue;
        r = read(fd, out + *n, room - *n);
        if (r == 0)
            return out;
        if (r < 0 && errno != EINTR)
            break;
        *n += r > 0 ? (size_t)r : 0;
        if (*n == room && room == DEVICES_MAX)
            break;
        if (*n == room)
            out = xrealloc(out, room *= 2, 1);
    }
    free(out);
    return NULL;
}

static void
get_devices(const struct call *c)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *text = NULL;
    AUTO_FD int fd = -1;
    json_t *v = NULL;
    size_t n;

    daemon_message_begin(&c->api->message, DAEMON_DEVICES);
    if (ask_with(c, DAEMON_STREAM, &fd) != 0)
        return;
    text = fd >= 0 ? read_all(fd, &n) : NULL;
    if (text)
        v = json_loadb(text, n, 0, NULL);
    if (v) {
        reply(c, 200, v);
        return;
    }
    (void)err_set(&err, OUTCOME_FAILED, "the devices could not be listed");
    reply_error(c, 500, &err);
}

static void
get_jobs(const struct call *c)
{
    struct err err = ERR_INIT;
    json_t *list = json_array();

    daemon_message_begin(&c->api->message, DAEMON_LIST);
    if (daemon_send(c->api->core, &c->api->message, -1, &err) != 1)
        c->api->over = true;
    while (!c->api->over && hear(c->api, NULL, &err) == 0 &&
           c->api->message.type == (uint32_t)DAEMON_JOB)
        (void)json_array_append_new(list, api_job(&c->api->message));
    if (!c->api->over && c->api->message.type == (uint32_t)DAEMON_END) {
        reply(c, 200, list);
        return;
    }
    json_decref(list);
    reply_error(c, 503, &err);
}

static void
post_jobs(const struct call *c)
{
    struct err err = ERR_INIT;

    if (api_read_submit(c->request->body, c->request->n, &c->api->message, &err) != 0)
        reply_error(c, 400, &err);
    else if (ask(c, DAEMON_JOB) == 0)
        reply(c, 201, api_job(&c->api->message));
}

static void
get_job(const struct call *c)
{
    daemon_message_begin(&c->api->message, DAEMON_LOOK);
    c->api->message.id = c->id;
    if (ask(c, DAEMON_JOB) == 0)
        reply(c, 200, api_job(&c->api->message));
}

/* An EVENT becomes a line of the stream. */
static void
make_line(struct api *api)
{
    json_t *v = api_event(&api->message);
    char *text = json_to_line(v);

    json_decref(v);
    free(api->line);
    api->line = xasprintf("%s\n", text);
    api->n = strlen(api->line);
    api->at = 0;
    free(text);
}

/* Of a job, or of devices (id 0). */
static void
get_events(const struct call *c)
{
    struct api *api = c->api;
    struct err err = ERR_INIT;
    uint64_t since = 0;

    if (c->request->since &&
        number_parse(c->request->since, 0, INT64_MAX, "since", &since, &err) != 0) {
        reply_error(c, 400, &err);
        return;
    }
    /* A job that is not there is told before the stream begins. */
    daemon_message_begin(&api->message, DAEMON_LOOK);
    api->message.id = c->id;
    if (c->id != 0 && ask(c, DAEMON_JOB) != 0)
        return;
    daemon_message_begin(&api->message, DAEMON_FOLLOW);
    api->message.id = c->id;
    api->message.number = since;
    if (daemon_send(api->core, &api->message, -1, &err) != 1) {
        api->over = true;
        reply_error(c, 503, &err);
        return;
    }
    c->out->status = 200;
    c->out->stream = true;
}

ssize_t
api_more(void *me, char *buf, size_t max)
{
    struct api *api = me;
    struct pollfd p = {.fd = api->core, .events = POLLIN};
    struct err err = ERR_INIT;
    size_t n;

    if (api->at == api->n) {
        if (poll(&p, 1, 0) == 0)
            return 0;
        if (hear(api, NULL, &err) != 0 || api->message.type != (uint32_t)DAEMON_EVENT)
            return -1;
        make_line(api);
    }
    n = api->n - api->at < max ? api->n - api->at : max;
    memcpy(buf, api->line + api->at, n);
    api->at += n;
    return (ssize_t)n;
}

static void
steer(const struct call *c, enum daemon_type type, uint64_t number)
{
    daemon_message_begin(&c->api->message, type);
    c->api->message.id = c->id;
    c->api->message.number = number;
    if (ask(c, DAEMON_JOB) == 0)
        reply(c, 200, api_job(&c->api->message));
}

static void
steer_plain(const struct call *c, enum daemon_type type)
{
    struct err err = ERR_INIT;

    if (api_read_nothing(c->request->body, c->request->n, &err) != 0)
        reply_error(c, 400, &err);
    else
        steer(c, type, 0);
}

static void
post_pause(const struct call *c)
{
    steer_plain(c, DAEMON_PAUSE);
}

static void
post_resume(const struct call *c)
{
    steer_plain(c, DAEMON_CONTINUE);
}

static void
post_cancel(const struct call *c)
{
    struct err err = ERR_INIT;
    bool discard;

    if (api_read_cancel(c->request->body, c->request->n, &discard, &err) != 0)
        reply_error(c, 400, &err);
    else
        steer(c, DAEMON_CANCEL, discard);
}

static int
device_number(const char *path, uint64_t *number, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return err_errno(err, "cannot open '%s'", path);
    *number = (uint64_t)st.st_rdev;
    return S_ISBLK(st.st_mode) ? 0
                               : err_set(err, OUTCOME_FAILED, "'%s' is not a block device", path);
}

/* The path is looked at with the client's rights; the core gets the number that it leads to. What
   was done goes into the answer under that name. */
static void
tell_of_device(const struct call *c, enum daemon_type type, const char *done)
{
    struct err err = ERR_INIT;
    AUTO_FREE char *path = NULL;
    uint64_t number = 0;
    json_t *v;

    if (api_read_device(c->request->body, c->request->n, &path, &err) != 0 ||
        device_number(path, &number, &err) != 0) {
        reply_error(c, 400, &err);
        return;
    }
    daemon_message_begin(&c->api->message, type);
    c->api->message.number = number;
    if (ask(c, DAEMON_END) != 0)
        return;
    v = json_object();
    json_set_text(v, "device", path);
    json_set_bool(v, done, true);
    reply(c, 200, v);
}

static void
post_release(const struct call *c)
{
    tell_of_device(c, DAEMON_RELEASE, "released");
}

static void
post_devices(const struct call *c)
{
    tell_of_device(c, DAEMON_ATTACHED, "noted");
}

/* '*' is a job's id. */
static const struct {
    const char *method, *path;
    void (*call)(const struct call *c);
} calls[] = {
    {"GET", "/v1/version", get_version},
    {"GET", "/v1/devices", get_devices},
    {"POST", "/v1/devices", post_devices},
    {"GET", "/v1/devices/events", get_events},
    {"GET", "/v1/jobs", get_jobs},
    {"POST", "/v1/jobs", post_jobs},
    {"GET", "/v1/jobs/*", get_job},
    {"GET", "/v1/jobs/*/events", get_events},
    {"POST", "/v1/jobs/*/pause", post_pause},
    {"POST", "/v1/jobs/*/resume", post_resume},
    {"POST", "/v1/jobs/*/cancel", post_cancel},
    {"POST", "/v1/release", post_release},
};

static bool
is_path(const char *pattern, const char *path, uint64_t *id)
{
    const char *star = strchr(pattern, '*');
    size_t head = star ? (size_t)(star - pattern) : 0;
    AUTO_FREE char *digits = NULL;
    struct err ignored = ERR_INIT;
    size_t n;

    if (!star)
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, head) != 0)
        return false;
    n = strcspn(path + head, "/");
    digits = xstrndup(path + head, n);
    return strcmp(star + 1, path + head + n) == 0 &&
           number_parse(digits, 1, JOB_ID_MAX, "id", id, &ignored) == 0;
}

void
api_answer(void *me, const struct api_request *request, struct api_answer *out)
{
    struct call c = {.api = me, .request = request, .out = out};
    struct err err = ERR_INIT;

    if (c.api->forbidden) {
        (void)err_set(&err, OUTCOME_REFUSED,
                      "you may not use the daemon: you are not in its group");
        reply_error(&c, 403, &err);
        return;
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (!is_path(calls[i].path, request->path, &c.id))
            continue;
        if (strcmp(calls[i].method, request->method) == 0) {
            out->allow = NULL;
            calls[i].call(&c);
            return;
        }
        out->allow = !out->allow ? calls[i].method : "GET, POST";
    }
    if (out->allow) {
        (void)err_set(&err, OUTCOME_USAGE, "'%s' is not for '%s'", request->method, request->path);
        reply_error(&c, 405, &err);
        return;
    }
    (void)err_set(&err, OUTCOME_FAILED, "there is nothing at '%s'", request->path);
    reply_error(&c, 404, &err);
}
