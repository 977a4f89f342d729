/*
 * exhibit-client: submits, lists, watches and steers the jobs of exhibitd. Which command it is says
 * argv[0], as the dispatcher sets it.
 */
#include "acquire/client/client.h"
#include "acquire/daemon/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquire/daemon/daemon_proto.h"
#include "acquire/front/options_acquire.h"
#include "common/cleanup.h"
#include "common/console.h"
#include "common/json.h"
#include "common/options.h"
#include "common/size.h"
#include "common/text.h"

/* Beyond those of exhibit-acquire. */
enum { ID_SOCKET = 2000, ID_JSON, ID_DISCARD, ID_PROGRESS, ID_QUIET };

#define SOCKET_OPTION                                                                              \
    {                                                                                              \
        "socket", 0, "PATH", ID_SOCKET,                                                            \
            "the daemon's socket (default: $EXHIBIT_SOCKET, or\nwhat the configuration says)"      \
    }
#define JSON_OPTION                                                                                \
    {                                                                                              \
        "json", 0, NULL, ID_JSON, "print what the daemon says, as JSON"                            \
    }

static const struct option_spec plain[] = {SOCKET_OPTION, JSON_OPTION};
static const struct option_spec socket_only[] = {SOCKET_OPTION};
static const struct option_spec of_cancel[] = {
    SOCKET_OPTION,
    JSON_OPTION,
    {"discard", 0, NULL, ID_DISCARD, "remove what was written; it cannot be resumed"},
};
static const struct option_spec of_watch[] = {
    SOCKET_OPTION,
    JSON_OPTION,
    {"progress", 0, "auto|bar|json|none", ID_PROGRESS, "how to show progress (default: auto)"},
    {"quiet", 'q', NULL, ID_QUIET, "say nothing but errors"},
};

#define TABLE(t) (t), sizeof(t) / sizeof(t)[0]

static const struct command {
    int (*run)(struct client_call *call, struct err *err);
    int operands;
    bool job; /* the operand is a job's id */
    const char *needs;
    struct program program;
} commands[] = {
    {client_submit,
     2,
     false,
     "SOURCE and DEST are needed",
     {"exhibit submit", "SOURCE DEST [options]",
      "Has the daemon image the disk or file SOURCE into DEST.E01 (or DEST.raw,\n"
      "DEST.001 ...), with the rights of whoever submits it, and prints the job's id.\n"
      "Takes the options of 'exhibit acquire' as well; see 'exhibit acquire --help'.",
      TABLE(plain), NULL, 0}},
    {client_jobs,
     0,
     false,
     "no operands are taken",
     {"exhibit jobs", "[--json]", "Lists your jobs, those of everybody as root.", TABLE(plain),
      NULL, 0}},
    {client_watch,
     1,
     true,
     "the ID of one job is needed",
     {"exhibit watch", "ID [options]",
      "Shows how a job goes on until it has ended; then ends with the job's exit code.",
      TABLE(of_watch), NULL, 0}},
    {client_steer,
     1,
     true,
     "the ID of one job is needed",
     {"exhibit pause", "ID", "Has a job stop to read until 'exhibit resume'.", TABLE(plain), NULL,
      0}},
    {client_steer,
     1,
     true,
     "the ID of one job is needed",
     {"exhibit resume", "ID", "Has a job go on that is paused, or that ended with work left.",
      TABLE(plain), NULL, 0}},
    {client_steer,
     1,
     true,
     "the ID of one job is needed",
     {"exhibit cancel", "ID [--discard]",
      "Ends a job, and waits until it has ended. 'exhibit resume' continues it.", TABLE(of_cancel),
      NULL, 0}},
    {client_release,
     1,
     false,
     "one DEVICE is needed",
     {"exhibit release", "DEVICE",
      "Lifts, through the daemon, the write block that a job left on DEVICE.", TABLE(socket_only),
      NULL, 0}},
};

