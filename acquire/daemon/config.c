#include "acquire/daemon/config.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "acquire/daemon/daemon_listen.h"
#include "acquire/device/device_evidence.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "common/text.h"

#define DEFAULT_PREFIX "default."
#define GROUP_MAX 32 /* characters of a group's name: groupadd(8) */

struct key {
    const char *name;
    int (*take)(struct config *c, const char *value, struct err *err);
};

static void
append(struct config_list *list, char *text)
{
    list->v = xrealloc(list->v, list->n + 2, sizeof *list->v);
    list->v[list->n++] = text;
    list->v[list->n] = NULL;
}

void
config_begin(struct config *c)
{
    *c = (struct config){.parallel = CONFIG_PARALLEL};
    c->evidence.v = xcalloc(1, sizeof *c->evidence.v);
    c->spare.v = xcalloc(1, sizeof *c->spare.v);
    c->defaults.v = xcalloc(1, sizeof *c->defaults.v);
}

static void
free_list(struct config_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i]);
    free(list->v);
    *list = (struct config_list){0};
}

void
config_free(struct config *c)
{
    free(c->socket);
    free(c->group);
    free(c->state_dir);
    free(c->least);
    free_list(&c->evidence);
    free_list(&c->spare);
    free_list(&c->defaults);
    *c = (struct config){0};
}

/* --- the keys ----------------------------------------------------------------------------------*/

static int
take_once(char **where, const char *key, const char *value, struct err *err)
{
    if (*where)
        return err_set(err, OUTCOME_USAGE, "'%s' is given twice", key);
    *where = xstrdup(value);
    return 0;
}

static int
take_path(char **where, const char *key, const char *value, struct err *err)
{
    if (value[0] != '/')
        return err_set(err, OUTCOME_USAGE, "'%s' for %s is not an absolute path", value, key);
    return take_once(where, key, value, err);
}

static int
take_socket(struct config *c, const char *value, struct err *err)
{
    if (strlen(value) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return err_set(err, OUTCOME_USAGE, "the path of the socket is too long for one");
    return take_path(&c->socket, "socket", value, err);
}

static int
take_state_dir(struct config *c, const char *value, struct err *err)
{
    return take_path(&c->state_dir, "state-dir", value, err);
}

static int
take_least(struct config *c, const char *value, struct err *err)
{
    if (strcmp(value, "bpf-lsm") != 0 && strcmp(value, "read-only-flag") != 0)
        return err_set(err, OUTCOME_USAGE,
                       "'%s' is no least level; 'bpf-lsm' or 'read-only-flag' is", value);
    return take_once(&c->least, "least-write-block", value, err);
}

static int
take_group(struct config *c, const char *value, struct err *err)
{
    if (strlen(value) > GROUP_MAX || strpbrk(value, " \t:,"))
        return err_set(err, OUTCOME_USAGE, "'%s' is no name of a group", value);
    return take_once(&c->group, "group", value, err);
}

static int
take_parallel(struct config *c, const char *value, struct err *err)
{
    uint64_t n;

    if (c->parallel != 0)
        return err_set(err, OUTCOME_USAGE, "'parallel' is given twice");
    if (number_parse(value, 1, CONFIG_PARALLEL_MAX, "parallel", &n, err) != 0)
        return -1;
    c->parallel = (unsigned)n;
    return 0;
}

static int
take_mark(struct config_list *list, const char *value, struct err *err)
{
    if (device_mark_check(value, err) != 0)
        return -1;
    if (list->n == CONFIG_MARKS_MAX)
        return err_set(err, OUTCOME_USAGE, "more than %d disks", CONFIG_MARKS_MAX);
    append(list, xstrdup(value));
    return 0;
}

static int
take_evidence(struct config *c, const char *value, struct err *err)
{
    return take_mark(&c->evidence, value, err);
}

static int
take_spare(struct config *c, const char *value, struct err *err)
{
    return take_mark(&c->spare, value, err);
}

static int
add_default(struct config *c, char *option, struct err *err)
{
    if (c->defaults.n == CONFIG_DEFAULTS_MAX) {
        free(option);
        return err_set(err, OUTCOME_USAGE, "more than %d default options", CONFIG_DEFAULTS_MAX);
    }
    append(&c->defaults, option);
    return 0;
}

/* A long option's name: what stands before n. */
static bool
is_option_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && s[i] != '-')
            return false;
    }
    return n > 1 && s[0] != '-';
}

/* Whether an option takes one value, and has it: a second would win without a word. */
static bool
is_taken(const struct config *c, const char *name)
{
    size_t n = strlen(name);

    if (strcmp(name, "meta") == 0 || strcmp(name, "tsa") == 0)
        return false;
    for (size_t i = 0; i < c->defaults.n; i++) {
        const char *option = c->defaults.v[i] + 2;

        if (strncmp(option, name, n) == 0 && (option[n] == '=' || option[n] == '\0'))
            return true;
    }
    return false;
}

/* default.option: an option as it would be typed, in one word. */
static int
take_option(struct config *c, const char *value, struct err *err)
{
    AUTO_FREE char *name = NULL;

    if (strncmp(value, "--", 2) != 0 || !is_option_name(value + 2, strcspn(value + 2, "=")))
        return err_set(err, OUTCOME_USAGE,
                       "'%s' is no option; '--no-verify' or '--retries=3' would be", value);
    name = xstrndup(value + 2, strcspn(value + 2, "="));
    if (is_taken(c, name))
        return err_set(err, OUTCOME_USAGE, "the option '--%s' is given twice", name);
    return add_default(c, xstrdup(value), err);
}

