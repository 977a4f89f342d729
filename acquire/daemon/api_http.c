#include "acquire/daemon/api_http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/text.h"

#define NS UINT64_C(1000000000)
#define STREAM_BLOCK 65536
/* How long a client that is still sending is heard after the last answer. */
#define FINISH_NS (2 * NS)

struct api_http {
    const struct api_calls *calls;
    struct MHD_Daemon *mhd;
    struct MHD_Connection *current;   /* the one that there is */
    struct MHD_Connection *suspended; /* the same, while a stream waits for more */
    int connection;
    int end; /* the same once more: the library closes its own */
    bool closed;
    bool streaming;
    uint64_t since; /* monotonic ns: when the last request was answered */
    /* The request that is being received. */
    bool too_large;
    char body[API_BODY_MAX + 1];
    size_t n;
};

/* --- answers --- */

static ssize_t
on_more(void *cls, uint64_t at, char *buf, size_t max)
{
    struct api_http *h = cls;
    ssize_t n = h->calls->more(h->calls->me, buf, max);

    (void)at;
    if (n == 0) {
        h->suspended = h->current;
        MHD_suspend_connection(h->current);
    }
    if (n < 0) {
        h->streaming = false;
        h->since = clock_monotonic_ns();
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    return n;
}

static enum MHD_Result
send_answer(struct api_http *h, struct MHD_Connection *connection, struct api_answer *a)
{
    struct MHD_Response *r;
    enum MHD_Result ok;

    if (a->stream)
        r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_more, h, NULL);
    else
        r = MHD_create_response_from_buffer(strlen(a->body), a->body, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(a->body);
        return MHD_NO;
    }
    (void)MHD_add_response_header(r, "Content-Type",
                                  a->stream ? "application/x-ndjson" : "application/json");
    (void)MHD_add_response_header(r, "Cache-Control", "no-store");
    if (a->allow)
        (void)MHD_add_response_header(r, "Allow", a->allow);
    h->current = connection;
    h->streaming = a->stream;
    h->since = clock_monotonic_ns();
    ok = MHD_queue_response(connection, a->status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result
refuse_size(struct api_http *h, struct MHD_Connection *connection)
{
    struct api_answer a = {
        .status = MHD_HTTP_CONTENT_TOO_LARGE,
        .body = xasprintf("{\"error\":\"a body of more than %d bytes\",\"exit\":2}", API_BODY_MAX)};

    return send_answer(h, connection, &a);
}

static enum MHD_Result
answer(struct api_http *h, struct MHD_Connection *connection, const char *method, const char *path)
{
    struct api_request request = {
        .method = method,
        .path = path,
        .since = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "since"),
        .body = h->body,
        .n = h->n,
    };
    struct api_answer a = {0};

    if (h->too_large)
        return refuse_size(h, connection);
    h->body[h->n] = '\0';
    h->calls->answer(h->calls->me, &request, &a);
    return send_answer(h, connection, &a);
}

/* --- requests --- */

/* A body that says itself that it is too large is not waited for. */
static bool
says_too_large(struct MHD_Connection *connection)
{
    const char *text =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return text && strtoull(text, NULL, 10) > API_BODY_MAX;
}

/* The library's signature. */
static enum MHD_Result /* NOLINTNEXTLINE(readability-function-size) */
on_request(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
           const char *version, const char *data, size_t *n, void **state)
{
    struct api_http *h = cls;

    (void)version;
    if (!*state) {
        *state = h;
        h->n = 0;
        h->too_large = false;
        return says_too_large(connection) ? refuse_size(h, connection) : MHD_YES;
    }
    if (*n == 0)
        return answer(h, connection, method, path);
    if (*n > API_BODY_MAX - h->n) {
        h->too_large = true;
    } else if (!h->too_large) {
        memcpy(h->body + h->n, data, *n);
        h->n += *n;
    }
    *n = 0;
    return MHD_YES;
}

/* A path ends at its first NUL: one that was written as %00 would hide what follows. */
static size_t
on_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
              enum MHD_ConnectionNotificationCode code)
{
    struct api_http *h = cls;

