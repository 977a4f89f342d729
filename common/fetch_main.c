/*
 * exhibit-fetch: sends a request for a time stamp to an authority over HTTP (RFC 3161,
 * section 3.4). A process of its own, so that what speaks to the network sees a digest and nothing
 * else: the request comes on standard input, the response goes to standard output. Started by
 * exhibit-seal.
 */
#include <curl/curl.h>
#include <errno.h>
#include <sys/resource.h>

#include "common/cleanup.h"
#include "common/console.h"
#include "common/err.h"
#include "common/sandbox.h"
#include "common/size.h"
#include "common/text.h"
#include "common/timestamp.h"

#define CONNECT_SECONDS 15L
#define REDIRECTS_MAX 3L

struct response {
    uint8_t *data;
    size_t n;
};

static size_t
take(char *data, size_t size, size_t count, void *context)
{
    struct response *r = context;
    size_t n = size * count;

    if (n > SIGNATURE_MAX - r->n)
        return 0; /* ends the transfer */
    r->data = xrealloc(r->data, r->n + n + 1, 1);
    memcpy(r->data + r->n, data, n);
    r->n += n;
    return n;
}

static int
set_up(CURL *curl, const char *url, long timeout, struct curl_slist *headers,
       struct response *response, char *why)
{
    return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why) ||
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") ||
           curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") ||
           curl_easy_setopt(curl, CURLOPT_URL, url) ||
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) ||
           curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX) ||
           curl_easy_setopt(curl, CURLOPT_POSTREDIR, CURL_REDIR_POST_ALL) ||
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) ||
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT,
                            timeout < CONNECT_SECONDS ? timeout : CONNECT_SECONDS) ||
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout) ||
           curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L) ||
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "Exhibit/" EXHIBIT_VERSION) ||
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) ||
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) ||
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, response);
}

static int
post(CURL *curl, const char *url, long timeout, const void *request, size_t n,
     struct response *response, struct err *err)
{
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/timestamp-query");
    char why[CURL_ERROR_SIZE] = "";
    CURLcode code = CURLE_FAILED_INIT;

    if (headers && !set_up(curl, url, timeout, headers, response, why) &&
        !curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)n) &&
        !curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request))
        code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    if (code == CURLE_OK && response->n > 0)
        return 0;
    return err_set(err, OUTCOME_FAILED, "no answer from '%s': %s", url,
                   code == CURLE_OK            ? "an empty response"
                   : code == CURLE_WRITE_ERROR ? "the response is too long"
                   : *why                      ? why
                                               : curl_easy_strerror(code));
}

static int
fetch(const char *url, long timeout, struct err *err)
{
    uint8_t request[TIMESTAMP_REQUEST_MAX];
    size_t n = fread(request, 1, sizeof request, stdin);
    struct response response = {0};
    CURL *curl = NULL;
    int r = -1;

    if (n == 0 || n == sizeof request)
        return err_set(err, OUTCOME_USAGE,
                       "exhibit-fetch is started by 'exhibit seal', not by hand");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0)
        curl = curl_easy_init();
    if (!curl)
        return err_set(err, OUTCOME_FAILED, "cannot set up libcurl");
    r = post(curl, url, timeout, request, n, &response, err);
    if (r == 0 && fwrite(response.data, 1, response.n, stdout) != response.n)
        r = err_errno(err, "cannot pass on the response");
    free(response.data);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return r;
}

int
main(int argc, char **argv)
{
    const struct sandbox_spec offers = {.allow_network = true};
    struct sandbox_state state;
    struct rlimit none = {0};
    struct err err = ERR_INIT;
    uint64_t timeout;

    console_begin();
    (void)setrlimit(RLIMIT_CORE, &none);
    /* It writes no file. Where the kernel has no such thing, a time stamp is worth more. */
    (void)sandbox_confine(&offers, true, &state, &err);
    err = (struct err)ERR_INIT;
    if (argc != 3)
        (void)err_set(&err, OUTCOME_USAGE,
                      "exhibit-fetch is started by 'exhibit seal', not by hand");
    else if (number_parse(argv[2], 1, 3600, "the timeout", &timeout, &err) == 0 &&
             fetch(argv[1], (long)timeout, &err) == 0)
        return console_end(0);
    return err_report(&err);
}