/* argv[0] is "submit", or ends in it. */
static const struct command *
find_command(const char *word)
{
    const char *slash = strrchr(word, '/');

    word = slash ? slash + 1 : word;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(strchr(commands[i].program.name, ' ') + 1, word) == 0)
            return &commands[i];
    }
    return NULL;
}

static void
pass_on(struct client_call *call, int id, const char *arg)
{
    const char *name = acquire_option_name(id);

    call->options = xrealloc(call->options, call->n_options + 1, sizeof *call->options);
    call->options[call->n_options++] =
        arg ? xasprintf("--%s=%s", name, arg) : xasprintf("--%s", name);
}

static int
take(struct client_call *call, int id, const char *arg, struct err *err)
{
    switch (id) {
    case ID_SOCKET:
        call->socket = arg;
        return 0;
    case ID_JSON:
        call->json = true;
        return 0;
    case ID_DISCARD:
        call->discard = true;
        return 0;
    case ID_QUIET:
        call->progress = PROGRESS_NONE;
        return 0;
    case ID_PROGRESS:
        return progress_parse(arg, &call->progress, err);
    default:
        pass_on(call, id, arg);
        return 0;
    }
}

static int
read_command_line(const struct command *command, int argc, char **argv, struct client_call *call,
                  struct err *err)
{
    struct program program = command->program;
    struct options *o;
    const char *arg;
    int count;
    int id;

    if (command->run == client_submit)
        program.unlisted = acquire_option_table(&program.n_unlisted);
    o = options_new(&program, argc, argv);
    while ((id = options_next(o, &arg, err)) > 0) {
        if (take(call, id, arg, err) != 0) {
            id = -1;
            break;
        }
    }
    call->operands = options_operands(o, &count);
    options_free(o);
    if (id == 0 && count != command->operands)
        id = err_set(err, OUTCOME_USAGE, "%s; see '%s --help'",
                     count > command->operands ? "too many arguments" : command->needs,
                     program.name);
    if (id == 0 && command->job)
        id = number_parse(call->operands[0], 1, JOB_ID_MAX, "the ID of a job", &call->id, err);
    return id;
}

static int
run(const struct command *command, int argc, char **argv, struct client_call *call, struct err *err)
{
    AUTO_FREE char *socket = NULL;
    int r;

    if (read_command_line(command, argc, argv, call, err) != 0)
        return -1;
    socket = config_socket(call->socket);
    call->api = api_client_new(socket, err);
    if (!call->api)
        return -1;
    r = command->run(call, err);
    api_client_free(call->api);
    return r;
}

void
client_print(const json_t *v)
{
    AUTO_FREE char *text = json_to_text(v);

    (void)fputs(text, stdout);
}

char *
client_absolute(const char *path, struct err *err)
{
    AUTO_FREE char *here = NULL;

    if (path[0] == '\0') {
        (void)err_set(err, OUTCOME_USAGE, "a path is empty");
        return NULL;
    }
    if (path[0] == '/')
        return xstrdup(path);
    here = getcwd(NULL, 0);
    if (!here || here[0] != '/') {
        (void)err_errno(err, "cannot tell the working directory of '%s'", path);
        return NULL;
    }
    return xasprintf("%s/%s", strcmp(here, "/") == 0 ? "" : here, path);
}

int
main(int argc, char **argv)
{
    const struct command *command = find_command(argc > 0 ? argv[0] : "");
    struct client_call call = {.outcome = OUTCOME_DONE};
    struct err err = ERR_INIT;
    int r;

    console_begin();
    if (command) {
        call.command = strchr(command->program.name, ' ') + 1;
        r = run(command, argc, argv, &call, &err);
    } else {
        r = err_set(&err, OUTCOME_USAGE, "exhibit-client is started by 'exhibit', not by hand");
    }
    for (size_t i = 0; i < call.n_options; i++)
        free(call.options[i]);
    free(call.options);
    return console_end(r == 0 ? call.outcome : err_report(&err));
}