    (void)connection;
    (void)socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
        h->closed = true;
}

/* --- the connection --- */

struct api_http *
api_http_new(int connection, const struct api_calls *calls, struct err *err)
{
    struct sockaddr_un nobody = {.sun_family = AF_UNIX};
    struct api_http *h = xcalloc(1, sizeof *h);

    h->calls = calls;
    h->connection = connection;
    h->end = fcntl(connection, F_DUPFD_CLOEXEC, 0);
    h->since = clock_monotonic_ns();
    h->mhd = MHD_start_daemon(
        MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
        MHD_OPTION_CONNECTION_LIMIT, 1U, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)API_HEAD_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)API_IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_UNESCAPE_CALLBACK, on_escaped, h,
        MHD_OPTION_END);
    if (h->mhd && h->end >= 0 && fcntl(connection, F_SETFL, O_NONBLOCK) == 0 &&
        MHD_add_connection(h->mhd, connection, (struct sockaddr *)&nobody, sizeof nobody) ==
            MHD_YES)
        return h;
    (void)err_set(err, OUTCOME_FAILED, "cannot serve the connection");
    api_http_free(h);
    return NULL;
}

/* Who is told in the midst of a request that it is too large may be sending on: a connection that
   ends at once would stop them before they have read that. */
static void
hear_out(int connection)
{
    struct pollfd p = {.fd = connection, .events = POLLIN};
    uint64_t end = clock_monotonic_ns() + FINISH_NS;
    char buf[16384];
    ssize_t n = 1;

    (void)shutdown(connection, SHUT_WR);
    while (n > 0 && clock_monotonic_ns() < end && poll(&p, 1, (int)(FINISH_NS / 1000000)) > 0)
        n = recv(connection, buf, sizeof buf, MSG_DONTWAIT);
}

void
api_http_free(struct api_http *h)
{
    if (!h)
        return;
    if (h->suspended)
        MHD_resume_connection(h->suspended);
    if (h->mhd)
        MHD_stop_daemon(h->mhd);
    if (h->end >= 0) {
        hear_out(h->end);
        (void)close(h->end);
    }
    free(h);
}

/* A stream is not looked at by the library while it waits for more. */
static bool
has_hung_up(const struct api_http *h)
{
    struct pollfd p = {.fd = h->connection, .events = POLLRDHUP};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

static bool
is_late(const struct api_http *h)
{
    return !h->streaming && clock_monotonic_ns() - h->since > API_REQUEST_S * NS;
}

static int
turn(struct api_http *h)
{
    struct timeval wait = {.tv_sec = 1};
    MHD_UNSIGNED_LONG_LONG ms;
    fd_set r;
    fd_set w;
    fd_set e;
    int max = -1;

    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&e);
    if (MHD_get_fdset(h->mhd, &r, &w, &e, &max) != MHD_YES)
        return -1;
    if (h->suspended) {
        FD_SET(h->calls->source, &r);
        max = max > h->calls->source ? max : h->calls->source;
    }
    if (MHD_get_timeout(h->mhd, &ms) == MHD_YES && ms < 1000)
        wait = (struct timeval){.tv_usec = (suseconds_t)ms * 1000};
    if (select(max + 1, &r, &w, &e, &wait) < 0 && errno != EINTR)
        return -1;
    if (h->suspended && FD_ISSET(h->calls->source, &r)) {
        MHD_resume_connection(h->suspended);
        h->suspended = NULL;
        return MHD_run(h->mhd) == MHD_YES ? 0 : -1;
    }
    return MHD_run_from_select(h->mhd, &r, &w, &e) == MHD_YES ? 0 : -1;
}

void
api_http_serve(struct api_http *h)
{
    while (!h->closed && !is_late(h) && !(h->suspended && has_hung_up(h))) {
        if (turn(h) != 0)
            return;
    }
}
