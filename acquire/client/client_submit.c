/*
 * exhibit submit: what can be said of a job's options at once is said here; the rest finds out
 * exhibit-acquire, run by the daemon with the laboratory's defaults before them.
 */
#include <inttypes.h>
#include <string.h>

#include "acquire/client/client.h"
#include "acquire/daemon/daemon_options.h"
#include "acquire/front/options_acquire.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

/* As exhibit-acquire would read them: a mistake is told now, not when the job's turn comes. */
static int
check_options(const struct client_call *call, struct err *err)
{
    static char name[] = "exhibit-acquire";
    static char end[] = "--";
    int argc = (int)call->n_options + 4;
    AUTO_FREE char **argv = xcalloc((size_t)argc + 1, sizeof *argv);
    struct acquire_options o;
    int r;

    argv[0] = name;
    for (size_t i = 0; i < call->n_options; i++)
        argv[1 + i] = call->options[i];
    argv[argc - 3] = end;
    argv[argc - 2] = call->operands[0];
    argv[argc - 1] = call->operands[1];
    r = acquire_options_parse(argc, argv, &o, err);
    free(o.argv);
    return r;
}

/* The daemon's working directory is not that of whoever types. */
static int
make_absolute(char **option, struct err *err)
{
    const char *name = *option + 2;
    const char *equals = strchr(name, '=');
    AUTO_FREE char *path = NULL;
    char *whole;

    if (!equals || !daemon_option_is_path(name, (size_t)(equals - name), equals + 1))
        return 0;
    path = client_absolute(equals + 1, err);
    if (!path)
        return -1;
    whole = xasprintf("--%.*s=%s", (int)(equals - name), name, path);
    free(*option);
    *option = whole;
    return 0;
}

/* An element of a list: a text, or an object where it is not UTF-8 (docs/api.md). */
static void
append_option(json_t *list, const char *option)
{
    json_t *one = json_object();

    json_set_text(one, "option", option);
    if (json_object_size(one) == 1)
        (void)json_array_append(list, json_object_get(one, "option"));
    else
        (void)json_array_append(list, one);
    json_decref(one);
}

static json_t *
body_of(const struct client_call *call, const char *source, const char *dest)
{
    json_t *body = json_object();
    json_t *options = json_array();

    json_set_text(body, "source", source);
    json_set_text(body, "dest", dest);
    for (size_t i = 0; i < call->n_options; i++)
        append_option(options, call->options[i]);
    (void)json_object_set_new(body, "options", options);
    return body;
}

static int
submit(struct client_call *call, const char *source, const char *dest, struct err *err)
{
    json_t *body = body_of(call, source, dest);
    json_t *job = api_client_call(call->api, "/v1/jobs", body, err);
    uint64_t id = 0;
    int r = -1;

    json_decref(body);
    if (job)
        r = json_get_u64(job, "id", &id, err);
    if (r == 0 && call->json)
        client_print(job);
    else if (r == 0)
        (void)printf("%" PRIu64 "\n", id);
    json_decref(job);
    return r;
}

int
client_submit(struct client_call *call, struct err *err)
{
    AUTO_FREE char *source = NULL;
    AUTO_FREE char *dest = NULL;

    if (check_options(call, err) != 0)
        return -1;
    for (size_t i = 0; i < call->n_options; i++) {
        if (make_absolute(&call->options[i], err) != 0)
            return -1;
    }
    source = client_absolute(call->operands[0], err);
    dest = source ? client_absolute(call->operands[1], err) : NULL;
    if (!dest || daemon_options_check(source, dest, call->options, call->n_options, err) != 0)
        return -1;
    return submit(call, source, dest, err);
}
