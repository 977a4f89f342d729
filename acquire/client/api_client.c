#include "acquire/client/api_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "acquire/daemon/config.h"
#include "acquire/daemon/daemon_listen.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

#define CONNECT_S 10L
/* libcurl's connect(2) to a socket whose queue is full fails at once, with EAGAIN. */
#define FULL_TRIES 50
#define FULL_PAUSE_NS 100000000L

struct api_client {
    CURL *curl;
    char *socket;
    bool away;
};

/* What comes in: a document, gathered whole, or a stream, taken line by line. */
struct answer {
    CURL *curl;
    char *data;
    size_t n, room;
    bool too_long;
    api_take take; /* NULL: a document */
    void *me;
    struct err *err;
    int taken; /* -1: take() did not want it, or a line was none */
};

struct api_client *
api_client_new(const char *socket, struct err *err)
{
    struct api_client *c = xcalloc(1, sizeof *c);

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(c->curl = curl_easy_init())) {
        free(c);
        (void)err_set(err, OUTCOME_FAILED, "cannot set up libcurl");
        return NULL;
    }
    c->socket = xstrdup(socket);
    return c;
}

void
api_client_free(struct api_client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    curl_global_cleanup();
    free(c->socket);
    free(c);
}

bool
api_client_is_away(const struct api_client *c)
{
    return c->away;
}

/* --- what comes in -----------------------------------------------------------------------------*/

static int
take_line(struct answer *a, const char *line, size_t n)
{
    json_error_t why;
    json_t *v = json_loadb(line, n, JSON_REJECT_DUPLICATES, &why);
    int r;

    if (!json_is_object(v))
        r = err_set(a->err, OUTCOME_FAILED, "the daemon's answer holds a line that is no object");
    else
        r = a->take(a->me, v, a->err);
    json_decref(v);
    return r;
}

static int
take_lines(struct answer *a)
{
    size_t at = 0;
    const char *end;

    while ((end = memchr(a->data + at, '\n', a->n - at)) != NULL) {
        size_t n = (size_t)(end - (a->data + at));

        if (n > 0 && take_line(a, a->data + at, n) != 0)
            return -1;
        at += n + 1;
    }
    memmove(a->data, a->data + at, a->n - at);
    a->n -= at;
    return 0;
}

static bool
is_error(const struct answer *a)
{
    long status = 0;

    (void)curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 300;
}

static size_t
take_bytes(char *data, size_t size, size_t count, void *context)
{
    struct answer *a = context;
    size_t n = size * count;
    bool lines = a->take && !is_error(a);

    if (n > (lines ? API_EVENT_MAX : API_ANSWER_MAX) - a->n) {
        a->too_long = true;
        return 0;
    }
    if (a->n + n > a->room) {
        a->room = 2 * (a->n + n);
        a->data = xrealloc(a->data, a->room, 1);
    }
    memcpy(a->data + a->n, data, n);
    a->n += n;
    if (lines && take_lines(a) != 0) {
        a->taken = -1;
        return 0; /* ends the transfer */
    }
    return n;
}

/* --- one request -------------------------------------------------------------------------------*/

/* The environment's proxies are for the network; a redirection is followed nowhere. */
static int
set_up(const struct api_client *c, const char *url, struct curl_slist *headers, const char *body,
       struct answer *a, char *why)
{
    CURL *curl = c->curl;

    curl_easy_reset(curl);
    return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why) ||
           curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, c->socket) ||
           curl_easy_setopt(curl, CURLOPT_PROXY, "") ||
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") ||
           curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ||
           curl_easy_setopt(curl, CURLOPT_URL, url) ||
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) ||
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) ||
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S) ||
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, a->take ? 0L : API_ANSWER_S) ||
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "Exhibit/" EXHIBIT_VERSION) ||
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) ||
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes) ||
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, a) ||
           (body && (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body)) ||
                     curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body)));
}

static long
system_error(CURL *curl)
{
    long number = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
    return number;
}