static const struct key keys[] = {
    {"socket", take_socket},           {"group", take_group},
    {"state-dir", take_state_dir},     {"parallel", take_parallel},
    {"evidence", take_evidence},       {"spare", take_spare},
    {"least-write-block", take_least}, {"default.option", take_option}};

/* default.NAME: the option --NAME with that argument. */
static int
take_default(struct config *c, const char *name, const char *value, struct err *err)
{
    if (!is_option_name(name, strlen(name)))
        return err_set(err, OUTCOME_USAGE, "unknown key '" DEFAULT_PREFIX "%.64s'", name);
    if (is_taken(c, name))
        return err_set(err, OUTCOME_USAGE, "'" DEFAULT_PREFIX "%s' is given twice", name);
    return add_default(c, xasprintf("--%s=%s", name, value), err);
}

/* --- lines -------------------------------------------------------------------------------------*/

static int
take(struct config *c, const char *key, const char *value, struct err *err)
{
    size_t n = strlen(DEFAULT_PREFIX);

    if (*value == '\0')
        return err_set(err, OUTCOME_USAGE, "'%s' has no value", key);
    if (strlen(value) > CONFIG_VALUE_MAX)
        return err_set(err, OUTCOME_USAGE, "the value of '%s' is longer than %d bytes", key,
                       CONFIG_VALUE_MAX);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i].name, key) == 0)
            return keys[i].take(c, value, err);
    }
    if (strncmp(key, DEFAULT_PREFIX, n) == 0)
        return take_default(c, key + n, value, err);
    return err_set(err, OUTCOME_USAGE, "unknown key '%.64s'", key);
}

/* Cuts the blanks off both ends, in place. */
static char *
trim(char *s)
{
    size_t n = strlen(s);

    while (n > 0 && strchr(" \t\r", s[n - 1]))
        s[--n] = '\0';
    return s + strspn(s, " \t");
}

static bool
has_control(const char *s)
{
    for (; *s; s++) {
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
            return true;
    }
    return false;
}

static int
take_line(struct config *c, char *line, struct err *err)
{
    char *text = trim(line);
    char *equals;

    if (*text == '\0' || *text == '#')
        return 0;
    if (has_control(text))
        return err_set(err, OUTCOME_USAGE, "a control character in the line");
    equals = strchr(text, '=');
    if (!equals || equals == text)
        return err_set(err, OUTCOME_USAGE, "the line is no 'key = value'");
    *equals = '\0';
    return take(c, trim(text), trim(equals + 1), err);
}

int
config_parse(const char *text, size_t n, const char *name, struct config *out, struct err *err)
{
    size_t number = 0;

    config_begin(out);
    out->parallel = 0; /* not given yet */
    if (n > CONFIG_SIZE_MAX)
        return err_set(err, OUTCOME_USAGE, "'%s' is longer than %d bytes", name, CONFIG_SIZE_MAX);
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t length = end ? (size_t)(end - text) : n;
        AUTO_FREE char *line = xstrndup(text, length);

        number++;
        if (strlen(line) != length)
            return err_set(err, OUTCOME_USAGE, "%s:%zu: a NUL byte in the line", name, number);
        if (take_line(out, line, err) != 0)
            return err_context(err, "%s:%zu", name, number);
        length += end ? 1 : 0;
        text += length;
        n -= length;
    }
    if (out->parallel == 0)
        out->parallel = CONFIG_PARALLEL;
    return 0;
}

/* Whoever can write the file decides for root. */
static int
check_owner(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_errno(err, "cannot read '%s'", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, OUTCOME_FAILED, "cannot read '%s': it is no regular file", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return err_set(err, OUTCOME_REFUSED, "'%s' belongs to user %u; it must be root's", path,
                       (unsigned)st.st_uid);
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return err_set(err, OUTCOME_REFUSED,
                       "'%s' can be written by others than its owner; use 'chmod go-w'", path);
    return 0;
}

int
config_load(const char *path, struct config *out, struct err *err)
{
    AUTO_FREE char *text = xcalloc(1, CONFIG_SIZE_MAX + 1);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t n = 0;

    config_begin(out);
    if (fd < 0)
        return err_errno(err, "cannot read '%s'", path);
    if (check_owner(fd, path, err) != 0)
        return -1;
    while (n <= CONFIG_SIZE_MAX) {
        ssize_t r = read(fd, text + n, CONFIG_SIZE_MAX + 1 - n);

        if (r < 0)
            return err_errno(err, "cannot read '%s'", path);
        if (r == 0)
            break;
        n += (size_t)r;
    }
    config_free(out);
    return config_parse(text, n, path, out, err);
}

char *
config_socket(const char *given)
{
    const char *path = given ? given : getenv("EXHIBIT_SOCKET");
    struct err err = ERR_INIT;
    struct config config;
    char *socket;

    if (path && *path)
        return xstrdup(path);
    if (config_load(CONFIG_FILE, &config, &err) == 0 && config.socket)
        socket = xstrdup(config.socket);
    else
        socket = xstrdup(DAEMON_SOCKET);
    config_free(&config);
    return socket;
}
