/*
 * exhibit-api: serves one client of exhibitd, as that client's own user. It is started by the core
 * with the connection and a socket to the core as its only descriptors besides the standard ones,
 * has given up everything before it reads a byte, and ends with the connection.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "acquire/daemon/api_calls.h"
#include "acquire/daemon/api_http.h"
#include "acquire/daemon/daemon_proto.h"
#include "common/sandbox.h"

#define CORE_WAIT_S 120 /* for an answer of the core's; a release waits for the device */

static int
enter_sandbox(struct err *err)
{
    struct sandbox_spec spec = {.allow_send = true};
    struct sandbox_state state;

    return sandbox_enter(&spec, false, &state, err);
}

static int
serve(bool forbidden, struct err *err)
{
    struct timeval wait = {.tv_sec = CORE_WAIT_S};
    struct api *api = api_new(API_CORE_FD, forbidden);
    struct api_calls calls = {
        .answer = api_answer, .more = api_more, .me = api, .source = API_CORE_FD};
    struct api_http *h = NULL;
    int r = -1;

    (void)setsockopt(API_CORE_FD, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (sandbox_limit(0, 0, err) == 0 && enter_sandbox(err) == 0)
        h = api_http_new(API_CLIENT_FD, &calls, err);
    if (h) {
        api_http_serve(h);
        r = 0;
    }
    api_http_free(h);
    api_free(api);
    return r;
}

int
main(int argc, char **argv)
{
    bool forbidden = argc == 2 && strcmp(argv[1], "forbidden") == 0;
    struct err err = ERR_INIT;
    socklen_t n = sizeof(int);
    int type = 0;

    if ((argc != 1 && !forbidden) || getsockopt(API_CORE_FD, SOL_SOCKET, SO_TYPE, &type, &n) != 0 ||
        type != SOCK_SEQPACKET) {
        (void)err_set(&err, OUTCOME_USAGE, "exhibit-api is started by exhibitd, not by hand");
        return err_report(&err);
    }
    return serve(forbidden, &err) == 0 ? 0 : err_report(&err);
}