/* Nothing has been sent where no connection came about, so it can be tried again. */
static CURLcode
perform(CURL *curl)
{
    const struct timespec pause = {.tv_nsec = FULL_PAUSE_NS};
    CURLcode code = curl_easy_perform(curl);

    for (int i = 1; i < FULL_TRIES && code == CURLE_COULDNT_CONNECT && system_error(curl) == EAGAIN;
         i++) {
        (void)nanosleep(&pause, NULL);
        code = curl_easy_perform(curl);
    }
    return code;
}

static int
no_connection(struct api_client *c, CURLcode code, const char *why, struct err *err)
{
    long number = system_error(c->curl);

    if (code == CURLE_COULDNT_CONNECT && (number == EACCES || number == EPERM))
        return err_set(err, OUTCOME_REFUSED,
                       "cannot connect to '%s': permission denied; members of the daemon's group "
                       "may (see 'ls -l')",
                       c->socket);
    c->away = true;
    if (code == CURLE_COULDNT_CONNECT)
        return err_set(err, OUTCOME_FAILED, "no daemon at '%s'%s%s; is exhibitd running?",
                       c->socket, number ? ": " : "", number ? strerror((int)number) : "");
    return err_set(err, OUTCOME_FAILED, "the daemon at '%s' gave no whole answer: %s", c->socket,
                   *why ? why : curl_easy_strerror(code));
}

static int
request(struct api_client *c, const char *path, const char *body, struct answer *a, struct err *err)
{
    static const char *const lines[] = {"Content-Type: application/json", "Expect:"};
    AUTO_FREE char *url = xasprintf("http://localhost%s", path);
    struct curl_slist *headers = NULL;
    char why[CURL_ERROR_SIZE] = "";
    CURLcode code = CURLE_FAILED_INIT;

    a->curl = c->curl;
    c->away = false;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        headers = curl_slist_append(headers, lines[i]);
    if (!set_up(c, url, headers, body, a, why))
        code = perform(c->curl);
    curl_slist_free_all(headers);
    if (a->taken != 0)
        return -1;
    if (a->too_long)
        return err_set(err, OUTCOME_FAILED, "the daemon's answer is too long");
    return code == CURLE_OK ? 0 : no_connection(c, code, why, err);
}

/* --- what it says ------------------------------------------------------------------------------*/

/* An answer that is none of success: its text and exit code, as far as they make sense. */
static int
refusal(struct api_client *c, const struct answer *a, struct err *err)
{
    json_t *v = json_loadb(a->data ? a->data : "", a->n, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_text_or_null(v, "error");
    json_int_t number = json_integer_value(json_object_get(v, "exit"));
    long status = 0;

    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    c->away = status == 503;
    err->outcome = number >= OUTCOME_FAILED && number <= OUTCOME_MISMATCH ? (enum outcome)number
                                                                          : OUTCOME_FAILED;
    if (text)
        (void)err_set(err, err->outcome, "%s", text);
    else
        (void)err_set(err, err->outcome, "the daemon answered with HTTP status %ld", status);
    json_decref(v);
    return -1;
}

json_t *
api_client_call(struct api_client *c, const char *path, const json_t *body, struct err *err)
{
    AUTO_FREE char *text = body ? json_to_line(body) : NULL;
    struct answer a = {.err = err};
    json_error_t why;
    json_t *v = NULL;

    if (request(c, path, text, &a, err) == 0) {
        if (is_error(&a))
            (void)refusal(c, &a, err);
        else if (!(v = json_loadb(a.data ? a.data : "", a.n, JSON_REJECT_DUPLICATES, &why)))
            (void)err_set(err, OUTCOME_FAILED, "the daemon's answer is no JSON: %s", why.text);
    }
    free(a.data);
    return v;
}

int
api_client_follow(struct api_client *c, const char *path, api_take take, void *me, struct err *err)
{
    struct answer a = {.take = take, .me = me, .err = err};
    int r = request(c, path, NULL, &a, err);

    if (r == 0 && is_error(&a))
        r = refusal(c, &a, err);
    free(a.data);
    return r;
}
