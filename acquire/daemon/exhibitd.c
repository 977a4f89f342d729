/*
 * exhibitd: the daemon. Options and configuration, then the core.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/daemon/config.h"
#include "acquire/daemon/daemon_core.h"
#include "acquire/daemon/daemon_helper.h"
#include "acquire/daemon/daemon_listen.h"
#include "acquire/daemon/daemon_options.h"
#include "acquire/daemon/daemon_run.h"
#include "acquire/daemon/daemon_store.h"
#include "common/cleanup.h"
#include "common/console.h"
#include "common/options.h"
#include "common/supervisor_proto.h"
#include "common/text.h"

enum { ID_SOCKET = 1, ID_CONFIG, ID_GROUP, ID_STATE_DIR };

static const struct option_spec specs[] = {
    {"socket", 0, "PATH", ID_SOCKET, "listen there (default: " DAEMON_SOCKET ")"},
    {"config", 0, "FILE", ID_CONFIG, "the configuration (default:\n" CONFIG_FILE ")"},
    {"group", 0, "NAME", ID_GROUP, "serve the members of this group (default: " DAEMON_GROUP ")"},
    {"state-dir", 0, "DIR", ID_STATE_DIR, "keep the jobs there (default:\n" DAEMON_STATE_DIR ")"},
};

static const struct program program = {
    .name = "exhibitd",
    .usage = "[options]",
    .summary =
        "Runs acquisitions for the members of a group: serves HTTP on a Unix socket, keeps a\n"
        "queue of jobs, and runs each as the user who submitted it. Needs root.",
    .options = specs,
    .n_options = sizeof specs / sizeof specs[0],
};

/* The paths are absolute, and never freed: the daemon works in '/', not where it was started. */
struct given {
    const char *socket, *config, *group, *state_dir;
};

static const char *
absolute(const char *path)
{
    AUTO_FREE char *here = *path == '/' || *path == '\0' ? NULL : getcwd(NULL, 0);

    return here ? xasprintf("%s/%s", strcmp(here, "/") == 0 ? "" : here, path) : path;
}

static int
read_options(int argc, char **argv, struct given *g, struct err *err)
{
    struct options *o = options_new(&program, argc, argv);
    const char *arg;
    int count;
    int id;

    while ((id = options_next(o, &arg, err)) > 0) {
        if (id == ID_SOCKET)
            g->socket = absolute(arg);
        else if (id == ID_CONFIG)
            g->config = absolute(arg);
        else if (id == ID_GROUP)
            g->group = arg;
        else
            g->state_dir = absolute(arg);
    }
    (void)options_operands(o, &count);
    options_free(o);
    if (id == 0 && count > 0)
        return err_set(err, OUTCOME_USAGE, "exhibitd takes no operands; see 'exhibitd --help'");
    return id;
}

/* What the daemon's own environment says is not for the jobs of others. */
static void
set_environment(void)
{
    /* The *SAN_OPTIONS are of the sanitizers' run-time. */
    static const char *const kept[] = {
        "NOTIFY_SOCKET", "LISTEN_PID",   "LISTEN_FDS",   "TZ",
        "http_proxy",    "https_proxy",  "no_proxy",     "ASAN_OPTIONS",
        "UBSAN_OPTIONS", "TSAN_OPTIONS", "WATCHDOG_USEC"};
    char *values[sizeof kept / sizeof kept[0]];

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const char *v = getenv(kept[i]);

        values[i] = v ? xstrdup(v) : NULL;
    }
    (void)clearenv();
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (values[i])
            (void)setenv(kept[i], values[i], 1);
        free(values[i]);
    }
    (void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
}

/* The default file may be missing; one that was named may not. */
static int
read_config(const struct given *g, struct config *c, struct err *err)
{
    if (config_load(g->config ? g->config : CONFIG_FILE, c, err) != 0 &&
        (g->config || err->sys != ENOENT))
        return -1;
    if (c->defaults.n > 0 &&
        (daemon_options_check("/", "/", c->defaults.v, c->defaults.n, err) != 0 ||
         helper_check_options(c->defaults.v, c->defaults.n, err) != 0))
        return err_context(err, "the configuration's defaults");
    return 0;
}

/* The supervisor's arguments, of which `least` (or NULL) is one; the array is the caller's. */
static char **
policy_of(const struct config *c, char *least)
{
    static char acquire[] = SUPERVISOR_ACQUIRE;
    static char evidence[] = SUPERVISOR_EVIDENCE;
    char **policy = xcalloc(c->evidence.n + 4, sizeof *policy);
    size_t n = 0;

    policy[n++] = acquire;
    policy[n++] = evidence;
    if (least)
        policy[n++] = least;
    memcpy(policy + n, c->evidence.v, c->evidence.n * sizeof *policy);
    return policy;
}

/* The first that says something. */
static const char *
either(const char *given, const char *configured, const char *otherwise)
{
    return given ? given : configured ? configured : otherwise;
}

static int
serve(const struct given *g, const struct config *c, struct err *err)
{
    AUTO_FREE char *least = c->least ? xasprintf(SUPERVISOR_LEAST "%s", c->least) : NULL;
    AUTO_FREE char **policy = policy_of(c, least);
    struct daemon_settings s = {
        .socket = either(g->socket, c->socket, DAEMON_SOCKET),
        .state_dir = either(g->state_dir, c->state_dir, DAEMON_STATE_DIR),
        .limits = {.parallel = c->parallel, .per_user = 64, .ended = 200},
        .clients = 128,
        .clients_of_user = 32,
        .policy = policy,
        .evidence = (const char *const *)c->evidence.v,
        .n_evidence = c->evidence.n,
        .defaults = c->defaults.v,
        .n_defaults = c->defaults.n,
    };

    if (geteuid() != 0)
        return err_set(err, OUTCOME_REFUSED, "exhibitd needs root: it acts for many users");
    if (daemon_group(either(g->group, c->group, DAEMON_GROUP), &s.group, err) != 0)
        return -1;
    return daemon_serve(&s, err);
}

static int
run(const struct given *g, struct err *err)
{
    struct config c;
    int r = read_config(g, &c, err);

    if (r == 0)
        r = serve(g, &c, err);
    config_free(&c);
    return r;
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct given g = {0};

    console_begin();
    if (read_options(argc, argv, &g, &err) != 0)
        return err_report(&err);
    set_environment();
    (void)umask(022);
    if (chdir("/") != 0 || run(&g, &err) != 0)
        return err_report(&err);
    return console_end(OUTCOME_DONE);
}
