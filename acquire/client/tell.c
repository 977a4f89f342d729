/*
 * exhibit-tell: run by udev when it has marked a new disk as evidence; tells the daemon, if one
 * runs. It has nothing to say and no time to lose: udev waits for it.
 */
#include <unistd.h>

#include "acquire/client/api_client.h"
#include "acquire/daemon/config.h"
#include "common/cleanup.h"
#include "common/console.h"
#include "common/json.h"
#include "common/options.h"

#define PATIENCE_S 10 /* then the kernel ends it */

static const struct program program = {
    .name = "exhibit-tell",
    .usage = "DEVICE",
    .summary = "Run by udev: tells the daemon that the disk DEVICE was attached.",
};

static int
tell(const char *device, struct err *err)
{
    AUTO_FREE char *socket = config_socket(NULL);
    struct api_client *client = api_client_new(socket, err);
    json_t *body = json_object();
    json_t *answer = NULL;
    int r = -1;

    json_set_text(body, "device", device);
    if (client)
        answer = api_client_call(client, "/v1/devices", body, err);
    /* A daemon that is not there finds the disk when it comes. */
    if (answer || (client && api_client_is_away(client)))
        r = 0;
    json_decref(answer);
    json_decref(body);
    api_client_free(client);
    return r;
}

int
main(int argc, char **argv)
{
    struct options *o = options_new(&program, argc, argv);
    struct err err = ERR_INIT;
    const char *arg;
    char **operands;
    int count;
    int id = 0;

    console_begin();
    (void)alarm(PATIENCE_S);
    id = options_next(o, &arg, &err);
    operands = options_operands(o, &count);
    options_free(o);
    if (id == 0 && count != 1)
        id = err_set(&err, OUTCOME_USAGE, "exhibit-tell is run by udev, with a DEVICE");
    if (id == 0)
        id = tell(operands[0], &err);
    return console_end(id == 0 ? OUTCOME_DONE : err_report(&err));
}
